"""The launcher as a program: run for real with an environment that is there already."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.launcher.conftest import LAUNCHER, Checkout

SHOW = "import json, os, sys\nprint(json.dumps([sys.argv, os.getcwd(), dict(os.environ), sys.path[0]]))\n"


@pytest.fixture
def real(checkout: Checkout) -> Checkout:
    """A checkout with a finished environment: a real interpreter, a command that shows its surroundings."""
    launcher = checkout.load()
    python = Path(launcher.PYTHON)
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.base_prefix + "/bin/python3")
    Path(launcher.COMMAND).write_text(SHOW, encoding="utf-8")
    Path(launcher.STAMP).write_text(launcher.stamp(), encoding="utf-8")
    return checkout


@dataclass
class Shown:
    """What the command saw of its surroundings."""

    argv: list[str]
    directory: str
    environment: dict[str, str]
    first_import_path: str


def run(launcher: Path, *arguments: str, directory: Path) -> Shown:
    ran = subprocess.run(
        [sys.base_prefix + "/bin/python3", launcher, *arguments],
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert ran.stderr == ""
    return Shown(*json.loads(ran.stdout))


def test_arguments_and_working_directory_reach_the_command_unchanged(real: Checkout, tmp_path: Path) -> None:
    """UX-1: from any directory."""
    arguments = ["render", "a b", "--x=$HOME", ""]
    shown = run(real.root / "bin" / "madeploy", *arguments, directory=tmp_path)
    assert shown.argv[1:] == arguments
    assert shown.directory == str(tmp_path)


def test_the_launcher_works_through_a_link(real: Checkout, tmp_path: Path) -> None:
    """UX-1."""
    link = tmp_path / "elsewhere" / "madeploy"
    link.parent.mkdir()
    link.symlink_to(real.root / "bin" / "madeploy")
    assert run(link, "explain", directory=tmp_path).argv == [
        str(real.environment / "bin" / "madeploy"),
        "explain",
    ]


def test_the_environment_is_active_first_on_path_and_only_once(
    real: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CARD-3: Pulumi's language host runs the `python` it finds on PATH."""
    own, before = str(real.environment / "bin"), os.environ["PATH"]
    monkeypatch.setenv("PATH", f"{before}{os.pathsep}{own}")
    monkeypatch.setenv("PYTHONHOME", sys.base_prefix)
    shown = run(real.root / "bin" / "madeploy", directory=tmp_path)
    assert shown.environment["PATH"] == f"{own}{os.pathsep}{before}"
    assert shown.environment["VIRTUAL_ENV"] == str(real.environment)
    assert "PYTHONHOME" not in shown.environment


def test_modules_of_the_working_directory_are_not_imported(real: Checkout, tmp_path: Path) -> None:
    """UX-1: another checkout, or a file named yaml.py, may lie there."""
    shown = run(real.root / "bin" / "madeploy", directory=tmp_path)
    assert shown.first_import_path == str(real.environment / "bin")


def test_the_launcher_of_the_repository_is_executable() -> None:
    """UX-1."""
    assert os.access(LAUNCHER, os.X_OK)
