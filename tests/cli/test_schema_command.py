"""`madeploy schema`."""

from __future__ import annotations

from pathlib import Path

import pytest

from madeploy.cli import schema
from tests.cli.conftest import Run


def test_files_are_written_and_then_up_to_date(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CARD-5: `--check` says what is out of date and ends with 1; writing mends it."""
    (tmp_path / "docs").mkdir()
    monkeypatch.setattr(schema, "ROOT", tmp_path)
    missing = run("schema", "--check")
    assert missing.exit_code == 1
    assert "docs/configuration.md is out of date" in missing.output
    written = run("schema")
    assert written.exit_code == 0
    assert written.stdout.splitlines() == list(schema.generated())
    assert run("schema", "--check").exit_code == 0
