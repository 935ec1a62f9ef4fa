"""A sentence about a change, and how lists are written in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from madeploy.plan.changes import Identity

Level = Literal["refused", "loss", "outage", "notice", "quiet"]
"""`refused`: the update cannot be done; `loss`: data or access is gone; `outage`: users are cut off or slowed
down for a while; `notice`: something for the operator to do or to know; `quiet`: nobody notices."""

LEVELS: Final[tuple[Level, ...]] = ("refused", "loss", "outage", "notice", "quiet")
SHOWN = 3
"""Names that a sentence lists before it counts the rest."""


@dataclass(frozen=True)
class Sentence:
    """One consequence of a change."""

    level: Level
    text: str
    about: tuple[Identity, ...] = ()
    """Objects whose changes it explains."""


def listed(items: Iterable[Any], shown: int = SHOWN) -> str:
    """`a`, `a and b`, `a, b and c`, `a, b, c and 4 more`."""
    texts: Sequence[str] = [str(item) for item in dict.fromkeys(items)]
    if len(texts) > shown + 1:
        texts = [*texts[:shown], f"{len(texts) - shown} more"]
    if len(texts) < 2:
        return "".join(texts)
    return f"{', '.join(texts[:-1])} and {texts[-1]}"


def is_or_are(items: Sequence[Any]) -> str:
    """The verb that goes with a list of things."""
    return "is" if len(items) == 1 else "are"


def capital(text: str) -> str:
    """The text with a capital first letter."""
    return text[:1].upper() + text[1:]


def count(number: int, one: str, many: str | None = None) -> str:
    """`1 pod`, `2 pods`."""
    return f"{number} {one if number == 1 else many or one + 's'}"
