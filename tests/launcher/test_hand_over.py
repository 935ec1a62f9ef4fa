"""The launcher as a program: run for real with an environment that is there already."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.launcher.conftest import LAUNCHER, Checkout

SHOW = "import json, os, sys\nprint(json.dumps([sys.argv, os.getcwd(), os.environ['PATH'], sys.path[0]]))\n"


@pytest.fixture
def real(checkout: Checkout) -> Checkout:
    """A checkout with a finished environment: a real interpreter, a command that shows its surroundings."""
    launcher = checkout.load()
    launcher.PYTHON.parent.mkdir(parents=True)
    launcher.PYTHON.symlink_to(sys.base_prefix + "/bin/python3")
    launcher.COMMAND.write_text(SHOW, encoding="utf-8")
    launcher.STAMP.write_text(launcher.stamp(), encoding="utf-8")
    return checkout


def run(launcher: Path, *arguments: str, directory: Path) -> tuple[list[str], str, str, str]:
    ran = subprocess.run(
        [sys.base_prefix + "/bin/python3", launcher, *arguments],
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert ran.stderr == ""
    argv, working_directory, path, first = json.loads(ran.stdout)
    return argv, working_directory, path, first


def test_arguments_and_working_directory_reach_the_command_unchanged(real: Checkout, tmp_path: Path) -> None:
    """UX-1: from any directory."""
    argv, directory, _, _ = run(
        real.root / "bin" / "madeploy", "render", "a b", "--x=$HOME", "", directory=tmp_path
    )
    assert argv[1:] == ["render", "a b", "--x=$HOME", ""]
    assert directory == str(tmp_path)


def test_the_launcher_works_through_a_link(real: Checkout, tmp_path: Path) -> None:
    """UX-1."""
    link = tmp_path / "elsewhere" / "madeploy"
    link.parent.mkdir()
    link.symlink_to(real.root / "bin" / "madeploy")
    argv, *_ = run(link, "explain", directory=tmp_path)
    assert argv == [str(real.environment / "bin" / "madeploy"), "explain"]


def test_the_environment_is_first_on_path_and_only_once(real: Checkout, tmp_path: Path) -> None:
    """CARD-3: Pulumi's language host runs the `python` it finds there."""
    own = str(real.environment / "bin")
    before = os.environ["PATH"]
    os.environ["PATH"] = f"{before}{os.pathsep}{own}"
    try:
        _, _, path, _ = run(real.root / "bin" / "madeploy", directory=tmp_path)
    finally:
        os.environ["PATH"] = before
    assert path == f"{own}{os.pathsep}{before}"


def test_modules_of_the_working_directory_are_not_imported(real: Checkout, tmp_path: Path) -> None:
    """UX-1: another checkout, or a file named yaml.py, may lie there."""
    *_, first = run(real.root / "bin" / "madeploy", directory=tmp_path)
    assert first == str(real.environment / "bin")


def test_the_launcher_of_the_repository_is_executable() -> None:
    """UX-1."""
    assert os.access(LAUNCHER, os.X_OK)
