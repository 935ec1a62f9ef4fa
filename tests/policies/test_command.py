"""`madeploy policy`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from madeploy.errors import ToolkitError
from madeploy.policy.service_files import EVERY_RULE
from tests.cli.conftest import Run
from tests.policies.world import DATA
from tests.support.frameworks import stack
from tests.support.stacks import stack_text

GOOD = str(DATA / "good.yaml")
BY_HAND = str(DATA / "by-hand")
SUPPRESSED = {
    "rule": "pods-isolated",
    "object": "Deployment/ma-system/*",
    "reason": "The cluster's plugin enforces none.",
    "expires": "2999-12-31",
}


def put(name: str, **sections: object) -> None:
    Path(f"stacks/Pulumi.{name}.yaml").write_text(stack_text(dict(sections)), encoding="utf-8")


def test_clean_input_ends_with_0(run: Run) -> None:
    """UX-2: a stack by its name, and a file."""
    for target in ("prod", "stacks/Pulumi.prod.yaml", GOOD):
        result = run("policy", target, "--strict")
        assert result.exit_code == 0, result.output
        assert result.stdout.endswith("rules: no findings\n")


def test_errors_end_with_1_and_warnings_only_when_strict(run: Run) -> None:
    """UX-2."""
    put("open", network={"policies": False})
    assert run("policy", "open").exit_code == 0
    assert run("policy", "open", "--strict").exit_code == 1
    assert run("policy", BY_HAND).exit_code == 1


def test_a_tier_given_outranks_the_stacks(run: Run) -> None:
    """CARD-1: what the same objects would be in production."""
    put("small", platform={"tier": "development"}, controlPlane={"ui": {"replicas": 1}})
    assert run("policy", "small").exit_code == 0
    assert "several-replicas" in run("policy", "small", "--tier", "production").stdout


def test_a_stack_with_a_framework_is_held_to_productions_weights(run: Run) -> None:
    """OPS-4: whatever its tier; and the violation names the control."""
    put("held", **stack("soc2", clusters={}, platform={"tier": "development"}, images={"tag": "main"}))
    result = run("policy", "held")
    assert result.exit_code == 1
    assert "(images-pinned: SOC 2 CC8.1)" in result.stdout


def test_unreadable_input_ends_with_2(run: Run, tmp_path: Path) -> None:
    """UX-2, UX-3: also when other files can be read."""
    bad = tmp_path / "bad.yaml"
    bad.write_text("a: b: c\n", encoding="utf-8")
    result = run("policy", GOOD, str(bad))
    assert result.exit_code == 2
    assert "MA380" in result.stdout
    (tmp_path / "empty").mkdir()
    assert run("policy", str(tmp_path / "empty")).exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "nothing to check was named"),
        (("nowhere",), "it is no file or folder, and the stacks are prod"),
        (("prod", "--tier", "production1"), "tiers are development, staging, production"),
    ],
)
def test_wrong_use_is_named(run: Run, arguments: tuple[str, ...], said: str) -> None:
    """UX-2, UX-3: exit code 2, without a traceback."""
    error = run("policy", *arguments).exception
    assert isinstance(error, ToolkitError)
    assert error.exit_code == 2
    assert said in str(error)


def test_json_and_sarif_say_the_same_with_places(run: Run, tmp_path: Path) -> None:
    """UX-2: for machines, by file, line and column."""
    shown = json.loads(run("policy", BY_HAND, "--json").stdout)
    sarif = json.loads(run("policy", BY_HAND, "--sarif", "-").stdout)
    results = sarif["runs"][0]["results"]
    places = [item["location"] for item in shown]
    regions = [item["locations"][0]["physicalLocation"] for item in results]
    assert [item["code"] for item in shown] == [item["ruleId"] for item in results]
    assert [(place["line"], place["column"]) for place in places] == [
        (item["region"]["startLine"], item["region"]["startColumn"]) for item in regions
    ]
    assert len(shown) > 40
    written = tmp_path / "out.sarif"
    run("policy", BY_HAND, "--sarif", str(written))
    assert json.loads(written.read_text(encoding="utf-8")) == sarif


def test_suppressions_come_from_the_stack_or_a_file(run: Run, tmp_path: Path) -> None:
    """CARD-1, CARD-5: with reason and day, wherever they are written."""
    put("open", network={"policies": False}, policies={"suppressions": [SUPPRESSED]})
    result = run("policy", "open", "--strict")
    assert result.exit_code == 0
    assert result.stdout.endswith("no findings, 5 suppressed\n")
    file = tmp_path / "exceptions.yaml"
    file.write_text(json.dumps({"suppressions": [SUPPRESSED]}), encoding="utf-8")
    put("bare", network={"policies": False})
    assert run("policy", "bare", "--strict", "--suppressions", str(file)).exit_code == 0


@pytest.mark.parametrize(
    ("changed", "code", "said"),
    [
        ({"expires": "2020-01-01"}, "MA386", "expired after 2020-01-01"),
        ({"object": "Deployment/none"}, "MA387", "hides nothing"),
        ({"rule": "pods-isolatet"}, "MA385", "there is no rule pods-isolatet"),
        ({"expires": None}, "MA385", "has no text under expires"),
        ({"reason": "short"}, "MA385", "reason is not of the accepted form"),
        ({"owner": "me"}, "MA385", "has the unknown key owner"),
    ],
)
def test_a_suppression_that_does_not_do_its_work_is_a_finding(
    run: Run, tmp_path: Path, changed: dict[str, object], code: str, said: str
) -> None:
    """CARD-1, UX-3."""
    file = tmp_path / "exceptions.yaml"
    file.write_text(json.dumps({"suppressions": [{**SUPPRESSED, **changed}]}), encoding="utf-8")
    put("open", network={"policies": False})
    found = json.loads(run("policy", "open", "--suppressions", str(file), "--json").stdout)
    assert [item["evidence"] for item in found if item["code"] == code and said in item["evidence"]]


def test_the_list_names_every_rule(run: Run) -> None:
    """UX-2: as a table and as JSON."""
    text = run("policy", "--list").stdout
    data = json.loads(run("policy", "--list", "--json").stdout)
    assert [item["name"] for item in data] == [rule.name for rule in EVERY_RULE]
    assert all(rule.name in text and rule.code in text for rule in EVERY_RULE)
