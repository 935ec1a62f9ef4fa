"""The commonest changes, each in at most five sentences that name cause and effect."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from madeploy.plan.changes import Comparison, Identity
from madeploy.plan.environments import between, of_environment
from madeploy.plan.sentences import sentences
from madeploy.plan.text import LEVELS, listed
from tests.plan.cases import CASES
from tests.support.environments import ALL, minimal
from tests.support.proves import proves

EXPECTED: Final[dict[str, list[dict[str, str]]]] = yaml.safe_load(
    Path(__file__).with_name("sentences.yaml").read_text(encoding="utf-8")
)


def _said(name: str) -> list[dict[str, str]]:
    before, after = CASES[name]
    return [{sentence.level: sentence.text} for sentence in sentences(between(before(), after(), "prod"))]


@pytest.mark.parametrize("name", CASES)
@proves("UX-4")
def test_a_common_change_is_said_in_at_most_five_sentences_that_name_cause_and_effect(name: str) -> None:
    """UX-4."""
    said = _said(name)
    assert said == EXPECTED[name]
    assert len(said) <= 5


def test_at_least_fifteen_changes_are_pinned() -> None:
    """UX-4."""
    assert len(CASES) >= 16
    assert set(EXPECTED) == set(CASES)


@pytest.mark.parametrize("before", ALL)
@pytest.mark.parametrize("after", ALL)
def test_every_change_between_any_two_environments_is_explained_or_counted(before: str, after: str) -> None:
    """UX-4: nothing is left out, and what hurts most is said first."""
    comparison = between(ALL[before](), ALL[after](), "prod")
    said = sentences(comparison)
    explained = {identity for sentence in said for identity in sentence.about}
    assert {change.identity for change in comparison.changes} <= explained
    ranks = [LEVELS.index(sentence.level) for sentence in said if not sentence.text.startswith("Also ")]
    assert ranks == sorted(ranks)


def test_a_first_deployment_says_so_and_names_the_hosts() -> None:
    """UX-4."""
    said = [sentence.text for sentence in sentences(between(None, minimal(), "prod"))]
    assert said[0].startswith("Everything is made for the first time: ")
    assert said[1].startswith("api.ml.example.com and app.ml.example.com are served once DNS points")


def _with(objects: dict[Identity, Any], kind: str, name: str, change: Any) -> dict[Identity, Any]:
    identity = next(i for i in objects if (i.kind, i.name) == (kind, name))
    item = json.loads(json.dumps(objects[identity]))
    change(item)
    return {**objects, identity: item}


def test_a_touched_registration_is_said_to_end_the_reports_of_its_health() -> None:
    """UX-4, V7."""
    before, _ = CASES["a cluster's API server moves"]
    objects = of_environment(before(), "prod")
    for change in (
        lambda item: item["metadata"].update(labels={"a": "b"}),
        lambda item: item["spec"]["kubernetes"].update(skus=[{"cpu": 1}]),
    ):
        (sentence,) = sentences(Comparison(objects, _with(objects, "Cluster", "first", change)))
        assert "its health is not reported any more until it restarts" in sentence.text


def _rotated(roll: bool) -> list[tuple[str, str]]:
    before, _ = CASES["a cluster's API server moves"]
    secret = Identity("control-plane", "Secret", "default", "cluster-first-client-token")
    objects = {**of_environment(before(), "prod"), secret: {"data": {"token": "one"}}}
    after = {**objects, secret: {"data": {"token": "another"}}}
    if roll:

        def annotate(item: Any) -> None:
            item["spec"]["template"]["metadata"]["annotations"]["example.com/credentials"] = "2"

        after = _with(after, "Deployment", "michelangelo-controllermgr", annotate)
    return [(sentence.level, sentence.text) for sentence in sentences(Comparison(objects, after))]


def test_a_credential_that_changes_without_a_roll_is_an_outage() -> None:
    """UX-4, REG-8, V14."""
    (said,) = _rotated(roll=False)
    assert said[0] == "outage"
    assert "goes on with the old one" in said[1]


def test_a_credential_that_changes_with_a_roll_is_not() -> None:
    """UX-4, REG-8, V14."""
    levels = [level for level, _ in _rotated(roll=True)]
    assert levels == ["notice", "quiet"]


def test_lists_are_cut_and_counted() -> None:
    """UX-4."""
    assert listed([]) == ""
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "a"]) == "a and b"
    assert listed("abcd") == "a, b, c and d"
    assert listed("abcde") == "a, b, c and 2 more"
