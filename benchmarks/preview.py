"""A preview of the sandbox's stack, one by a program that registers the same resources with literal
arguments, and one of an empty program on the same engine."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import yaml

from benchmarks.measure import Command, output_of
from benchmarks.rows import Sides
from madeploy.sandbox.session import UNWANTED, Sandbox
from madeploy.settings import PROJECT

BARE, EMPTY = "bare", "empty"
_RECORDING_PROGRAM = """\
import os, sys
sys.path.insert(0, {root!r})
os.chdir({root!r})
from benchmarks.sides.recorder import main
main({recording!r})
"""
_BARE_PROGRAM = """\
import json, sys
sys.path.insert(0, {root!r})
from benchmarks.sides.bare import register
with open({recording!r}, encoding="utf-8") as file:
    register([json.loads(line) for line in file])
"""
PREVIEW = ("pulumi", "preview", "--non-interactive", "--color=never", "--expect-no-changes")


def obstacle(program: Path) -> str:
    """Why nothing can be previewed, and what would let it; empty when the whole sandbox runs."""
    components = Sandbox(program).environment().status()
    if components and all(component.pid is not None for component in components):
        return ""
    return "no sandbox runs; `bin/madeploy sandbox up` starts one"


def sides(program: Path, scratch: Path) -> Sides:
    """The three commands. The bare program is of the same project and works on the same stack; what it
    registers is taken from a preview of the checkout's. The empty program has a stack and a backend of its
    own, in `scratch`.

    Raises CommandFailed when a program's stack cannot be made or previewed.
    """
    environ = {name: value for name, value in os.environ.items() if name not in UNWANTED}
    environ |= Sandbox(program).variables()
    recording = scratch / "recording.jsonl"
    root = str(program)
    recorder = _program(
        scratch / "recorder", PROJECT, _RECORDING_PROGRAM.format(root=root, recording=str(recording))
    )
    bare = _program(scratch / BARE, PROJECT, _BARE_PROGRAM.format(root=root, recording=str(recording)))
    _engine("preview", where=recorder, environ=environ)

    own = {name: value for name, value in environ.items() if name != "PULUMI_OPTION_CONFIG_FILE"}
    own |= {"PULUMI_BACKEND_URL": f"file://{scratch / 'backend'}", "PULUMI_STACK": EMPTY}
    (scratch / "backend").mkdir()
    empty = _program(scratch / EMPTY, EMPTY, "import pulumi\n")
    for arguments in (("stack", "init", EMPTY), ("up", "--yes", "--skip-preview")):
        _engine(*arguments, where=empty, environ=own)
    # Each preview fails unless it finds nothing to do, so all results are the same.
    return Sides(
        Command(PREVIEW, program, environ),
        {
            "the bare program": Command(PREVIEW, bare, environ),
            "the empty program": Command(PREVIEW, empty, own),
        },
        str,
    )


def _program(folder: Path, project: str, text: str) -> Path:
    """A Pulumi program of one file, in this interpreter's environment."""
    folder.mkdir()
    runtime = {"name": "python", "options": {"toolchain": "pip", "virtualenv": sys.prefix}}
    (folder / "Pulumi.yaml").write_text(
        yaml.safe_dump({"name": project, "runtime": runtime}), encoding="utf-8"
    )
    (folder / "__main__.py").write_text(text, encoding="utf-8")
    return folder


def _engine(*arguments: str, where: Path, environ: dict[str, str]) -> None:
    argv = ["pulumi", *arguments, "--non-interactive", "--color=never"]
    output_of(argv, f"pulumi {' '.join(arguments)}", where, environ)
