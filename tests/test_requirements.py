"""The page of requirements tells the truth about the tests."""

from __future__ import annotations

from tests.support.requirements import PAGE, TITLES, ids_in, named_tests, page


def test_the_page_of_requirements_is_up_to_date() -> None:
    """UX-3: `python -m tests.support.requirements` writes it."""
    assert PAGE.read_text(encoding="utf-8") == page()


def test_tests_name_only_requirements_that_exist() -> None:
    """UX-3: a misspelt id would leave its row open unnoticed."""
    assert named_tests().keys() <= TITLES.keys()


def test_a_range_of_ids_names_each_of_them() -> None:
    """UX-3."""
    assert ids_in("CP-1 to CP-3, NET-9.") == {"CP-1", "CP-2", "CP-3", "NET-9"}
