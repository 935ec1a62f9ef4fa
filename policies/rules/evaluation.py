"""Runs rules over resources, and takes out what is suppressed."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from .model import EVERY_KIND, Resource, Rule, Severity, Tier, Violation
from .suppressions import Suppression, from_annotations


@dataclass(frozen=True)
class Found:
    """One violation of one rule by one resource."""

    rule: Rule
    resource: Resource
    violation: Violation
    severity: Severity


@dataclass
class Outcome:
    """Result of an evaluation, after suppressions."""

    found: list[Found] = field(default_factory=list)
    suppressed: list[tuple[Found, Suppression]] = field(default_factory=list)
    expired: list[Suppression] = field(default_factory=list)
    """Suppressions past their day that something still needs; what they hid is in `found`."""

    unused: list[Suppression] = field(default_factory=list)
    """Suppressions that hide nothing."""

    malformed: list[tuple[Resource, str, str]] = field(default_factory=list)
    """Annotations that should suppress and cannot be read: resource, key, what is wrong."""


def check(rules: Iterable[Rule], resources: Sequence[Resource], tier: Tier) -> Iterator[Found]:
    """Every violation, rule by rule, kind by kind, in the order of the resources. Rules without weight in
    the tier are left out."""
    by_kind: dict[str, list[Resource]] = defaultdict(list)
    for resource in resources:
        by_kind[resource.kind].append(resource)
    for rule in rules:
        severity = getattr(rule.severities, tier)
        if severity is None:
            continue
        kinds = by_kind if EVERY_KIND in rule.kinds else sorted(rule.kinds)
        chosen = [
            item
            for kind in kinds
            for item in by_kind.get(kind, ())
            if item.origin in rule.origins and rule.looks_at(item.token)
        ]
        if rule.check is not None:
            for resource in chosen:
                for violation in rule.check(resource):
                    yield Found(rule, resource, violation, severity)
        if rule.check_set is not None:
            clusters: dict[str, list[Resource]] = defaultdict(list)
            for resource in chosen:
                clusters[resource.cluster].append(resource)
            for together in clusters.values():
                for resource, violation in rule.check_set(together):
                    yield Found(rule, resource, violation, severity)


def evaluate(
    rules: Sequence[Rule],
    resources: Sequence[Resource],
    tier: Tier,
    suppressions: Iterable[Suppression] = (),
    today: datetime.date | None = None,
) -> Outcome:
    """Check everything and sort out what is suppressed, by the list given or by the resources' own
    annotations. A suppression holds through its last day (UTC)."""
    day = today or datetime.datetime.now(datetime.timezone.utc).date()
    outcome = Outcome()
    general = list(suppressions)
    own: dict[int, list[Suppression]] = {}
    for resource in resources:
        read, wrong = from_annotations(resource)
        outcome.malformed += [(resource, key, said) for key, said in wrong]
        if read:
            own[id(resource)] = read
    needed: set[int] = set()
    for found in check(rules, resources, tier):
        fitting = [
            item
            for item in (*own.get(id(found.resource), ()), *general)
            if item.covers(found.rule, found.resource)
        ]
        needed.update(map(id, fitting))
        valid = next((item for item in fitting if item.expires >= day), None)
        if valid is None:
            outcome.found.append(found)
        else:
            outcome.suppressed.append((found, valid))
    for item in (*(one for several in own.values() for one in several), *general):
        if id(item) not in needed:
            outcome.unused.append(item)
        elif item.expires < day:
            outcome.expired.append(item)
    return outcome
