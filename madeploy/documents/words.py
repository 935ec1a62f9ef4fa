"""Values and names in words for people, and suggestions for misspelt ones."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Any, Final

_NAMED: Final = {"\t": "<tab>"}


def printable(text: str) -> str:
    """Text without what a terminal would obey or hide; other scripts stay readable."""
    shown = "".join(c if c.isprintable() else _NAMED.get(c, f"<U+{ord(c):04X}>") for c in text[:200])
    return shown if len(text) <= 200 else shown + "…"


def type_name(value: Any) -> str:
    """What a value is, in words of the file."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, (int, float)):
        return "a number"
    if isinstance(value, str):
        return "text"
    return "a mapping" if isinstance(value, dict) else "a list"


def near(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate that was probably meant, spelling and case forgiven; None when none is near."""
    by_fold = {candidate.replace("_", "").lower(): candidate for candidate in candidates}
    folded = word.replace("_", "").replace("-", "").lower()
    if folded in by_fold:
        return by_fold[folded]
    found = difflib.get_close_matches(folded[:100], by_fold, n=1, cutoff=0.65)
    if found:
        return by_fold[found[0]]
    starts = [candidate for candidate in by_fold if len(folded) > 2 and candidate.startswith(folded)]
    if starts:
        return by_fold[starts[0]]
    parts = [candidate for candidate in by_fold if len(candidate) > 2 and candidate in folded]
    return by_fold[max(parts, key=len)] if parts else None


def did_you_mean(word: str, candidates: Sequence[str]) -> str:
    """`Did you mean "…"?` and a space after it, or nothing."""
    guess = near(word, candidates)
    return f'Did you mean "{guess}"? ' if guess is not None else ""
