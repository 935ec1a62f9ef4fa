"""The command that lets the built language host run the policy pack."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from madeploy.sandbox.policy_host import packs_in, write_command


@pytest.mark.parametrize(
    ("arguments", "packs"),
    [
        (["pulumi", "preview", "--policy-pack", "policies"], ["policies"]),
        (["pulumi", "up", "--policy-pack=policies", "--yes"], ["policies"]),
        (["pulumi", "up", "--policy-pack", "a,b"], ["a", "b"]),
        (["pulumi", "up", "--policy-pack", "a", "--policy-pack=b"], ["a", "b"]),
        (["pulumi", "up", "--policy-pack"], []),
        (["pulumi", "up"], []),
    ],
)
def test_the_packs_are_those_of_the_command_line(arguments: list[str], packs: list[str]) -> None:
    """CARD-1: as Pulumi's own flag takes them."""
    assert packs_in(arguments) == packs


def test_other_calls_reach_python_as_they_are(tmp_path: Path) -> None:
    """CARD-3: the language host uses the same command to run the program and to list packages."""
    command = write_command(tmp_path / "bin" / "python")
    shown = subprocess.run([command, "-c", "print('program')"], capture_output=True, text=True, check=True)
    assert shown.stdout == "program\n"


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [([], "no pulumi process with --policy-pack"), (["--policy-pack=a,b"], "Several policy packs")],
)
def test_a_pack_that_is_unclear_is_not_guessed(tmp_path: Path, flags: list[str], complaint: str) -> None:
    """UX-3: a wrong pack would pass what the right one refuses."""
    command = write_command(tmp_path / "python")
    asking = [
        sys.executable,
        "-c",
        f"import subprocess, sys; sys.exit(subprocess.call([{str(command)!r}, '', '1']))",
    ]
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    done = subprocess.run([*asking, *flags], capture_output=True, text=True, check=False, env=environ)
    assert done.returncode == 1
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr
