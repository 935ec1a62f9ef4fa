"""Each rule finds what it is for, and nothing in what keeps it."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest

from madeploy.policy.service_files import EVERY_RULE
from policies.rules.model import Resource
from tests.policies.cases import ADDITIONS, CASES, Case
from tests.policies.world import change, found, good, names, pick


def test_there_are_forty_rules_and_more_each_with_names_of_its_own() -> None:
    """CARD-1: codes and names are what suppressions and reports rely on."""
    assert len(EVERY_RULE) >= 40
    assert (
        len({rule.code for rule in EVERY_RULE}) == len({rule.name for rule in EVERY_RULE}) == len(EVERY_RULE)
    )


def test_a_platform_that_keeps_every_rule_is_clean() -> None:
    """CARD-1: the passing fixture of every rule."""
    assert found(good()).found == []


def test_every_rule_has_something_to_pass_and_something_to_fail() -> None:
    """CARD-1: a rule that sees nothing in the passing fixture would pass it always, one without a failing
    one might never fire."""
    kinds = {resource.kind for resource in good()}
    added = {name: resource.kind for name, resource in ADDITIONS}
    for rule in EVERY_RULE:
        assert "*" in rule.kinds or kinds & rule.kinds or {added.get(rule.name)} & rule.kinds, rule.name
    assert {case.rule for case in CASES} | set(added) == {rule.name for rule in EVERY_RULE}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_one_change_breaks_exactly_the_rule_it_is_for(case: Case) -> None:
    """CARD-1, CP-7, CP-9, NET-3, NET-6, NET-13, REG-3, REG-4, MR-1, MR-2, MR-9, UX-3."""
    resources = good()
    change(resources, case.kind, case.name, case.mutate)
    assert names(resources) == {case.rule, *case.also}


@pytest.mark.parametrize(("name", "resource"), ADDITIONS)
def test_a_resource_that_should_not_be_there_is_found(name: str, resource: Resource) -> None:
    """CARD-1, MR-2, REG-4."""
    broken = names([*good(), resource])
    assert name in broken
    assert broken <= {name, "pods-isolated"}


REVISION = {
    "apiVersion": "michelangelo.api/v2",
    "kind": "Revision",
    "metadata": {"name": "train-3", "namespace": "team-a"},
    "spec": {"gitRef": "abc"},
}


@pytest.mark.parametrize(
    ("release", "broken"),
    [("0.12", {"fields-that-are-kept"}), ("2026.04", set()), ("", set())],
)
def test_a_revision_is_judged_by_its_release(release: str, broken: set[str]) -> None:
    """REL-1, MR-9: what the one release keeps, the other drops; where none is known, both will do."""
    revision = Resource("kubernetes:michelangelo.api/v2:Revision", REVISION, origin="file", release=release)
    assert names([revision]) == broken


@pytest.mark.parametrize(
    ("release", "targets", "broken"),
    [
        ("0.12", True, set()),
        ("0.12", False, {"inference-servers-complete"}),
        ("2026.04", False, set()),
        ("2026.04", True, {"fields-that-are-kept"}),
        ("", False, {"inference-servers-complete"}),
    ],
)
def test_an_inference_server_is_judged_by_its_release(release: str, targets: bool, broken: set[str]) -> None:
    """REL-1: without targets it serves nothing since 0.12; earlier ones know none."""
    server = pick(good(), "michelangelo.api/InferenceServer")
    properties = copy.deepcopy(dict(server.properties))
    if not targets:
        del properties["spec"]["clusterTargets"]
    assert names([replace(server, properties=properties, release=release)]) == broken
