"""What a run of many checks came to: each with how it ended, what was seen and how long it took.

A check that could not look is a state of its own: nothing is known of its subject, and it never counts as
passed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Final, Literal

from madeploy.findings.model import Finding, in_order

State = Literal["passed", "warned", "failed", "notChecked", "notNeeded"]
"""`passed`: looked at, nothing found; `warned`: findings, none of which is an error; `failed`: an error among
them; `notChecked`: could not be looked at; `notNeeded`: the environment has no such thing."""

STATES: Final[Mapping[State, str]] = {
    "failed": "failed",
    "warned": "warned",
    "notChecked": "could not be checked",
    "passed": "passed",
    "notNeeded": "not needed",
}
"""States in the order of how much they matter, in words."""


@dataclass(frozen=True)
class Outcome:
    """Result of one check."""

    check: str
    """The check's constant name, such as `dns`; those of one cluster end in `/<cluster>`."""

    title: str
    """What it looks at, in a few words."""

    state: State
    detail: str
    """What was seen, or why it was not looked at, in one sentence without its full stop."""

    findings: tuple[Finding, ...] = ()
    seconds: float = 0.0

    def to_data(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "check": self.check,
            "title": self.title,
            "state": self.state,
            "detail": self.detail,
            "seconds": round(self.seconds, 3),
            "findings": [finding.to_data() for finding in self.findings],
        }


def outcome_of(check: str, title: str, seen: str | Iterable[Finding], seconds: float = 0.0) -> Outcome:
    """The outcome of a check that looked: what it saw where nothing is wrong, else what it found."""
    if isinstance(seen, str):
        return Outcome(check, title, "passed", seen, (), seconds)
    findings = tuple(in_order(seen))
    if not findings:
        raise ValueError(f"{check} says neither what it saw nor what it found")
    state: State = "failed" if any(item.severity == "error" for item in findings) else "warned"
    more = f", and {len(findings) - 1} more" if len(findings) > 1 else ""
    worst = min(findings, key=lambda item: item.severity != "error")
    return Outcome(check, title, state, f"{worst.subject}: {worst.evidence}{more}", findings, seconds)


@dataclass(frozen=True)
class Report:
    """One run of checks over one stack."""

    command: str
    """The verb, such as `doctor`."""

    stack: str
    outcomes: tuple[Outcome, ...]
    facts: Mapping[str, str] = field(default_factory=dict)
    """What else a reader wants to know, such as versions: label and value."""

    began: datetime = field(default_factory=lambda: datetime.now(timezone.utc))
    seconds: float = 0.0

    @property
    def findings(self) -> list[Finding]:
        """Findings of all checks, in order."""
        return in_order(finding for outcome in self.outcomes for finding in outcome.findings)

    def counted(self) -> dict[State, int]:
        """Number of checks by state, those that there are."""
        found = {state: sum(outcome.state == state for outcome in self.outcomes) for state in STATES}
        return {state: count for state, count in found.items() if count}

    @property
    def verdict(self) -> str:
        """Counts of checks, such as `1 failed, 2 could not be checked, 17 passed`."""
        return ", ".join(f"{count} {STATES[state]}" for state, count in self.counted().items())

    @property
    def is_good(self) -> bool:
        """Whether every check that could fail was made and passed, warnings aside."""
        return not {"failed", "notChecked"} & self.counted().keys()

    def exit_code(self, *, strict: bool = False) -> int:
        """0 when nothing failed; 1 when something did; with `strict` also on warnings and on what could not
        be checked (UX-2)."""
        states = self.counted().keys()
        return 1 if "failed" in states or (strict and {"warned", "notChecked"} & states) else 0

    def to_data(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "command": self.command,
            "stack": self.stack,
            "began": self.began.isoformat(timespec="seconds"),
            "seconds": round(self.seconds, 3),
            "verdict": self.verdict,
            "facts": dict(self.facts),
            "checks": [outcome.to_data() for outcome in self.outcomes],
        }
