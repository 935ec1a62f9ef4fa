"""`madeploy policy`: the policies' rules over a stack's objects, rendered trees and YAML written by hand."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Optional, cast

import typer

from madeploy.cli import policy_sources
from madeploy.cli.policy_sources import Source
from madeploy.errors import ToolkitError
from madeploy.findings import Finding, exit_code, find, in_order
from madeploy.findings.text import summary, to_json, write
from madeploy.manifest_files.service_files import EVERY_RULE
from madeploy.stacks.files import known_stacks, open_environment, stack_path
from policies.rules.evaluation import Found, Outcome, evaluate
from policies.rules.model import Tier
from policies.rules.suppressions import Suppression

_TIERS = ("development", "staging", "production")
_SLOW = 2_000
"""Resources from which on a check takes long enough to be announced."""

_UNREADABLE = ("MA380", "MA382", "MA385")
"""Findings about the input itself: wrong use, exit code 2."""


def _is_stack(given: str) -> bool:
    path = stack_path(given)
    return path.is_file() and path.name.startswith("Pulumi.")


def _sources(targets: Sequence[str], tier: str | None) -> tuple[list[tuple[Source, Tier]], list[Finding]]:
    """Each stack by itself, all files together."""
    found: list[tuple[Source, Tier]] = []
    findings: list[Finding] = []
    paths: list[Path] = []
    for given in targets:
        if _is_stack(given):
            name, path, environment = open_environment(given)
            source = policy_sources.of_stack(name, path, environment)
            found.append((source, cast(Tier, tier or environment.platform.tier)))
        elif Path(given).exists():
            paths.append(Path(given))
        else:
            raise ToolkitError(
                f"there is nothing to check called {given}",
                f"it is no file or folder, and the stacks are {known_stacks()}",
                "name a stack, or a folder or file of YAML",
                exit_code=2,
            )
    if paths:
        source, problems = policy_sources.of_files(paths)
        found.append((source, cast(Tier, tier or "production")))
        findings += problems
    return found, findings


def _finding(source: Source, found: Found) -> Finding:
    return find(
        found.rule.code,
        found.resource.subject + (f" on {found.resource.cluster}" if found.resource.cluster else ""),
        found.violation.evidence,
        fix=found.violation.fix or found.rule.fix,
        why=found.rule.why,
        severity=found.severity,
        location=source.place(found.resource, found.violation.path),
    )


def _about_suppressions(source: Source, outcome: Outcome) -> list[Finding]:
    """Suppressions that do not do what whoever wrote them believes."""
    known = {name for rule in EVERY_RULE for name in (rule.name, rule.code)}
    findings = []
    for resource, key, wrong in outcome.malformed:
        place = source.place(resource, ("metadata", "annotations", key))
        findings.append(find("MA385", resource.subject, f"the annotation {key} {wrong}", location=place))
    for item in outcome.expired:
        said = f"the suppression of {item.rule} for {item.object} expired after {item.expires}"
        findings.append(find("MA386", item.source, said))
    for item in outcome.unused:
        if item.rule not in known:
            said = f"there is no rule {item.rule}"
            findings.append(find("MA385", item.source, said))
        else:
            said = f"the suppression of {item.rule} for {item.object} hides nothing"
            findings.append(find("MA387", item.source, said))
    return findings


def _table(findings: Sequence[Finding]) -> str:
    """One line for each finding, then what to do about each rule."""
    names = {rule.code: rule.name for rule in EVERY_RULE}
    rows = [("SEVERITY", "RULE", "WHERE", "OBJECT", "EVIDENCE")]
    for item in findings:
        place = item.location
        where = f"{place.file}:{place.line}" if place else "-"
        name = f"{item.code} {names.get(item.code, '')}".rstrip()
        rows.append((item.severity, name, where, item.subject, item.evidence))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[4]]).rstrip()
        for row in rows
    ]
    for code in sorted({item.code for item in findings}):
        one = next(item for item in findings if item.code == code)
        lines += ["", f"{code} {one.title}"]
        for caption, text in (("why", one.why), ("fix", _advice(findings, code))):
            lines += textwrap.wrap(
                f"{caption}: {text}",
                108,
                initial_indent="  ",
                subsequent_indent="       ",
                break_long_words=False,
            )
    return "\n".join(lines)


def _advice(findings: Iterable[Finding], code: str) -> str:
    """What to do about all findings of a code."""
    return " ".join(dict.fromkeys(item.fix for item in findings if item.code == code))


def _listing(as_json: bool) -> str:
    """Every rule: what it is called, what it demands, how much it weighs."""
    rules = [
        {
            "code": rule.code,
            "name": rule.name,
            "area": rule.area,
            "title": rule.title,
            "why": rule.why,
            "fix": rule.fix,
            "severities": rule.severities._asdict(),
        }
        for rule in EVERY_RULE
    ]
    if as_json:
        return json.dumps(rules, indent=2, ensure_ascii=False) + "\n"
    width = max(len(rule.name) for rule in EVERY_RULE)
    lines = [
        f"{rule.code}  {rule.name:<{width}}  {rule.severities.production or '-':<7}  {rule.title}"
        for rule in EVERY_RULE
    ]
    return "\n".join([f"CODE   {'NAME':<{width}}  PROD.    WHAT IT REPORTS", *lines]) + "\n"


def policy(
    targets: Annotated[
        Optional[list[str]],  # noqa: UP045 - typer reads this at run time, on Python 3.10 too
        typer.Argument(
            metavar="STACK|DIR|FILE...", help="Stacks by name or file; folders and files of YAML."
        ),
    ] = None,
    tier: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="development, staging or production. Default: the stack's; for files production."),
    ] = None,
    suppressions: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(metavar="FILE", help="YAML file with suppressions, as below michelangelo:policies."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print findings as JSON.")] = False,
    sarif: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--sarif", metavar="FILE", help="Write SARIF 2.1.0 to a file, or to - for output."),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="End with 1 when there are warnings.")] = False,
    listed: Annotated[bool, typer.Option("--list", help="Print every rule instead.")] = False,
) -> None:
    """Check a stack's objects, a rendered tree or YAML written by hand against the policies.

    Needs no network, engine or login. Ends with 0 when no rule is broken, with 1 on errors (on warnings
    too under --strict), with 2 when something cannot be read.
    """
    if listed:
        sys.stdout.write(_listing(as_json))
        return
    if not targets:
        raise ToolkitError(
            "nothing to check was named", f"stacks are {known_stacks()}", "bin/madeploy policy STACK", 2
        )
    if tier is not None and tier not in _TIERS:
        raise ToolkitError(
            f"there is no tier {tier}", f"tiers are {', '.join(_TIERS)}", "name one of them", 2
        )
    sources, findings = _sources(targets, tier)
    extra: tuple[Suppression, ...] = ()
    if suppressions is not None:
        extra, problems = policy_sources.suppressions_of(suppressions)
        findings += problems
    hidden = total = 0
    for source, weight in sources:
        total += len(source.resources)
        if len(source.resources) > _SLOW:
            print(f"checking {len(source.resources):,} objects of {source.subject} …", file=sys.stderr)  # noqa: T201
        given = (*source.suppressions, *extra)
        outcome = evaluate(EVERY_RULE, source.resources, weight, given)
        hidden += len(outcome.suppressed)
        findings += [_finding(source, found) for found in outcome.found]
        findings += _about_suppressions(source, outcome)
    _print(in_order(findings), total, hidden, as_json, sarif)
    unreadable = any(item.code in _UNREADABLE for item in findings)
    raise typer.Exit(exit_code(findings, errors=2 if unreadable else 1, strict=strict))


def _print(findings: list[Finding], total: int, hidden: int, as_json: bool, sarif: str | None) -> None:
    if sarif is not None:
        from madeploy import __version__
        from madeploy.findings.sarif import to_sarif

        text = to_sarif(findings, __version__)
        if sarif == "-":
            sys.stdout.write(text)
            return
        Path(sarif).write_text(text, encoding="utf-8")
    if as_json:
        sys.stdout.write(to_json(findings))
        return
    said = f"{total:,} objects, {len(EVERY_RULE)} rules: {summary(findings)}"
    said += f", {hidden} suppressed" if hidden else ""
    write("\n\n".join([*([_table(findings)] if findings else []), said]), sys.stdout)
