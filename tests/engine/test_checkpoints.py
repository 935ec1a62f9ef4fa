"""States that were cut off while they were written."""

from __future__ import annotations

from pathlib import Path

import pytest

from madeploy.engine.checkpoints import restore

WHOLE, BEFORE = '{"version": 3}', '{"version": 3, "before": true}'


def _stack(backend: Path, state: str | None, before: str | None) -> Path:
    folder = backend / ".pulumi" / "stacks" / "michelangelo"
    folder.mkdir(parents=True)
    for name, text in (("prod.json", state), ("prod.json.bak", before)):
        if text is not None:
            (folder / name).write_text(text, encoding="utf-8")
    return folder / "prod.json"


@pytest.mark.parametrize("cut", ["", '{"version": 3, "check', "\0\0\0"])
def test_a_state_that_was_cut_off_becomes_the_one_before(tmp_path: Path, cut: str) -> None:
    """REG-9, UX-1: an engine that is killed while it writes leaves an empty or a half file."""
    state = _stack(tmp_path, cut, BEFORE)
    assert restore(tmp_path, "michelangelo", "prod")
    assert state.read_text(encoding="utf-8") == BEFORE
    assert not restore(tmp_path, "michelangelo", "prod")


@pytest.mark.parametrize(
    ("state", "before"), [(WHOLE, BEFORE), (WHOLE, ""), ("", None), ("", "{"), (None, BEFORE)]
)
def test_nothing_else_is_touched(tmp_path: Path, state: str | None, before: str | None) -> None:
    """UX-6: a whole state, a stack that is not there, or one whose last state is no better."""
    path = _stack(tmp_path, state, before)
    assert not restore(tmp_path, "michelangelo", "prod")
    assert (path.read_text(encoding="utf-8") if path.exists() else None) == state
