"""`madeploy evidence`: control by control, what shows that a stack keeps its frameworks."""

from __future__ import annotations

import datetime
import sys
from pathlib import Path
from typing import Annotated

import typer

from madeploy import __version__
from madeploy.cli.options import AsJson, Stack
from madeploy.compliance import forms, live
from madeploy.compliance.evidence import Evidence, collect
from madeploy.compliance.live import Answer
from madeploy.errors import UsageError
from madeploy.policy import sources
from madeploy.policy.service_files import EVERY_RULE
from madeploy.rules.controls import CONTROLS, Question
from madeploy.settings import Environment
from madeploy.stacks.files import open_environment
from policies.rules.evaluation import evaluate

_WRITERS = {"html": forms.to_html, "json": forms.to_json, "csv": forms.to_csv}


def _ask(question: Question, environment: Environment) -> tuple[Answer, ...]:
    print(f"asking: {question.replace('-', ' ')} …", file=sys.stderr)  # noqa: T201
    return live.ask(question, environment)


def _write(evidence: Evidence, directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    start = f"evidence-{evidence.stack}-{evidence.date:%Y-%m-%d}"
    for end, write in _WRITERS.items():
        path = directory / f"{start}.{end}"
        path.write_text(write(evidence), encoding="utf-8")
        print(f"wrote {path}", file=sys.stderr)  # noqa: T201


def evidence(
    stack: Stack,
    asked: Annotated[
        bool, typer.Option("--live", help="Ask AWS and the front door too; needs AWS credentials that read.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="DIR", help="Write HTML, JSON and CSV into a folder."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show control by control what keeps the frameworks of compliance.frameworks: settings, objects,
    policies, and with --live what AWS and the front door answer.

    Ends with 0 when no control has failed, with 1 when one has, with 2 when the stack chooses no framework
    or cannot be used for another reason.
    """
    # A control that settings break is what this is to show, and no reason to show nothing.
    broken = [item.code for item in CONTROLS if item.code is not None]
    name, path, environment = open_environment(stack, broken)
    if not environment.compliance.frameworks:
        raise UsageError(
            f"{name} chooses no framework",
            "michelangelo:compliance says none",
            "add to the stack file, for example:\n  michelangelo:compliance:\n    frameworks: [soc2]",
        )
    source = sources.of_stack(name, path, environment)
    # A framework knows no tiers: whoever chooses one is held to all of it.
    outcome = evaluate(EVERY_RULE, source.resources, "production", source.suppressions)
    now = datetime.datetime.now(datetime.timezone.utc)
    found = collect(name, environment, (source.resources, outcome), _ask if asked else None, now, __version__)
    if output is not None:
        _write(found, output)
    sys.stdout.write(forms.to_json(found) if as_json else forms.table(found))
    raise typer.Exit(1 if "failed" in found.counts else 0)
