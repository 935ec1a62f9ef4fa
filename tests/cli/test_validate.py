"""`madeploy validate`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.support.environments import aws_storage
from tests.support.stacks import write


def put(name: str, **sections: object) -> None:
    write(Path("stacks"), dict(sections), name)


def test_valid_stacks_end_with_0(run: Run) -> None:
    """UX-2: every stack in `stacks/` by default."""
    put("staging", platform={"tier": "staging"})
    result = run("validate")
    assert result.exit_code == 0
    assert result.stdout == (
        "stacks/Pulumi.prod.yaml: no findings\n\nstacks/Pulumi.staging.yaml: no findings\n"
    )


def test_an_error_ends_with_2_and_a_warning_only_when_strict(run: Run) -> None:
    """UX-2: 0 fine, 1 findings when asked for, 2 wrong configuration."""
    put("warned", network={"policies": False})
    put("broken", domains={"api": "x", "app": "y"})
    assert run("validate", "warned").exit_code == 0
    assert run("validate", "warned", "--strict").exit_code == 1
    assert run("validate", "prod", "--strict").exit_code == 0
    assert run("validate", "broken", "--strict").exit_code == 2
    assert run("validate").exit_code == 2


def test_a_stack_is_named_or_a_path_is_given(run: Run, project: Path) -> None:
    """UX-2: both lead to the same file and text."""
    put("broken", domains={"api": "x", "app": "y"})
    by_name = run("validate", "broken").stdout
    assert by_name == run("validate", "stacks/Pulumi.broken.yaml").stdout
    assert by_name == run("validate", str(project / "stacks/Pulumi.broken.yaml")).stdout
    assert by_name.startswith("stacks/Pulumi.broken.yaml:")


def test_all_findings_come_at_once(run: Run) -> None:
    """UX-3: of every file and every section."""
    put("a", domains={"api": "x", "app": "y"}, images={"tag": "latest"})
    put("b", typo={})
    result = run("validate", "a", "b")
    assert result.stdout.count("error MA113") == 2
    assert "error MA133" in result.stdout
    assert "error MA110" in result.stdout
    assert "Traceback" not in result.stdout


def test_a_stack_that_is_not_there_is_named_with_those_that_are(run: Run) -> None:
    """UX-3: what is accepted and what to do."""
    result = run("validate", "porduction")
    assert result.exit_code == 2
    assert "stacks/Pulumi.porduction.yaml" in result.stdout
    assert "there are (prod)" in result.stdout


def test_an_empty_folder_is_wrong_use(run: Run, project: Path) -> None:
    """UX-2, UX-3: nothing to check is not a success."""
    (project / "stacks/Pulumi.prod.yaml").unlink()
    result = run("validate")
    assert result.exit_code == 2
    assert "bin/madeploy init" in result.output


def test_json_holds_what_the_text_says(run: Run) -> None:
    """UX-2: machine-readable, on standard output, alone."""
    put("broken", images={"tag": "latest"})
    result = run("validate", "broken", "--json")
    assert result.exit_code == 2
    findings = json.loads(result.stdout)
    assert {finding["code"] for finding in findings} == {"MA133", "MA134"}
    assert {finding["location"]["file"] for finding in findings} == {"stacks/Pulumi.broken.yaml"}
    assert json.loads(run("validate", "prod", "--json").stdout) == []


STORE = aws_storage(protect=False)
FORMER = {**STORE, "accessLogs": {"bucket": "example-ml-access"}, "kmsKey": {}}


@pytest.mark.parametrize(
    ("now", "said"),
    [
        ({"buckets": {**STORE["buckets"], "models": "example-ml-models-2"}}, "nothing is copied"),
        ({"protect": True, "buckets": {**STORE["buckets"], "models": "other-models"}}, "nothing is copied"),
        ({"region": "eu-west-2"}, "which no bucket can"),
        ({"accessLogs": None}, "example-ml-access is deleted if it is empty"),
        ({"kmsKey": None}, "nothing that it encrypted can be read"),
        ({"tags": {"team": "ml"}}, ""),
    ],
)
def test_data_that_is_not_where_it_was_is_told(run: Run, now: dict[str, Any], said: str) -> None:
    """UX-6, MR-12: by what both files say, before anything is asked of AWS."""
    put("former", storage=FORMER)
    put("prod", storage={key: value for key, value in {**FORMER, **now}.items() if value is not None})
    result = run("validate", "prod", "--from", "former", "--json")
    told = [one for one in json.loads(result.stdout) if one["code"] == "MA339"]
    assert bool(told) == bool(said), result.output
    assert all(one["severity"] == "warning" for one in told)
    assert said in " ".join(one["evidence"] for one in told)


def test_sarif_goes_to_a_file_or_to_the_output(run: Run) -> None:
    """UX-2: for code review, beside the text or instead of it."""
    put("broken", images={"tag": "latest"})
    beside = run("validate", "broken", "--sarif", "report.sarif")
    assert "error MA133" in beside.stdout
    log = json.loads(Path("report.sarif").read_text(encoding="utf-8"))
    assert [result["ruleId"] for result in log["runs"][0]["results"]] == ["MA134", "MA133"]
    alone = run("validate", "broken", "--sarif", "-")
    assert json.loads(alone.stdout) == log
    assert alone.exit_code == beside.exit_code == 2
