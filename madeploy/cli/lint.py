"""`madeploy lint`: check manifests of models and inference servers without network, engine or login."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from madeploy.cli.options import AsJson, Sarif, Strict
from madeploy.cli.output import print_findings
from madeploy.errors import UsageError
from madeploy.findings import Finding, exit_code
from madeploy.findings.text import report
from madeploy.registry.lint import MAX_BYTES
from madeploy.registry.lint import lint as check
from madeploy.releases import DEFAULT, ReleaseName

STANDARD_INPUT = "-"


def _content(given: str) -> tuple[str, bytes]:
    """A file's name in messages and its beginning. Raises UsageError when it cannot be read."""
    if given == STANDARD_INPUT:
        return "standard input", sys.stdin.buffer.read(MAX_BYTES + 1)
    try:
        with Path(given).open("rb") as file:
            return given, file.read(MAX_BYTES + 1)
    except OSError as error:
        why = error.strerror or str(error)
        raise UsageError(f"{given} cannot be read", why, "name a file, or - for input") from None


def lint(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Files of manifests; - for input.")],
    release: Annotated[
        ReleaseName, typer.Option("--release", help="Release of the platform they are for.")
    ] = DEFAULT,
    as_json: AsJson = False,
    sarif: Sarif = None,
    strict: Strict = False,
) -> None:
    """Check manifests of Model, InferenceServer and Revision: what is dropped, refused or stumbled over.

    YAML with any number of documents, JSON, and lists as kubectl prints them; objects of other kinds are
    named and left out. Needs no network, engine or login. Ends with 1 when something is wrong.
    """
    results: list[tuple[str, list[Finding]]] = []
    for given in files:
        name, content = _content(given)
        results.append((name, check(name, content, release)))
    findings = [finding for _, found in results for finding in found]
    print_findings(findings, "\n\n".join(report(name, found) for name, found in results), as_json, sarif)
    raise typer.Exit(exit_code(findings, strict=strict))
