"""`python -m benchmarks.cold [--json]`: what the sandbox's tools cost where they must all be built.

Every cache is empty: of Go's modules, of Go's compiled packages, and of tools. Families are built one after
the other, so that what each costs beyond the ones before it is seen; the sum is the same in any order.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated
from unittest import mock

import typer
from rich.console import Console
from rich.table import Table

from madeploy import progress
from madeploy.sandbox.environment import TOOLS as ENVIRONMENT_TOOLS
from madeploy.sandbox.errors import SandboxError
from madeploy.sandbox.session import ENGINE_TOOLS
from madeploy.sandbox.tools import FAMILIES, TOOLS, ensure

NEEDED = (*ENVIRONMENT_TOOLS, *ENGINE_TOOLS, "pulumi-resource-kubernetes", "pulumi-resource-aws")
"""What `madeploy sandbox up` runs."""


@dataclass(frozen=True)
class Cost:
    """What one family took.

    Args:
        family: its name.
        processor: user and system seconds of the go command and of every compiler and linker.
        clock: seconds by the clock.
    """

    family: str
    processor: float
    clock: float


def measure() -> list[Cost]:
    """Build all there is to build, from nothing.

    Raises:
        SandboxError: something cannot be built.
    """
    families = {TOOLS[name].family for name in NEEDED}
    costs = []
    with _empty_caches():
        for family in (name for name in FAMILIES if name in families):
            before, began = _processor(), time.monotonic()
            ensure([name for name in NEEDED if TOOLS[name].family == family])
            costs.append(Cost(family, _processor() - before, time.monotonic() - began))
            progress.stderr.say(f"{family}: {costs[-1].processor:.0f} s of processor time")
    return costs


@contextmanager
def _empty_caches() -> Iterator[None]:
    go = shutil.which("go")
    if go is None:
        raise SandboxError("nothing can be built", "there is no Go toolchain on PATH", "install Go")
    with tempfile.TemporaryDirectory(prefix="madeploy-cold-") as scratch:
        programs = Path(scratch, "bin")
        programs.mkdir()
        # Nothing but what a build itself needs: tools on PATH would not be built.
        for name in ("go", "git"):
            if found := shutil.which(name):
                (programs / name).symlink_to(found)
        environ = {
            "PATH": str(programs),
            "GOCACHE": f"{scratch}/compiled",
            "GOMODCACHE": f"{scratch}/modules",
            "MADEPLOY_CACHE": f"{scratch}/tools",
            "MADEPLOY_DOWNLOADS": "off",
        }
        with mock.patch.dict(os.environ, environ):
            try:
                yield
            finally:
                # Go makes its modules read-only.
                subprocess.run([go, "clean", "-modcache"], check=True)


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Build every tool the sandbox runs from empty caches, and print the processor time that takes."""
    load = os.getloadavg()[0]
    try:
        costs = measure()
    except SandboxError as error:
        print(error, file=sys.stderr)  # noqa: T201
        raise typer.Exit(error.exit_code) from None
    total = sum(cost.processor for cost in costs)
    # Kibibytes on Linux, bytes on macOS.
    unit = 1024**2 if sys.platform == "darwin" else 1024
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / unit
    if as_json:
        data = {
            "processor_seconds": round(total, 1),
            "largest_process_mib": round(memory),
            "cores": os.cpu_count(),
            "load_before": round(load, 1),
            "families": [asdict(cost) for cost in costs],
        }
        typer.echo(json.dumps(data, indent=2))
        return
    table = Table("family", "processor", "clock", box=None, pad_edge=False)
    for cost in costs:
        table.add_row(cost.family, f"{cost.processor:.0f} s", progress.duration(cost.clock))
    table.add_row("all", f"{total:.0f} s", progress.duration(sum(cost.clock for cost in costs)))
    console = Console(highlight=False)
    console.print(table)
    console.print(f"{os.cpu_count()} cores, load {load:.1f} before; largest process {memory:.0f} MiB")


if __name__ == "__main__":
    typer.run(main)
