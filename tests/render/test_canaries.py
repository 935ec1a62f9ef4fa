"""No command shows a secret: canaries in every place for one, looked for in everything that comes out."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.canaries import COMMANDS, canary, forms, planted, seen

pytestmark = pytest.mark.whole


@pytest.mark.parametrize("encrypted", [True, False], ids=["encrypted", "in plain text"])
def test_no_command_shows_a_secret(tmp_path: Path, encrypted: bool) -> None:
    """S2, UX-3, CARD-4: neither in what it prints nor in what it writes, whether the stack is right or its
    secrets stand there in plain text."""
    stack = planted(tmp_path / "stack", encrypted=encrypted)
    found: dict[str, list[str]] = {}
    for number, (name, arguments) in enumerate(COMMANDS.items()):
        out = tmp_path / f"out-{number}"
        out.mkdir()
        text = stack.run(*arguments, out=out)
        assert text.strip(), f"{name} has shown nothing that could be searched"
        if hits := seen(text, stack.values):
            found[name] = hits
    assert found == {}


@pytest.mark.parametrize("form", forms(canary("x")))
def test_each_form_of_a_secret_would_be_found(form: str) -> None:
    """S2: so that the test above can fail; within other text, broken into lines."""
    values = {"place": canary("x"), "other": canary("y")}
    text = forms(values["place"])[form]
    half = len(text) // 2
    assert f"place: {form}" in seen(f"xx{text[:half]}\n  {text[half:]}xx", values)


def test_there_are_sixteen_forms_and_more() -> None:
    """S2: all different."""
    assert len(set(forms(canary("x")).values())) >= 16


def test_a_secret_in_plain_text_is_refused(tmp_path: Path) -> None:
    """CARD-5, UX-3: so that the search above searches refusals too."""
    stack = planted(tmp_path / "stack", encrypted=False)
    (tmp_path / "out").mkdir()
    text = stack.run("validate", "{stack}", out=tmp_path / "out")
    assert "MA501" in text
