"""What a person reads about checks names every check and every code."""

from __future__ import annotations

import re
from pathlib import Path

from madeploy.doctor.after import checks_after
from madeploy.doctor.before import checks_before
from madeploy.doctor.checklist import ROWS
from madeploy.findings import CODES
from madeploy.findings.codes.after import AFTER
from madeploy.findings.codes.before import BEFORE
from tests.support import faults_shown
from tests.support.environments import production_aws
from tests.support.furnished import FurnishedSite

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "checking-environments.md").read_text(encoding="utf-8")
AFTER_PAGE = (DOCS / "verifying-environments.md").read_text(encoding="utf-8")


def checks_named(page: str = PAGE) -> set[str]:
    rows = re.findall(r"^\| (`[^|]+) \|", page.partition("## The checks")[2], re.MULTILINE)
    return {name.partition("/")[0] for row in rows for name in re.findall(r"`([^`]+)`", row)}


def test_every_check_before_an_update_has_its_row() -> None:
    """UX-8: and none that is not made."""
    site = FurnishedSite(production_aws()).site
    made = {check.name.partition("/")[0] for check in checks_before(site, Path("x"), lambda: None)}
    assert checks_named() == made


def test_every_code_before_an_update_is_placed() -> None:
    """UX-8."""
    assert BEFORE.keys() <= set(re.findall(r"MA[0-9]{3}", PAGE))


def test_every_check_after_an_update_has_its_row() -> None:
    """UX-8, NET-15: the nine rows of the network guide among them."""
    site = FurnishedSite(production_aws()).site
    made = {check.name for check in checks_after(site, lambda: None)} | {"pods/control-plane"}
    assert checks_named(AFTER_PAGE) == {name.partition("/")[0] for name in made}
    rows = re.findall(r"^\| ([1-9]) \| (.+?) \|", AFTER_PAGE, re.MULTILINE)
    assert [(int(number), title) for number, title in rows] == list(enumerate(ROWS, 1))


def test_every_code_after_an_update_is_placed() -> None:
    """UX-8."""
    assert AFTER.keys() <= set(re.findall(r"MA[0-9]{3}", AFTER_PAGE))


def test_every_code_has_a_fault_that_finds_it() -> None:
    """UX-8: by a test of this folder that names it."""
    here = Path(__file__).parent
    tests = "".join(path.read_text(encoding="utf-8") for path in here.glob("*.py") if path != Path(__file__))
    assert {code for code in (*BEFORE, *AFTER) if code not in tests} == set()


def test_faults_and_the_tests_that_clear_them_are_written_down() -> None:
    """UX-8, OPS-8, MR-10, REG-11: `python -m tests.support.faults_shown` writes the page."""
    assert faults_shown.PAGE.read_text(encoding="utf-8") == faults_shown.page()


def test_every_code_has_a_test_that_clears_it() -> None:
    """UX-8, UX-3, OPS-8: what is open is said by name, with why."""
    shown = faults_shown.cleared()
    assert {code for code in faults_shown.codes() if code not in shown} == faults_shown.OPEN.keys()
    assert shown.keys() <= CODES.keys()
    assert len([code for code in faults_shown.codes() if code in shown]) >= 70
