"""Faults and the tests that bring them about, find and clear them: `docs/faults.md` is written from both.

`python -m tests.support.faults_shown` writes the page; a test fails when it is out of date.
"""

from __future__ import annotations

import importlib
import inspect
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from madeploy.findings import CODES
from madeploy.findings.codes.after import AFTER
from madeploy.findings.codes.before import BEFORE
from madeploy.findings.codes.symptoms import SYMPTOMS as TOLD
from madeploy.findings.symptoms import SYMPTOMS

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "faults.md"
TOLD_BY = "tests/findings/test_symptoms.py::test_a_line_as_it_is_printed_leads_to_its_cause"

OPEN = {
    "MA993": "a container that runs: there is none",
}
"""Codes whose printed fix is not typed by a test, with why."""

_HEAD = """# Faults that are shown

Every code of `doctor`, `verify`, `diagnose` and `accept`, and the test that brings its fault about, finds it
by this code, does what the finding prints to the letter, and finds it no more: commands are typed as they
stand, and where a fix is an edit of the stack file or an act of somebody else, the test performs it. What is
played in such a test stands at the head of its file. Written by `python -m tests.support.faults_shown`.
"""


def cleared() -> dict[str, list[str]]:
    """Tests with the mark `@clears`, by code."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        if "@clears(" in path.read_text(encoding="utf-8"):
            where = path.relative_to(ROOT)
            for name, codes in _marks(".".join(where.with_suffix("").parts)):
                for code in codes:
                    found[code].append(f"{where.as_posix()}::{name}")
    return {code: sorted(set(tests)) for code, tests in found.items()}


def _marks(module: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name, function in inspect.getmembers(importlib.import_module(module), inspect.isfunction):
        for mark in getattr(function, "pytestmark", ()):
            if mark.name == "clears":
                yield name, mark.args


def codes() -> list[str]:
    """Every code that has to be shown: of whole environments, and of rows of the guides' tables."""
    return sorted({*BEFORE, *AFTER, *TOLD, *(symptom.code for symptom in SYMPTOMS)})


def page() -> str:
    """The whole page."""
    shown = cleared()
    lines = [_HEAD, "## Rows of the guides", "", "| Row | Code | Told by | Cleared by |", "|---|---|---|---|"]
    for symptom in SYMPTOMS:
        told = f"`{TOLD_BY}[{symptom.code}-{symptom.row}]`"
        lines.append(f"| {symptom.row} | {_link(symptom.code)} | {told} | {_tests(shown, symptom.code)} |")
    lines += ["", "## Codes", "", "| Code | Fault | Found and cleared by |", "|---|---|---|"]
    lines += [f"| {_link(code)} | {CODES[code].title} | {_tests(shown, code)} |" for code in codes()]
    return "\n".join(lines) + "\n"


def _link(code: str) -> str:
    return f"[{code}](findings.md#{code.lower()})"


def _tests(shown: dict[str, list[str]], code: str) -> str:
    if code in OPEN:
        return f"open: {OPEN[code]}"
    return "<br>".join(f"`{test}`" for test in shown.get(code, ()))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
