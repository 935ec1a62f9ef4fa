"""Controls of compliance frameworks: how one is written, and the list of all.

Rows: SOC 2 (Trust Services Criteria 2017), GDPR (Regulation (EU) 2016/679), HIPAA (45 CFR part 164), as far
as the compliance guide names them. A control is a rule between settings that holds only where one
of its frameworks is chosen; policies and questions to live systems that show the same stand beside it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

from madeploy.rules.model import RULES, SecretNames, Violation, rule
from madeploy.settings.compliance import Framework
from madeploy.settings.environment import Environment

TITLES: Final[Mapping[Framework, str]] = {"soc2": "SOC 2", "gdpr": "GDPR", "hipaa": "HIPAA"}

AUDIT_DAYS: Final[Mapping[Framework, int]] = {"soc2": 365, "hipaa": 2190}
"""Days that audit logs are kept (compliance guide: 12 months, 6 years; 45 CFR 164.316(b)(2)(i))."""

Question = Literal["buckets", "audit-bucket", "eks-secrets", "eks-audit", "doors"]
"""What is asked of live systems (`madeploy.compliance.live`)."""

Chosen = frozenset[Framework]
ControlCheck = Callable[[Environment, Chosen], Iterator[Violation]]


def cited(clauses: Mapping[Framework, str], chosen: Chosen) -> str:
    """Clauses in the chosen frameworks, `SOC 2 CC6.1, HIPAA 164.312(d)`."""
    return ", ".join(f"{TITLES[name]} {clause}" for name, clause in clauses.items() if name in chosen)


@dataclass(frozen=True)
class Control:
    """One control, whatever frameworks ask for it."""

    name: str
    title: str
    clauses: Mapping[Framework, str]
    """Where each framework asks for it."""

    settings: tuple[str, ...]
    """Dotted settings that decide it."""

    objects: tuple[str, ...] = ()
    """Kinds of the objects that carry it out."""

    policies: tuple[str, ...] = ()
    """Codes of the policies that look at these."""

    questions: tuple[Question, ...] = ()
    code: str | None = None
    """Code of its rule between settings; None where only objects show it."""


CONTROLS: Final[list[Control]] = []
"""Every control, filled as `madeploy.rules.compliance` is imported."""


@dataclass(frozen=True)
class Manual:
    """A control that only people can show."""

    name: str
    title: str
    clauses: Mapping[Framework, str]
    evidence: str
    """What an auditor is shown."""


def control(code: str, made: Control, reads: tuple[str, ...]) -> Callable[[ControlCheck], ControlCheck]:
    """Register a control whose rule reads these sections. The rule's findings name the control."""

    def register(check: ControlCheck) -> ControlCheck:
        CONTROLS.append(replace(made, code=code))

        @functools.wraps(check)
        def run(env: Environment, _: SecretNames) -> Iterator[Violation]:
            chosen = frozenset(env.compliance.frameworks) & made.clauses.keys()
            if chosen:
                clauses = cited(made.clauses, chosen)
                for found in check(env, chosen):
                    yield replace(found, evidence=f"{found.evidence} ({made.name}: {clauses})")

        rule(code, reads=("compliance", *reads))(run)
        return check

    return register


def longest(chosen: Chosen) -> int:
    """Days that audit logs are kept for every chosen framework."""
    return max((days for name, days in AUDIT_DAYS.items() if name in chosen), default=0)


def of_policies(environment: Environment) -> dict[str, str]:
    """Controls that a policy's violation breaks in an environment, with their clauses, by the policy's code;
    none unless a framework that asks for them is chosen."""
    chosen = frozenset(environment.compliance.frameworks)
    found: dict[str, list[str]] = {}
    for item in CONTROLS:
        if chosen & item.clauses.keys():
            for code in item.policies:
                found.setdefault(code, []).append(f"{item.name}: {cited(item.clauses, chosen)}")
    return {code: "; ".join(controls) for code, controls in found.items()}


def violations(kept: Control, environment: Environment) -> Iterator[Violation]:
    """What a control's rule finds; nothing where it has none, or no framework that asks for it is chosen."""
    for item in RULES:
        if kept.code is not None and kept.code in item.codes:
            yield from item.check(environment, {})
