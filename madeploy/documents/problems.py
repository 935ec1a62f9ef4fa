"""Syntax problems of a YAML text, in words, at the place a person has to look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import yaml


@dataclass(frozen=True)
class Problem:
    """A problem at one place of a text. Line and column count from 0."""

    code: str
    line: int
    column: int
    evidence: str
    fix: str = ""


_UNCLOSED: Final = {
    "did not find expected ',' or ']'": "the list that is opened with [ here is not closed",
    "did not find expected ',' or '}'": "the mapping that is opened with { here is not closed",
    "found unexpected end of stream": "the quote that is opened here is not closed",
}
"""libyaml's complaints that are best shown where the bracket or quote was opened."""

_COMPLAINTS: Final = {
    "found character that cannot start any token": (
        "a tab stands where indentation or a value is expected, or the value starts with one of @ ` %",
        "Indent with spaces; put a value that starts with such a character in quotes.",
    ),
    "found a tab character that violates indentation": (
        "a tab is used for indentation, which YAML does not allow",
        "Indent with spaces.",
    ),
    "could not find expected ':'": ("a key without a colon after it", "Write `key: value`."),
    "did not find expected key": (
        "a key is expected here; the line is indented otherwise than its neighbours, or a quote or "
        "bracket above is not closed",
        "Align it with the keys beside it.",
    ),
    "did not find expected '-' indicator": (
        "a list item is expected here; the line is indented like a list but starts with no `- `",
        "Align it with the items above, or indent it less.",
    ),
    "mapping values are not allowed in this context": (
        "a colon followed by a space is not allowed here",
        "Put text that holds `: ` in quotes; or add the colon that is missing on the line above.",
    ),
    "block sequence entries are not allowed in this context": (
        "a list item is not allowed here",
        "Start the list on a line of its own; put a text that is `-` in quotes.",
    ),
}


def from_error(error: yaml.YAMLError) -> Problem:
    """libyaml's complaint, in words, at the place a person has to look at."""
    said = str(getattr(error, "problem", None) or getattr(error, "reason", None) or "not YAML")
    evidence, fix = _COMPLAINTS.get(said, (said, ""))
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if said in _UNCLOSED and getattr(error, "context_mark", None):
        mark = getattr(error, "context_mark", None)
        evidence, fix = _UNCLOSED[said], "Close it."
    line, column = (mark.line, mark.column) if mark else (0, 0)
    return Problem("MA104", line, column, evidence, fix)
