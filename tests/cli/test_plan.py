"""`madeploy plan` as typed by hand, without an engine."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from madeploy.errors import ToolkitError
from tests.cli.conftest import Run
from tests.support.stacks import stack_text, write


def _older(project: Path) -> str:
    path = write(project, {"domains": {"api": "api.example.com", "app": "old.example.com"}}, "older")
    return str(path)


def test_two_stack_files_are_compared_without_an_engine(run: Run, project: Path) -> None:
    """UX-4."""
    result = run("plan", "prod", "--from", _older(project))
    assert result.exit_code == 0, result.output
    assert "OUTAGE  old.example.com is no longer answered, app.example.com is instead" in result.stdout
    assert "~ Ingress ma-system/michelangelo-ui" in result.stdout


def test_a_plan_for_a_pull_request_is_markdown_with_the_objects_folded_away(run: Run, project: Path) -> None:
    """UX-4."""
    result = run("plan", "prod", "--from", _older(project), "--format", "markdown")
    lines = result.stdout.splitlines()
    assert lines[0] == "### prod: 5 to update"
    assert lines[2].startswith("- **Outage:** old.example.com is no longer answered")
    assert "<details>" in lines
    assert all(line.count("|") == 5 for line in lines if line.startswith("| `"))


def test_a_plan_is_json_too(run: Run, project: Path) -> None:
    """UX-2, UX-4."""
    data = json.loads(run("plan", "prod", "--from", _older(project), "--json").stdout)
    assert data["summary"] == {"update": 5}
    assert {sentence["level"] for sentence in data["sentences"]} == {"outage", "quiet"}
    assert {change["operation"] for change in data["changes"]} == {"update"}


def test_a_plan_against_itself_is_empty(run: Run) -> None:
    """UX-4."""
    result = run("plan", "prod", "--from", "prod")
    assert result.stdout == "prod: no changes\n\n  -  Nothing changes.\n"


def test_a_rendered_folder_is_compared_with_what_would_be_rendered_now(run: Run, project: Path) -> None:
    """UX-4, CARD-4."""
    stack = project / "stacks" / "Pulumi.prod.yaml"
    cluster = {"first": {"kubeconfigContext": "first", "server": "https://first.example.com:6443"}}
    stack.write_text(stack_text({"clusters": cluster}), encoding="utf-8")
    assert run("render", "prod", "-o", "rendered").exit_code == 0
    assert "no changes" in run("plan", "prod", "--against", "rendered").stdout
    stack.write_text(stack_text(), encoding="utf-8")
    said = run("plan", "prod", "--against", "rendered").stdout
    assert "OUTAGE  first is let go" in said
    assert "No cluster remains" in said


def test_without_the_engine_the_last_render_is_what_a_plan_compares_with(
    run: Run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UX-4, CARD-4: the folder that the settings name."""
    monkeypatch.setenv("PATH", str(project))
    stack = project / "stacks" / "Pulumi.prod.yaml"
    stack.write_text(stack_text({"gitops": {"path": "deploy/prod"}}), encoding="utf-8")
    before = run("plan", "prod")
    assert "the Pulumi CLI is not on PATH" in str(before.exception)
    assert run("render", "prod", "-o", "deploy/prod").exit_code == 0
    assert run("plan", "prod").stdout == "prod: no changes\n\n  -  Nothing changes.\n"


@pytest.mark.parametrize(
    ("printed", "said"),
    [
        (
            '{"diagnostics": [{"severity": "error", "message": "clusters.b is registered as a"}]}',
            "registered as a",
        ),
        (
            '{"diagnostics": [{"severity": "error", "message": "account 1 is not 2"}], "steps": []}',
            "account 1",
        ),
        ("", "no passphrase"),
    ],
)
def test_what_a_preview_failed_of_is_said(
    printed: str, said: str, run: Run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UX-3: the program's errors, not the warnings beside them; the CLI's words where it did not start."""
    fake = project / "pulumi"
    beside = "warning: using a plugin from $PATH" if printed else "error: no passphrase"
    fake.write_text(f"#!/bin/sh\necho '{beside}' >&2\nprintf '%s' '{printed}'\nexit 255\n", encoding="utf-8")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{project}{os.pathsep}{os.environ['PATH']}")
    failed = run("plan", "prod").exception
    assert isinstance(failed, ToolkitError)
    assert said in failed.why
    assert "warning" not in failed.why


def test_what_cannot_be_compared_is_said_with_a_way_out(run: Run, project: Path) -> None:
    """UX-3: exit code 2, no traceback."""
    for arguments, said in (
        (("--against", "nowhere"), "there is nothing rendered in nowhere"),
        (("--preview", "nowhere.json"), "the preview cannot be read"),
        (("--from", "nowhere"), "there is no stack nowhere"),
    ):
        result = run("plan", "prod", *arguments)
        assert result.exit_code != 0
        assert said in str(result.exception)
    result = run("plan", "prod", "--from", "prod", "--against", str(project))
    assert result.exit_code == 2
    assert "give one of --from, --against and --preview" in result.output
