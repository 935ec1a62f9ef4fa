"""Short commands of the Pulumi CLI on a stack, started in the project's folder wherever the person stands."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from madeploy.engine.driver import ask_cli
from madeploy.errors import ToolkitError
from madeploy.stacks.files import project

SECONDS = 120


def pulumi(
    *arguments: str, what: str, fix: str, entered: str = "", seconds: float = SECONDS
) -> subprocess.CompletedProcess[str]:
    """Run one command without questions, however it ends.

    Args:
        arguments: of the CLI.
        what: what cannot be done without it, for the error.
        fix: what to do when there is no CLI.
        entered: handed over on standard input, so that no list of processes shows it.
        seconds: how long it may take.

    Raises:
        ToolkitError: there is no CLI, or it gives no answer in time (3).
    """
    program = shutil.which("pulumi")
    if program is None:
        raise ToolkitError(what, "the Pulumi CLI is not on PATH", fix)
    try:
        return ask_cli(Path(program), arguments, project(), os.environ, entered=entered, seconds=seconds)
    except subprocess.TimeoutExpired:
        raise ToolkitError(
            what,
            f"the Pulumi CLI gave no answer in {seconds:.0f} s",
            "see its login, and whether the backend answers",
        ) from None
