"""What work grows with a fleet, counted: no other program on the machine changes these figures. Seconds stand
in `docs/performance.md`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from benchmarks import fleets
from madeploy.clients.kubernetes import Kubernetes
from madeploy.clusters.preflight import preflight
from madeploy.policy import sources
from madeploy.render import documents
from madeploy.render.tree import tree
from madeploy.settings import Environment
from madeploy.settings.servers import parse_server
from manifests import catalog, proof
from policies.rules.evaluation import check
from policies.rules.model import Resource, Rule, Severities, Violation
from tests.support.answers import Answers

FEW, MANY = 4, 24
NEW = MANY - FEW
"""Clusters that the larger fleet has more."""


def fleet(clusters: int) -> Environment:
    return Environment.model_validate_json(fleets.settings(clusters), by_alias=True, by_name=False)


def counted(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, work: Callable[[int], object]) -> int:
    """How many more calls of a function the larger fleet takes."""
    calls = 0
    original = getattr(owner, name)

    def counting(*given: Any, **more: Any) -> Any:
        nonlocal calls
        calls += 1
        return original(*given, **more)

    monkeypatch.setattr(owner, name, counting)
    work(FEW)
    few, calls = calls, 0
    work(MANY)
    return calls - few


def test_a_cluster_more_is_one_text_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """CARD-4: its `Cluster`; the five or six objects on it are those of every cluster, and written once."""
    more = counted(monkeypatch, documents, "dump", lambda clusters: tree(fleet(clusters), "fleet"))
    # Files for kustomize that list objects: that of all registrations, which is one text whatever its length.
    assert more == NEW


def test_a_cluster_more_is_one_object_more_to_prove(monkeypatch: pytest.MonkeyPatch) -> None:
    """REG-12: its `Cluster`; clusters that hold the same are proven once."""

    def prove(clusters: int) -> None:
        environment = fleet(clusters)
        assert proof.prove_all(catalog.placed(environment), environment) == []

    assert counted(monkeypatch, proof, "references", prove) == NEW


def test_a_cluster_more_is_one_object_more_to_judge() -> None:
    """CARD-4: what is equal is judged once, and every violation is told."""
    judged: list[str] = []

    def look(resource: Resource) -> list[Violation]:
        judged.append(resource.subject)
        return [Violation((), "seen")]

    always = Severities("error", "error", "error")
    rule = Rule("MA500", "seen", "Seen", "why", "fix", always, frozenset({"*"}), look)
    judgements = {}
    for clusters in (FEW, MANY):
        judged.clear()
        environment = fleet(clusters)
        resources = [
            Resource(sources.type_token(obj["apiVersion"], obj["kind"]), obj, cluster=cluster)
            for cluster, obj in catalog.placed(environment)
        ]
        assert [found.resource for found in check([rule], resources, "production")] == [
            resource
            for kind in dict.fromkeys(each.kind for each in resources)
            for resource in resources
            if resource.kind == kind
        ]
        judgements[clusters] = len(judged)
    assert judgements[MANY] - judgements[FEW] == NEW


def test_the_address_of_an_api_server_is_taken_apart_once() -> None:
    """REG-12: by settings, rules, flows and proofs together."""
    parse_server.cache_clear()
    environment = fleet(MANY)
    proof.prove_all(catalog.placed(environment), environment)
    assert parse_server.cache_info().misses == MANY


def test_a_cluster_more_is_asked_one_question_before_an_update(monkeypatch: pytest.MonkeyPatch) -> None:
    """REG-10: whom its credential stands for. `tests/stacks/test_sharded.py` has how often engines start."""

    def answering() -> Kubernetes:
        return Answers({"/apis/authentication.k8s.io/v1/selfsubjectreviews": {"status": {}}})

    def look(clusters: int) -> object:
        return preflight({f"c{number}": answering for number in range(clusters)}, workers=1)

    assert counted(monkeypatch, Answers, "review", look) == NEW
