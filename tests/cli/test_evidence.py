"""`madeploy evidence` as typed by hand, with nobody asked."""

from __future__ import annotations

import json
from pathlib import Path

from madeploy.errors import ToolkitError
from tests.cli.conftest import Run
from tests.support.frameworks import stack
from tests.support.stacks import write


def test_three_files_are_written_and_the_table_printed(run: Run, project: Path) -> None:
    """OPS-4, UX-2."""
    write(project / "stacks", stack("soc2", clusters={}))
    result = run("evidence", "prod", "-o", "out")
    assert result.exit_code == 0, result.output
    assert "SOC 2 of prod: " in result.stdout
    assert "configured  encryption-at-rest" in result.stdout
    assert "manual      second-factor" in result.stdout
    assert sorted(path.suffix for path in (project / "out").iterdir()) == [".csv", ".html", ".json"]
    data = json.loads(run("evidence", "prod", "--json").stdout)
    assert data["frameworks"] == ["SOC 2"]
    assert data["asked"] is False


def test_a_control_that_settings_break_is_shown_as_failed(run: Run, project: Path) -> None:
    """OPS-4, UX-2: though `validate` refuses the stack for it."""
    plain = {"engine": "temporal", "host": "temporal.example.com:7233"}
    write(project / "stacks", stack("soc2", workflow=plain, clusters={}))
    refused = run("validate", "prod")
    assert refused.exit_code != 0
    assert "encryption-in-transit: SOC 2 CC6.7" in refused.output
    result = run("evidence", "prod")
    assert result.exit_code == 1, result.output
    assert "failed      encryption-in-transit" in result.stdout
    assert "workflow.tls is false" in result.stdout


def test_policies_weigh_as_in_production_whatever_the_tier(run: Run, project: Path) -> None:
    """OPS-4: a floating tag, which development may have, fails the control."""
    loose = stack("soc2", clusters={}, platform={"tier": "development"}, images={"tag": "main"})
    write(project / "stacks", loose)
    assert "failed      images-pinned" in run("evidence", "prod").stdout


def test_a_stack_that_is_wrong_otherwise_has_no_evidence(run: Run, project: Path) -> None:
    """OPS-4, UX-3."""
    write(project / "stacks", stack("soc2", clusters={}, domains={"api": "API", "app": "app.example.com"}))
    assert isinstance(run("evidence", "prod").exception, ToolkitError)


def test_a_stack_without_frameworks_is_told_how_to_choose_one(run: Run) -> None:
    """OPS-4, UX-3."""
    result = run("evidence", "prod")
    assert isinstance(result.exception, ToolkitError)
    assert "frameworks: [soc2]" in result.exception.fix
