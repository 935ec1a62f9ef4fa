"""One finding: a code, what it is about, what was seen, why it matters and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from madeploy.findings.codes import CODES

Severity = Literal["error", "warning", "info"]

_RANK: dict[str, int] = {"error": 0, "warning": 1, "info": 2}
_DOCUMENTATION = "docs/findings.md"
_PROGRAMS = frozenset(
    {"aws", "bin/madeploy", "cadence", "docker", "env", "helm", "kubectl", "pulumi", "temporal"}
)


@dataclass(frozen=True)
class Location:
    """A place in a text file. Lines and columns count from 1, columns in characters."""

    file: str
    line: int = 1
    column: int = 1
    source: str | None = None
    """The line itself, secrets masked, fit for a terminal; None when there is none to show."""

    caret: int = 1
    """Column of `source` to point at; differs from `column` where the line was shortened."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True)
class Finding:
    """One finding about one subject. Texts never hold a secret's value."""

    code: str
    """Identifier such as `MA110`, for good: registered in `madeploy.findings.codes`."""

    severity: Severity
    """`error` blocks, `warning` is to be known, `info` is said once."""

    subject: str
    """What it is about: a configuration path, an object, a cluster."""

    evidence: str
    """What was seen, as a sentence without its full stop."""

    why: str
    """Why it matters."""

    fix: str
    """What to do next."""

    accepted: str = ""
    """What would be accepted instead; empty where that has no meaning."""

    location: Location | None = field(default=None, compare=False)
    """Where it was seen, when that is a file."""

    def __post_init__(self) -> None:
        if self.code not in CODES:
            raise ValueError(f"{self.code} is not registered in madeploy.findings.codes")

    @property
    def title(self) -> str:
        """One line that says what every finding of this code is."""
        return CODES[self.code].title

    @property
    def commands(self) -> tuple[str, ...]:
        """Lines of the fix that can be typed as they stand."""
        return tuple(line for line in self.fix.splitlines() if line.partition(" ")[0] in _PROGRAMS)

    @property
    def documentation(self) -> str:
        """Where the code is explained: a file of the project and an anchor in it."""
        return f"{_DOCUMENTATION}#{self.code.lower()}"

    def to_data(self) -> dict[str, Any]:
        """Plain data for JSON; keys are constant, empty ones included."""
        place = self.location
        return {
            "code": self.code,
            "severity": self.severity,
            "title": self.title,
            "subject": self.subject,
            "evidence": self.evidence,
            "accepted": self.accepted,
            "why": self.why,
            "fix": self.fix,
            "documentation": self.documentation,
            "location": {"file": place.file, "line": place.line, "column": place.column} if place else None,
        }


def find(
    code: str,
    subject: str,
    evidence: str,
    *,
    fix: str = "",
    accepted: str = "",
    why: str = "",
    severity: Severity | None = None,
    location: Location | None = None,
) -> Finding:
    """A finding of a registered code; what is not given comes from the registry.

    Raises ValueError when the code is not registered.
    """
    if code not in CODES:
        raise ValueError(f"{code} is not registered in madeploy.findings.codes")
    known = CODES[code]
    return Finding(
        code=code,
        severity=severity or known.severity,
        subject=subject,
        evidence=evidence,
        why=why or known.why,
        fix=fix or known.fix,
        accepted=accepted,
        location=location,
    )


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Findings by file and place, then severity, code and subject; the same set gives the same list.
    Repeats are dropped."""

    def key(item: Finding) -> tuple[Any, ...]:
        place = item.location
        where = (place.file, place.line, place.column) if place else ("", 0, 0)
        return (where, _RANK[item.severity], item.code, item.subject, item.evidence)

    unique = {(key(item), item.fix): item for item in findings}
    return [unique[marker] for marker in sorted(unique)]


def exit_code(findings: Iterable[Finding], *, errors: int = 1, strict: bool = False) -> int:
    """Exit code for a list of findings: `errors` (1, or 2 where the input itself is at fault) when any
    is an error; 1 for warnings when `strict`; else 0 (UX-2)."""
    severities = {item.severity for item in findings}
    if "error" in severities:
        return errors
    return 1 if strict and "warning" in severities else 0
