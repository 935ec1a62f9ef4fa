"""`madeploy policy`: the policies' rules over a stack's objects, rendered trees and YAML written by hand."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from madeploy.cli.options import AsJson, Sarif, Strict
from madeploy.cli.output import print_findings
from madeploy.errors import UsageError
from madeploy.findings import exit_code, in_order
from madeploy.findings.text import summary
from madeploy.policy.report import about_suppressions, finding_of, listing, sources_of, table
from madeploy.policy.service_files import EVERY_RULE
from madeploy.policy.sources import suppressions_of
from madeploy.releases import DEFAULT, ReleaseName
from madeploy.stacks.files import known_stacks
from policies.rules.evaluation import evaluate
from policies.rules.suppressions import Suppression

_TIERS = ("development", "staging", "production")
_SLOW = 2_000
"""Resources from which on a check takes long enough to be announced."""

_UNREADABLE = ("MA380", "MA382", "MA385")
"""Findings about the input itself: wrong use, exit code 2."""


def policy(
    targets: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="STACK|DIR|FILE...", help="Stacks by name or file; folders and files of YAML."
        ),
    ] = None,
    tier: Annotated[
        str | None,
        typer.Option(help="development, staging or production. Default: the stack's; for files production."),
    ] = None,
    release: Annotated[
        ReleaseName, typer.Option("--release", help="Release of the platform that files are for.")
    ] = DEFAULT,
    suppressions: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="YAML file with suppressions, as below michelangelo:policies."),
    ] = None,
    as_json: AsJson = False,
    sarif: Sarif = None,
    strict: Strict = False,
    listed: Annotated[bool, typer.Option("--list", help="Print every rule instead.")] = False,
) -> None:
    """Check a stack's objects, a rendered tree or YAML written by hand against the policies.

    Needs no network, engine or login. Ends with 0 when no rule is broken, with 1 on errors (on warnings
    too under --strict), with 2 when something cannot be read.
    """
    if listed:
        sys.stdout.write(listing(as_json))
        return
    if not targets:
        raise UsageError(
            "nothing to check was named", f"stacks are {known_stacks()}", "bin/madeploy policy STACK"
        )
    if tier is not None and tier not in _TIERS:
        raise UsageError(f"there is no tier {tier}", f"tiers are {', '.join(_TIERS)}", "name one of them")
    sources, findings = sources_of(targets, tier, release)
    extra: tuple[Suppression, ...] = ()
    if suppressions is not None:
        extra, problems = suppressions_of(suppressions)
        findings += problems
    hidden = total = 0
    for source, weight in sources:
        total += len(source.resources)
        if len(source.resources) > _SLOW:
            print(f"checking {len(source.resources):,} objects of {source.subject} …", file=sys.stderr)  # noqa: T201
        given = (*source.suppressions, *extra)
        outcome = evaluate(EVERY_RULE, source.resources, weight, given)
        hidden += len(outcome.suppressed)
        findings += [finding_of(source, found) for found in outcome.found]
        findings += about_suppressions(source, outcome)
    findings = in_order(findings)
    said = f"{total:,} objects, {len(EVERY_RULE)} rules: {summary(findings)}"
    said += f", {hidden} suppressed" if hidden else ""
    print_findings(findings, "\n\n".join([*([table(findings)] if findings else []), said]), as_json, sarif)
    unreadable = any(item.code in _UNREADABLE for item in findings)
    raise typer.Exit(exit_code(findings, errors=2 if unreadable else 1, strict=strict))
