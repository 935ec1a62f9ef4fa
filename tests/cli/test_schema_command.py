"""`madeploy schema`."""

from __future__ import annotations

from pathlib import Path

import pytest

from madeploy.cli import schema
from madeploy.errors import ToolkitError
from tests.cli.conftest import Run


def written_by_people(root: Path) -> None:
    """Documents without what is generated of them."""
    for name in schema.generated():
        head, mark, _ = (schema.ROOT / name).read_text(encoding="utf-8").partition(schema.MARK)
        (root / name).parent.mkdir(exist_ok=True)
        if mark:
            (root / name).write_text(head + mark, encoding="utf-8")


def test_files_are_written_and_then_up_to_date(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CARD-5: `--check` says what is out of date and ends with 1; writing mends it."""
    written_by_people(tmp_path)
    monkeypatch.setattr(schema, "ROOT", tmp_path)
    missing = run("schema", "--check")
    assert missing.exit_code == 1
    assert "docs/configuration.md is out of date" in missing.output
    written = run("schema")
    assert written.exit_code == 0
    assert written.stdout.splitlines() == list(schema.generated())
    assert run("schema", "--check").exit_code == 0


def test_what_people_wrote_of_a_document_stays_and_is_never_guessed(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CARD-5: its own text ends at the mark; without one nothing is written."""
    written_by_people(tmp_path)
    monkeypatch.setattr(schema, "ROOT", tmp_path)
    page = tmp_path / "docs/findings.md"
    page.write_text(f"# Our own words\n\n{schema.MARK}\nold\n", encoding="utf-8")
    assert run("schema").exit_code == 0
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"# Our own words\n\n{schema.MARK}\n\n## MA")
    assert "\nold\n" not in text
    page.write_text("# No mark\n", encoding="utf-8")
    assert isinstance(run("schema").exception, ToolkitError)
    assert page.read_text(encoding="utf-8") == "# No mark\n"
