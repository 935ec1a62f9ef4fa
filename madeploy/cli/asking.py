"""Lengths of time as they are typed, and the question before something is done."""

from __future__ import annotations

import re
import sys
from typing import Final

import typer

from madeploy.errors import UsageError

_LENGTH: Final = re.compile(r"(?P<number>[0-9]{1,5})(?P<unit>[smhd]?)")
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def limit_of(text: str) -> float:
    """Seconds of a limit, `30m` or `90`. Raises UsageError."""
    found = _LENGTH.fullmatch(text)
    if found is None or found["unit"] == "d":
        raise UsageError(
            f"{text!r} is no length of time", "a number and s, m or h are expected", "such as 30m"
        )
    return float(int(found["number"]) * _UNITS[found["unit"] or "s"])


def age_of(text: str) -> float:
    """Seconds of an age, `90d`. Raises UsageError."""
    found = _LENGTH.fullmatch(text)
    if found is None or found["unit"] in ("", "s"):
        raise UsageError(
            f"{text!r} is no age", "an age is a number and m, h or d", "such as --older-than 90d"
        )
    return float(int(found["number"]) * _UNITS[found["unit"]])


def confirm(question: str) -> None:
    """Ask before something is done. Raises UsageError where nobody can answer."""
    if not sys.stdin.isatty():
        raise UsageError("nothing was done", "the command asks before it begins", "say --yes, or --dry-run")
    typer.confirm(question, abort=True, err=True)
