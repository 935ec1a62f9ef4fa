"""Runs rules over resources, and takes out what is suppressed."""

from __future__ import annotations

import datetime
import marshal
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from .model import EVERY_KIND, Origin, Resource, Rule, SetCheck, Severity, Tier, Violation
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
    the tier are left out. What is equal is judged once: clusters of a fleet are given the same objects."""
    classes = _classes(resources)
    first: dict[int, Resource] = {}
    by_kind: dict[str, list[tuple[Resource, int]]] = defaultdict(list)
    by_type: dict[tuple[Origin, str], list[int]] = defaultdict(list)
    for resource, alike in zip(resources, classes, strict=True):
        if alike not in first:
            first[alike] = resource
            by_type[resource.origin, resource.token].append(alike)
        by_kind[resource.kind].append((resource, alike))
    for rule in rules:
        severity = getattr(rule.severities, tier)
        if severity is None:
            continue
        judged = {
            alike
            for (origin, token), members in by_type.items()
            if origin in rule.origins and rule.looks_at(token)
            for alike in members
        }
        kinds = by_kind if EVERY_KIND in rule.kinds else sorted(rule.kinds)
        chosen = ((item, alike) for kind in kinds for item, alike in by_kind.get(kind, ()) if alike in judged)
        if rule.check is not None:
            violations = {alike: list(rule.check(first[alike])) for alike in judged}
            if any(violations.values()):
                for resource, alike in chosen:
                    for violation in violations[alike]:
                        yield Found(rule, resource, violation, severity)
        if rule.check_set is not None:
            for resource, violation in _together(rule.check_set, chosen):
                yield Found(rule, resource, violation, severity)


def _classes(resources: Sequence[Resource]) -> list[int]:
    """A number for each resource, the same for those that are equal in everything but their cluster."""
    numbers: dict[Hashable, int] = {}
    found = []
    for resource in resources:
        data: Any = resource.properties
        try:
            # Version 2 has no references, which would make equal data look different.
            properties: object = marshal.dumps(data, 2)
        except ValueError:
            # No plain data: equal to nothing but itself.
            properties = id(resource)
        said = (resource.token, resource.origin, resource.name, resource.release)
        key = (*said, resource.identity, resource.depends_on, properties)
        found.append(numbers.setdefault(key, len(numbers)))
    return found


def _together(
    check_set: SetCheck, chosen: Iterable[tuple[Resource, int]]
) -> Iterator[tuple[Resource, Violation]]:
    """What is wrong with the resources of each cluster, seen together."""
    clusters: dict[str, list[tuple[Resource, int]]] = defaultdict(list)
    for resource, alike in chosen:
        clusters[resource.cluster].append((resource, alike))
    known: dict[tuple[int, ...], list[tuple[int, Violation]]] = {}
    for members in clusters.values():
        together, classes = [resource for resource, _ in members], tuple(alike for _, alike in members)
        if classes not in known:
            places = {id(resource): place for place, resource in enumerate(together)}
            known[classes] = [(places[id(resource)], wrong) for resource, wrong in check_set(together)]
        for place, violation in known[classes]:
            yield together[place], violation


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
