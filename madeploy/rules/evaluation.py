"""Rules run on an environment: their violations as findings with places."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from madeploy.documents.source import Source
from madeploy.findings import Finding, find
from madeploy.names.configuration import subject
from madeploy.rules import RULES
from madeploy.rules.model import SecretNames
from madeploy.settings import Environment

_UNKNOWN: Final = frozenset({"MA120"})
"""Codes for keys that nobody knows: their values are not shown."""


def evaluate(
    environment: Environment, secret_names: SecretNames, valid: frozenset[str], source: Source, stack: str
) -> Iterator[Finding]:
    """Findings of every rule whose sections are all in `valid`; `stack` is the stack's name."""
    for item in RULES:
        if valid.issuperset(item.sections):
            asked = (stack,) if item.named else ()
            violations = list(item.check(environment, secret_names, *asked))
            for found in violations:
                if found.code in _UNKNOWN:
                    source.hide_at(found.path)
            for found in violations:
                yield find(
                    found.code,
                    subject(found.path),
                    found.evidence,
                    fix=found.fix,
                    accepted=found.accepted,
                    why=found.why,
                    severity=found.severity,
                    location=source.at(found.path, key=found.key),
                )
