"""Secrets of a stack, written by the Pulumi CLI, which alone has the key."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from madeploy.cli.stacks import folder
from madeploy.errors import ToolkitError
from madeploy.settings.source import subject

SECONDS = 120


def set_secret(stack: str, path: tuple[str, ...], value: str) -> None:
    """Encrypt `value` as the stack's secret at `path`. It is handed over on standard input, so that no list
    of processes ever shows it.

    Raises ToolkitError (3) when the CLI is missing or refuses.
    """
    _run(stack, path, ["set", "--secret", "--path", subject(path)], value)


def remove_secret(stack: str, path: tuple[str, ...]) -> None:
    """Take the stack's secret at `path` away. Raises ToolkitError (3)."""
    _run(stack, path, ["rm", "--path", subject(path)], None)


def _run(stack: str, path: tuple[str, ...], arguments: list[str], value: str | None) -> None:
    what = f"the secret {subject(path)} of stack {stack} cannot be written"
    pulumi = shutil.which("pulumi")
    if pulumi is None:
        raise ToolkitError(
            what, "the Pulumi CLI is not on PATH", "install it; bin/madeploy tools shows what is there"
        )
    try:
        done = subprocess.run(
            [pulumi, "config", *arguments, "--stack", stack, "--non-interactive", "--color=never"],
            cwd=_project(),
            input=value if value is not None else "",
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ToolkitError(what, f"the Pulumi CLI gave no answer in {SECONDS} s", "see its login") from None
    if done.returncode != 0:
        raise ToolkitError(
            what,
            done.stderr.strip() or f"exit code {done.returncode}",
            "log in (`pulumi login`), make the stack (`pulumi stack init`), and give its passphrase or key",
        )


def _project() -> Path:
    """The folder of the Pulumi project that the stacks belong to."""
    return folder().resolve().parent
