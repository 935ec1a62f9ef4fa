"""What a person reads about verification names every check and every code."""

from __future__ import annotations

import re
from pathlib import Path

from madeploy.clusters.verification import CHECKS
from madeploy.findings.codes.verification import VERIFICATION
from tests.support.proves import proves

PAGE = (Path(__file__).parents[2] / "docs" / "verifying-clusters.md").read_text(encoding="utf-8")


def test_every_check_has_its_row_in_order() -> None:
    """REG-6."""
    assert tuple(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)) == CHECKS


def test_every_code_is_placed() -> None:
    """REG-11."""
    assert VERIFICATION.keys() <= set(re.findall(r"MA[0-9]{3}", PAGE))


@proves("REG-11")
def test_every_row_of_the_guides_troubleshooting_has_codes() -> None:
    """REG-11: five rows, each with a code of its own."""
    table = PAGE.partition("troubleshooting, by code")[2]
    rows = re.findall(r"^\| (?!Row|--)([^|]+) \| ([^|]+) \|", table, re.MULTILINE)
    assert [row.partition(" (")[0] for row, _ in rows] == [
        "context mismatch",
        "network connectivity",
        "token Secret not populated",
        "API server access",
        "token rotation",
    ]
    first = [re.findall(r"MA[0-9]{3}", codes)[0] for _, codes in rows]
    assert len(set(first)) == len(rows)
