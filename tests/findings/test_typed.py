"""Commands that fixes print can be typed as they stand: nothing is to be filled in, and the toolkit's own are
commands that there are."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest
import typer

from madeploy.cli.app import app
from madeploy.findings import CODES
from madeploy.findings.symptoms import SYMPTOMS, Symptom, Where

WHERE = Where("hub", "gpu", "ma-system", "prod")
PLACEHOLDER = re.compile(r"<\w+>|\b(FILE|MODEL|DIR|KEY|ENV)\b")
NAMED = "bin/madeploy clusters rotate NAME --stack prod"
"""The one command whose cluster no line of a log tells."""


def told(symptom: Symptom) -> tuple[str, ...]:
    """Commands of the finding for a line that shows it."""
    words = symptom.match(symptom.example)
    assert words is not None
    return symptom.finding("x", words, WHERE).commands


COMMANDS = sorted(
    {line for symptom in SYMPTOMS for line in told(symptom)}
    | {
        line
        for code in CODES.values()
        for line in code.fix.splitlines()
        if line.startswith(("bin/madeploy ", "kubectl ", "pulumi ", "aws "))
    }
)


@pytest.mark.parametrize("line", COMMANDS)
def test_a_printed_command_can_be_typed(line: str) -> None:
    """UX-3: with quotes that close, no place left to fill, and options that its program has."""
    words = shlex.split(line)
    if line == NAMED:
        return
    assert not PLACEHOLDER.search(line), line
    if words[0] == "bin/madeploy":
        parsed(words[1:])


def parsed(words: list[str]) -> None:
    """Parse a command of the toolkit's as it does itself; it is not run."""
    command: Any = typer.main.get_command(app)
    context: Any = command.context_class(command, info_name="madeploy")
    while hasattr(command, "get_command"):
        command = command.get_command(context, words[0])
        assert command is not None, f"there is no command {words[0]}"
        context = command.context_class(command, info_name=words[0], parent=context)
        words = words[1:]
    command.make_context(context.info_name, list(words))


def test_a_command_that_there_is_not_is_found_out() -> None:
    """UX-3: and an option that it does not have."""
    with pytest.raises(AssertionError):
        parsed(["models", "access", "--stack", "prod"])
    with pytest.raises(Exception, match="No such option"):
        parsed(["verify", "prod", "--everything"])
