"""Health is the age of the proof, never the condition alone."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from madeploy.clusters.checks.health import FRESH_SECONDS, health, health_findings, wait_for_proof
from madeploy.clusters.registration import cluster_path
from madeploy.clusters.remedies import remedies
from tests.support.answers import Answers
from tests.support.environments import environment

NOW = 1_800_000_000.0
REMEDIES = remedies(environment(clusters={"a": {"kubeconfigContext": "a"}}), "a", "prod")


def cluster(*conditions: dict[str, Any]) -> dict[str, Any]:
    return {
        "metadata": {"name": "a", "creationTimestamp": "2027-01-15T07:59:30Z"},
        "status": {"statusConditions": list(conditions)},
    }


def ready(age: float, status: str = "CONDITION_STATUS_TRUE") -> dict[str, Any]:
    return {"type": "Ready", "status": status, "lastUpdatedTimestamp": str(int(NOW - age)), "message": "ok"}


@pytest.mark.parametrize(
    ("conditions", "code", "evidence"),
    [
        ([ready(5)], None, ""),
        ([ready(FRESH_SECONDS)], None, ""),
        ([ready(FRESH_SECONDS + 1)], "MA451", "91 s old"),
        ([ready(86_400)], "MA451", "86400 s old"),
        ([ready(5, "CONDITION_STATUS_FALSE")], "MA450", "not ready 5 s ago"),
        ([ready(600, "CONDITION_STATUS_FALSE")], "MA451", "600 s old"),
        ([ready(5) | {"lastUpdatedTimestamp": ""}], "MA451", "has no time"),
        ([{"type": "Offline", "status": "CONDITION_STATUS_FALSE"}], "MA450", "not reported"),
        ([], "MA450", "takes up to a minute"),
    ],
)
def test_a_condition_is_worth_what_its_age_is(
    conditions: list[dict[str, Any]], code: str | None, evidence: str
) -> None:
    """REG-6, V15: true and old is no proof."""
    findings = health_findings(cluster(*conditions), NOW, REMEDIES)
    assert [finding.code for finding in findings] == ([code] if code else [])
    assert all(evidence in finding.evidence for finding in findings)


def test_a_proof_later_than_a_moment_is_waited_for() -> None:
    """REG-8: as after the controller manager was rolled."""
    ages = iter([30, 10, -5])
    answers = Answers({cluster_path("a"): cluster(ready(40))})

    def pause(_: float) -> None:
        answers.objects[cluster_path("a")] = cluster(ready(next(ages)))

    assert wait_for_proof(answers, "a", after=NOW, seconds=60, pause=pause)
    assert len(answers.asked) == 4


def test_the_wait_for_a_proof_has_an_end() -> None:
    """REG-8."""
    answers = Answers({cluster_path("a"): cluster(ready(40))})
    assert not wait_for_proof(answers, "a", after=NOW, seconds=0, pause=lambda _: None)
    assert health(None).age(NOW) is None


def test_every_fix_names_the_stacks_own_contexts() -> None:
    """UX-3: commands can be typed as they stand."""
    findings = itertools.chain(
        health_findings(cluster(), NOW, REMEDIES), health_findings(cluster(ready(600)), NOW, REMEDIES)
    )
    for finding in findings:
        assert "kubectl --context CONTROL_PLANE_CONTEXT -n ma-system" in finding.fix
