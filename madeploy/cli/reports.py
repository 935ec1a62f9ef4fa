"""What every command that makes checks prints and writes."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final

import typer

from madeploy import __version__
from madeploy.cli.output import write_file
from madeploy.errors import UsageError
from madeploy.findings.junit import to_junit
from madeploy.findings.outcomes import Report
from madeploy.findings.overview import checks
from madeploy.findings.page import to_html
from madeploy.findings.sarif import to_sarif
from madeploy.findings.text import write

Output = Annotated[
    list[str] | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="Also write the report to a file: .html, .json, .xml (JUnit) or .sarif. Any number.",
    ),
]
Strict = Annotated[
    bool, typer.Option("--strict", help="End with 1 on warnings and on what could not be checked, too.")
]


def _json(report: Report) -> str:
    return json.dumps(report.to_data(), indent=2) + "\n"


def _sarif(report: Report) -> str:
    unseen = [f"{item.check}: {item.detail}" for item in report.outcomes if item.state == "notChecked"]
    return to_sarif(report.findings, __version__, unseen)


_FORMS: Final[Mapping[str, Callable[[Report], str]]] = {
    ".html": to_html,
    ".json": _json,
    ".sarif": _sarif,
    ".xml": to_junit,
}


def require_forms(output: Sequence[str]) -> None:
    """Raise UsageError for a file whose name does not say its form, before anything is looked at."""
    for name in output:
        if Path(name).suffix not in _FORMS:
            raise UsageError(
                f"{name} says no form",
                f"forms are {', '.join(sorted(_FORMS))}",
                "name a file with one of these endings",
            )


def show(report: Report, as_json: bool, output: Sequence[str]) -> None:
    """Print a report as text or JSON, and write it to files in the forms that their names say. Raises
    UsageError for a file that cannot be written."""
    for name in output:
        write_file(Path(name), _FORMS[Path(name).suffix](report))
    if as_json:
        sys.stdout.write(_json(report))
    else:
        write(checks(report), sys.stdout)
