"""Exceptions from rules: each for one rule, some objects, a reason and a last day."""

from __future__ import annotations

import datetime
import fnmatch
from dataclasses import dataclass
from typing import Final

from .model import Resource, Rule, mapping

ANNOTATION: Final = "suppress.michelangelo.infra/"
"""Start of an annotation's key; a rule's name follows. Its value is `YYYY-MM-DD reason`."""

MIN_REASON: Final = 10
"""Characters of a reason; shorter ones say nothing."""


@dataclass(frozen=True)
class Suppression:
    """One exception."""

    rule: str
    """Name or code of the rule."""

    object: str
    """`Kind/namespace/name`, with `*` for any text; `Kind/name` without a namespace."""

    reason: str
    expires: datetime.date
    """Last day it holds."""

    source: str
    """Where it is written, for messages."""

    def covers(self, rule: Rule, resource: Resource) -> bool:
        """Whether it is about this rule and this resource."""
        return self.rule in (rule.name, rule.code) and fnmatch.fnmatchcase(resource.subject, self.object)


def day(text: str) -> datetime.date:
    """The day of `YYYY-MM-DD`. Raises ValueError for anything else."""
    if len(text) != len("YYYY-MM-DD"):
        raise ValueError(f"{text!r} is not a date as YYYY-MM-DD")
    return datetime.date.fromisoformat(text)


def from_annotations(resource: Resource) -> tuple[list[Suppression], list[tuple[str, str]]]:
    """Suppressions in a resource's annotations, and `(key, what is wrong)` of those that cannot be read."""
    read: list[Suppression] = []
    wrong: list[tuple[str, str]] = []
    for key, value in mapping(resource.metadata.get("annotations")).items():
        if not str(key).startswith(ANNOTATION):
            continue
        name = str(key).removeprefix(ANNOTATION)
        date, _, reason = str(value).strip().partition(" ")
        try:
            expires = day(date)
        except ValueError:
            wrong.append((key, "does not start with a date as YYYY-MM-DD"))
            continue
        if len(reason.strip()) < MIN_REASON:
            wrong.append((key, f"gives no reason of at least {MIN_REASON} characters after the date"))
            continue
        read.append(Suppression(name, resource.subject, reason.strip(), expires, resource.subject))
    return read, wrong
