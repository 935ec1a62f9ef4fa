"""Symptoms: what lines of logs, events and error messages tell, as findings (docs/troubleshooting.md)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from madeploy.findings.model import Finding
from madeploy.findings.symptoms.cluster import CLUSTER
from madeploy.findings.symptoms.network import NETWORK
from madeploy.findings.symptoms.registration import REGISTRATION
from madeploy.findings.symptoms.registry import REGISTRY
from madeploy.findings.symptoms.services import SERVICES
from madeploy.findings.symptoms.symptom import Symptom, Where

SYMPTOMS: Final = (*REGISTRY, *REGISTRATION, *NETWORK, *SERVICES, *CLUSTER)
"""Every symptom, the guides' rows first. Of several that one line shows, the first is told."""

LONGEST_LINE: Final = 4000
"""Characters of a line that are looked at; a log may hold anything."""


def told_by(line: str) -> tuple[Symptom, dict[str, str]] | None:
    """The symptom that a line shows, and the words of its cause; None where it shows none."""
    shown = line[:LONGEST_LINE].strip()
    for symptom in SYMPTOMS:
        words = symptom.match(shown)
        if words is not None:
            return symptom, words
    return None


def diagnosed(lines: Iterable[str], where: Where, subject: str = "line") -> Iterator[Finding]:
    """A finding for each cause that lines tell, with the first line that does."""
    seen: set[tuple[str, str]] = set()
    for number, line in enumerate(lines, 1):
        told = told_by(line)
        if told is None:
            continue
        symptom, words = told
        finding = symptom.finding(f"{subject} {number}", words, where)
        if (finding.code, finding.evidence) not in seen:
            seen.add((finding.code, finding.evidence))
            yield finding


__all__ = ["SYMPTOMS", "Symptom", "Where", "diagnosed", "told_by"]
