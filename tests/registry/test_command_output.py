"""What the commands say on the way."""

from __future__ import annotations

import pytest

from madeploy.cli.models import access
from madeploy.cli.output import columns


def test_reading_many_models_says_how_many_it_has_read(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """UX-2: beside the output, and only when it takes a while."""
    assert list(access.counted(range(3), "models read")) == [0, 1, 2]
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr(access, "PROGRESS_SECONDS", -1.0)
    assert list(access.counted(range(2), "models read")) == [0, 1]
    assert capsys.readouterr() == ("", "1 models read ...\n2 models read ...\n")


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    """UX-2."""
    assert columns(("A", "LONG"), [("xyz", "1"), ("", "2")]) == "A    LONG\nxyz  1\n     2\n"
