"""The page of requirements tells the truth about the tests."""

from __future__ import annotations

from tests.support.requirements import PAGE, TITLES, ids_in, named, page, proofs


def test_the_page_of_requirements_is_up_to_date() -> None:
    """UX-3: `python -m tests.support.requirements` writes it."""
    assert PAGE.read_text(encoding="utf-8") == page()


def test_tests_name_only_requirements_that_exist() -> None:
    """UX-3: a misspelt id would leave its row open unnoticed."""
    assert named() | proofs().keys() <= TITLES.keys()


def test_what_is_played_is_said_on_the_page() -> None:
    """UX-3: nobody takes a played part for a real one."""
    played = {proof for tests in proofs().values() for proof in tests if proof.played}
    text = page()
    assert played
    assert all(f"`{proof.test}` (played: {proof.played})" in text for proof in played)


def test_what_every_change_must_pass_shows_every_requirement_that_is_shown() -> None:
    """UX-2: stories of minutes, which `bin/madeploy test --all` adds, show more of it, nothing alone."""
    only_long = [name for name, tests in proofs().items() if all(proof.is_long for proof in tests)]
    assert only_long == []


def test_a_range_of_ids_names_each_of_them() -> None:
    """UX-3."""
    assert ids_in("CP-1 to CP-3, NET-9.") == {"CP-1", "CP-2", "CP-3", "NET-9"}
