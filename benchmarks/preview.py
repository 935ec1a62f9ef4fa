"""A preview of the sandbox's stack, and one of an empty program on the same engine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import yaml

from benchmarks.measure import Command, CommandFailed
from benchmarks.rows import Sides
from madeploy.sandbox.session import UNWANTED, Sandbox

EMPTY = "empty"
PREVIEW = ("pulumi", "preview", "--non-interactive", "--color=never", "--expect-no-changes")


def obstacle(program: Path) -> str:
    """Why nothing can be previewed, and what would let it; empty when the whole sandbox runs."""
    components = Sandbox(program).environment().status()
    if components and all(component.pid is not None for component in components):
        return ""
    return "no sandbox runs; `bin/madeploy sandbox up` starts one"


def sides(program: Path, scratch: Path) -> Sides:
    """Both commands. The empty program has a stack and a backend of its own, in `scratch`.

    Raises CommandFailed when the empty program's stack cannot be made.
    """
    environ = {name: value for name, value in os.environ.items() if name not in UNWANTED}
    environ |= Sandbox(program).variables()

    own = {name: value for name, value in environ.items() if name != "PULUMI_OPTION_CONFIG_FILE"}
    own |= {"PULUMI_BACKEND_URL": f"file://{scratch / 'backend'}", "PULUMI_STACK": EMPTY}
    where = scratch / EMPTY
    for folder in (scratch / "backend", where):
        folder.mkdir()
    runtime = {"name": "python", "options": {"toolchain": "pip", "virtualenv": sys.prefix}}
    (where / "Pulumi.yaml").write_text(yaml.safe_dump({"name": EMPTY, "runtime": runtime}), encoding="utf-8")
    (where / "__main__.py").write_text("import pulumi\n", encoding="utf-8")
    for arguments in (("stack", "init", EMPTY), ("up", "--yes", "--skip-preview")):
        _engine(*arguments, where=where, environ=own)
    # Each preview fails unless it finds nothing to do, so both results are the same.
    return Sides(Command(PREVIEW, program, environ), {"the empty program": Command(PREVIEW, where, own)}, str)


def _engine(*arguments: str, where: Path, environ: dict[str, str]) -> None:
    done = subprocess.run(
        ["pulumi", *arguments, "--non-interactive", "--color=never"],
        cwd=where,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise CommandFailed(f"`pulumi {' '.join(arguments)}` ended with {done.returncode}:\n{done.stderr}")
