"""Lets the language host that is built from source run the project's policy pack.

Engine 3.250 asks a language host to run a pack by fields that the newest host published as a Go module
(3.78) does not read: it starts Python with an empty program and the engine's address. The command that
`PULUMI_PYTHON_CMD` names in the sandbox sends such calls here; the host that comes with Pulumi needs none
of this. The pack's folder is not handed on, so it is read from the command line of the `pulumi` process
that asked.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from madeploy.engine import processes

MAX_ANCESTORS = 8
SCRIPT = """#!/bin/sh
# Python for Pulumi's language host; see madeploy/sandbox/policy_host.py.
if [ -z "$1" ]; then shift; exec "{python}" -m madeploy.sandbox.policy_host "$@"; fi
exec "{python}" "$@"
"""


def write_command(path: Path) -> Path:
    """Write the command for `PULUMI_PYTHON_CMD` to `path` and return it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(SCRIPT.format(python=sys.executable), encoding="utf-8")
    path.chmod(0o700)
    return path


def packs_in(arguments: list[str]) -> list[str]:
    """Folders that a `pulumi` command line names with `--policy-pack`."""
    packs: list[str] = []
    for index, argument in enumerate(arguments):
        if argument == "--policy-pack" and index + 1 < len(arguments):
            packs += arguments[index + 1].split(",")
        elif argument.startswith("--policy-pack="):
            packs += argument.partition("=")[2].split(",")
    return packs


def _ancestors() -> Iterator[list[str]]:
    pid: int | None = os.getppid()
    for _ in range(MAX_ANCESTORS):
        if pid is None or pid <= 1:
            return
        yield processes.arguments(pid)
        pid = processes.parent(pid)


def main() -> None:
    """Run the one pack that the asking `pulumi` was given; exit 1 with the reason when that is unclear."""
    engine = sys.argv[1]
    for arguments in _ancestors():
        packs = packs_in(arguments)
        if not packs:
            continue
        if len(packs) > 1:
            sys.exit(
                "Several policy packs at once need the language host that comes with Pulumi; "
                "give one --policy-pack."
            )
        pack = str(Path(packs[0]).resolve())
        os.execv(sys.executable, [sys.executable, "-u", "-m", "pulumi.policy", engine, pack])
    sys.exit("Which policy pack to run is not known: no pulumi process with --policy-pack asked for it.")


if __name__ == "__main__":
    main()
