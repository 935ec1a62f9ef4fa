"""Results of policies as findings and as a table, and the list of all rules."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import cast

from madeploy.errors import UsageError
from madeploy.findings import Finding, find
from madeploy.findings.text import aligned
from madeploy.policy import sources
from madeploy.policy.service_files import EVERY_RULE
from madeploy.policy.sources import Source
from madeploy.releases import DEFAULT, ReleaseName
from madeploy.stacks.files import known_stacks, open_environment, stack_path
from policies.rules.evaluation import Found, Outcome
from policies.rules.model import Tier


def _is_stack(given: str) -> bool:
    path = stack_path(given)
    return path.is_file() and path.name.startswith("Pulumi.")


def sources_of(
    targets: Sequence[str], tier: str | None, release: ReleaseName = DEFAULT
) -> tuple[list[tuple[Source, Tier]], list[Finding]]:
    """Each stack by itself, all files together; these are for `release`."""
    found: list[tuple[Source, Tier]] = []
    findings: list[Finding] = []
    paths: list[Path] = []
    for given in targets:
        if _is_stack(given):
            name, path, environment = open_environment(given)
            source = sources.of_stack(name, path, environment)
            # A framework knows no tiers: whoever chooses one is held to all of it.
            own = "production" if environment.compliance.frameworks else environment.platform.tier
            found.append((source, cast(Tier, tier or own)))
        elif Path(given).exists():
            paths.append(Path(given))
        else:
            raise UsageError(
                f"there is nothing to check called {given}",
                f"it is no file or folder, and the stacks are {known_stacks()}",
                "name a stack, or a folder or file of YAML",
            )
    if paths:
        source, problems = sources.of_files(paths, release)
        found.append((source, cast(Tier, tier or "production")))
        findings += problems
    return found, findings


def finding_of(source: Source, found: Found) -> Finding:
    """What a policy found, with the controls that it breaks in the stack's frameworks."""
    control = source.controls.get(found.rule.code)
    return find(
        found.rule.code,
        found.resource.subject + (f" on {found.resource.cluster}" if found.resource.cluster else ""),
        found.violation.evidence + (f" ({control})" if control else ""),
        fix=found.violation.fix or found.rule.fix,
        why=found.rule.why,
        severity=found.severity,
        location=source.place(found.resource, found.violation.path),
    )


def about_suppressions(source: Source, outcome: Outcome) -> list[Finding]:
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


def table(findings: Sequence[Finding]) -> str:
    """One line for each finding, then what to do about each rule."""
    names = {rule.code: rule.name for rule in EVERY_RULE}
    rows = [("SEVERITY", "RULE", "WHERE", "OBJECT", "EVIDENCE")]
    for item in findings:
        place = item.location
        where = f"{place.file}:{place.line}" if place else "-"
        name = f"{item.code} {names.get(item.code, '')}".rstrip()
        rows.append((item.severity, name, where, item.subject, item.evidence))
    lines = aligned(rows)
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


def listing(as_json: bool) -> str:
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
