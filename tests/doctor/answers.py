"""What one check of an environment comes to."""

from __future__ import annotations

from collections.abc import Callable

from madeploy.doctor.checks import Check, Seen, run
from madeploy.findings.outcomes import Outcome


def look(answer: Callable[[], Seen]) -> Outcome:
    (outcome,) = run("doctor", "prod", [Check("one", "x", answer)], seconds=20).outcomes
    return outcome


def codes(answer: Callable[[], Seen]) -> list[str]:
    return [finding.code for finding in look(answer).findings]
