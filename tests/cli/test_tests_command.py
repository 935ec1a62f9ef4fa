"""`madeploy test` hands pytest the tests of the run that was asked for."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from madeploy.cli import test as command
from madeploy.cli.app import app
from madeploy.errors import UsageError
from madeploy.sandbox import tools


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Commands that would have been run, the checks aside; all end well."""
    found: list[list[str]] = []

    def run(argv: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        found.append(argv)
        return subprocess.CompletedProcess(argv, 0)

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(command, "_checks", lambda: True)
    monkeypatch.setattr(tools, "ensure", lambda _: {})
    return found


def invoke(*options: str) -> Result:
    return CliRunner().invoke(app, ["test", *options])


@pytest.mark.parametrize(
    ("options", "chosen"),
    [
        ([], [["-m", "not long"]]),
        (["--all"], []),
        (["--quick"], [["-m", "not sandbox and not whole"]]),
        (["--all", "-k", "fleet"], [["-k", "fleet"]]),
    ],
    ids=["every change", "all", "quick", "all that match"],
)
def test_one_run_of_pytest_takes_the_tests_that_were_asked_for(
    options: list[str], chosen: list[list[str]], started: list[list[str]]
) -> None:
    """UX-2."""
    assert invoke(*options).exit_code == 0
    (argv,) = started
    # Python's own `-m pytest` comes first.
    assert [argv[at : at + 2] for at, word in enumerate(argv) if word in ("-k", "-m")][1:] == chosen


def test_more_and_less_at_once_is_refused(started: list[list[str]]) -> None:
    """UX-3: before anything runs."""
    refused = invoke("--quick", "--all")
    assert isinstance(refused.exception, UsageError)
    assert started == []
