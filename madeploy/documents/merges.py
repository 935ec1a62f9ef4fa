"""Conflict markers of `git merge`."""

from __future__ import annotations

import re
from typing import Final

from madeploy.documents.problems import Problem

_MARKER: Final = re.compile(rb"(?m)^(<{7}|>{7}|\|{7}|={7})(?=[ \r\n]|\Z)")
_FOLLOWS: Final = {b"<<<<<<<": "begins", b">>>>>>>": "ends"}


def unresolved_merge(content: bytes) -> Problem | None:
    """The first line that `git merge` left where two sides disagree; None for a text without such lines.

    A line of seven equals signs or bars alone may be text; the two others stand at the start of no line that
    YAML or JSON could have.
    """
    found = list(_MARKER.finditer(content))
    if not {marker[1] for marker in found} & set(_FOLLOWS):
        return None
    first = found[0]
    line = content.count(b"\n", 0, first.start())
    word = _FOLLOWS.get(first[1], "goes on")
    return Problem(
        "MA104",
        line,
        0,
        f"an unresolved merge {word} here ({first[1].decode()}): the file holds two versions of these lines",
        "Keep what is right of both versions, and delete the lines that start with <<<<<<<, |||||||, ======= "
        "and >>>>>>>; `git diff --check` lists all of them.",
    )
