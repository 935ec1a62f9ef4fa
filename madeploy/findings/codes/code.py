"""Codes of findings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Code:
    """Title, reason, advice and severity of a code's findings."""

    title: str
    """One line, true of every finding of the code."""

    why: str
    """Why it matters, for findings that say nothing more particular."""

    fix: str
    """What to do, for findings that say nothing more particular."""

    severity: Literal["error", "warning", "info"] = "error"
    """Severity unless the finding says otherwise."""
