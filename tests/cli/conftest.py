"""A project folder with one production stack, and the command in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from madeploy.cli.app import app
from tests.support.stacks import write

Run = Callable[..., Result]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with `stacks/Pulumi.prod.yaml`."""
    (tmp_path / "stacks").mkdir()
    write(tmp_path / "stacks")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(project: Path) -> Run:
    """The command with these arguments, in the project."""
    return lambda *arguments: CliRunner().invoke(app, list(arguments))
