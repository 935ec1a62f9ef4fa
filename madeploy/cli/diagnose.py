"""`madeploy diagnose`: from what is seen to what it comes from."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from madeploy.cli import reports
from madeploy.cli.options import AsJson
from madeploy.doctor.after import checks_after
from madeploy.doctor.causes import checks_of_causes, where
from madeploy.doctor.checks import Check, run
from madeploy.doctor.site import site_of
from madeploy.documents.redaction import masked_words
from madeploy.errors import UsageError
from madeploy.findings import exit_code
from madeploy.findings.outcomes import Report
from madeploy.findings.symptoms import Where, diagnosed
from madeploy.findings.text import report as text_report
from madeploy.findings.text import to_json, write
from madeploy.progress import phase
from madeploy.stacks.access import connector
from madeploy.stacks.files import open_environment
from madeploy.stacks.secrets import static_keys

STANDARD_INPUT = "-"
MOST_BYTES = 64 * 1024 * 1024
"""Of a log, its end: what is asked about came last."""


def diagnose(
    stack: Annotated[
        str | None, typer.Argument(metavar="[STACK]", help="Name or file of the stack that does not work.")
    ] = None,
    symptom: Annotated[
        str | None,
        typer.Option("--symptom", metavar="TEXT", help="An error message, an event or a status, pasted."),
    ] = None,
    log: Annotated[
        str | None, typer.Option("--log", metavar="FILE", help="A log to look through; - for input.")
    ] = None,
    as_json: AsJson = False,
    output: reports.Output = None,
) -> None:
    """Say what a failure comes from, and what mends it.

    With --symptom or --log it is told by the text alone; STACK then only fills in the commands. With STACK
    alone everything live is looked at: what verify finds, pods that do not run, logs, warnings of the
    clusters, models and inference servers. Changes nothing. Ends with 0 when nothing was found, 1 when a
    cause was.
    """
    if symptom is not None or log is not None:
        _by_text(stack, symptom, log, as_json)
        return
    if stack is None:
        raise UsageError(
            "what does not work?",
            "neither a stack nor a text is given",
            "name a stack, or give --symptom TEXT or --log FILE",
        )
    reports.require_forms(output or [])
    report = _live(stack)
    reports.show(report, as_json, output or [])
    raise typer.Exit(report.exit_code())


def _live(stack: str) -> Report:
    name, path, environment = open_environment(stack)
    site = site_of(name, environment, connector(name, path, environment))
    # Where both look, the one that goes down to causes is made.
    made: dict[str, Check] = {check.name: check for check in checks_after(site, lambda: static_keys(name))}
    made |= {check.name: check for check in checks_of_causes(site)}
    with phase(f"looking in {len(made)} places") as looking:
        return run(
            "diagnose",
            name,
            list(made.values()),
            note=lambda done: looking.note(f"{done} of {len(made)} done"),
        )


def _by_text(stack: str | None, symptom: str | None, log: str | None, as_json: bool) -> None:
    found = []
    filled = _where(stack)
    if symptom is not None:
        found += list(diagnosed(map(masked_words, symptom.splitlines()), filled, "symptom, line"))
    if log is not None:
        found += list(diagnosed(_lines(log), filled, f"{'input' if log == STANDARD_INPUT else log}, line"))
    if as_json:
        sys.stdout.write(to_json(found))
    elif found:
        write(text_report("diagnosis", found), sys.stdout)
    else:
        write(
            "This text is not known. What is live may tell more: bin/madeploy diagnose STACK\n"
            "Every text that is known: docs/troubleshooting.md",
            sys.stdout,
        )
    raise typer.Exit(1 if found else exit_code(found))


def _where(stack: str | None) -> Where:
    if stack is None:
        return Where()
    name, path, environment = open_environment(stack)
    return where(site_of(name, environment, connector(name, path, environment)))


def _lines(log: str) -> Iterable[str]:
    """Lines of the end of a log. Raises UsageError when it cannot be read."""
    if log == STANDARD_INPUT:
        data = sys.stdin.buffer.read(MOST_BYTES)
    else:
        try:
            with Path(log).open("rb") as file:
                size = file.seek(0, 2)
                file.seek(max(size - MOST_BYTES, 0))
                data = file.read()
        except OSError as error:
            why = error.strerror or str(error)
            raise UsageError(f"{log} cannot be read", why, "name a file, or - for input") from None
    return map(masked_words, data.decode("utf-8", errors="replace").splitlines())
