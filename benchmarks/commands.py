"""Commands under measurement, started in the checkout."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from benchmarks.measure import Command

ROOT = Path(__file__).resolve().parents[1]


def python(*arguments: str | Path, **variables: str) -> Command:
    """This interpreter."""
    argv = (sys.executable, *map(str, arguments))
    return Command(argv, ROOT, {**os.environ, **variables})


def side(name: str, *arguments: str | Path, **variables: str) -> Command:
    """A program of `sides/`."""
    return python("-m", f"benchmarks.sides.{name}", *arguments, **variables)
