"""Run a Pulumi program as the language host does, against an engine that listens at ADDRESS:
`python -m benchmarks.sides.program ADDRESS CONFIGURATION PROGRAM [ARGUMENT]...`."""

from __future__ import annotations

import asyncio
import json
import runpy
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pulumi

PROJECT, STACK = "michelangelo", "test"


def main(address: str, configuration: str, program: str, *arguments: str) -> None:
    """What `pulumi-language-python-exec` does, without its options."""
    given = json.loads(Path(configuration).read_text(encoding="utf-8"))
    pulumi.runtime.set_all_config(given["values"], given["secret"])
    pulumi.runtime.configure(
        pulumi.runtime.Settings(
            monitor=address,
            engine=address,
            project=PROJECT,
            stack=STACK,
            organization="organization",
            parallel=16,
            dry_run=False,
        )
    )
    sys.argv = [program, *arguments]
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.set_default_executor(ThreadPoolExecutor(max_workers=16))
    run = pulumi.runtime.run_in_stack(lambda: runpy.run_path(program, run_name="__main__"))
    loop.run_until_complete(run)
    loop.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
