"""Two tenants by the static proof: their pods are reached by those whom the settings name, and not by each
other's."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from madeploy.names.tenants import ISOLATION
from manifests import catalog
from manifests.inputs import Inputs
from manifests.objects import Object
from manifests.proof import prove
from tests.support.environments import environment
from tests.support.objects import one
from tests.support.proves import proves

OWN = {
    "team": "00000000-0000-4000-8000-000000000001",
    "description": "Example",
    "gitRepo": "https://git.example.com/models",
}
MADE = environment(
    tenants={"vision": OWN, "speech": OWN}, network={"monitoringNamespace": "monitoring"}, access={}
)


def _objects() -> list[Object]:
    (target,) = catalog.targets(Inputs(MADE))
    return copy.deepcopy([obj for bundle in target.bundles for obj in bundle.objects])


def _namespace(name: str) -> dict[str, Any]:
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}


def _from_the_other(policy: Object) -> None:
    policy["spec"]["ingress"].append({"from": [_namespace("speech")]})


def _from_everywhere(policy: Object) -> None:
    policy["spec"]["ingress"].append({"from": [{"namespaceSelector": {}}]})


def _of_a_few_pods(policy: Object) -> None:
    policy["spec"]["podSelector"] = {"matchLabels": {"app": "one"}}


def _without_the_control_plane(policy: Object) -> None:
    for rule in policy["spec"]["ingress"]:
        rule["from"] = [peer for peer in rule["from"] if peer != _namespace("ma-system")]
    policy["spec"]["ingress"] = [rule for rule in policy["spec"]["ingress"] if rule["from"]]


FAULTS: dict[str, tuple[Callable[[Object], None], str]] = {
    "the other tenant is let in": (_from_the_other, "MA236"),
    "everybody is let in": (_from_everywhere, "MA236"),
    "most pods are guarded by nothing": (_of_a_few_pods, "MA235"),
    "the control plane is shut out": (_without_the_control_plane, "MA235"),
}


@proves("OPS-2", "NET-13")
def test_tenants_are_proven_apart() -> None:
    """OPS-2, NET-13: every declared flow is permitted, and nothing else is."""
    assert prove(_objects(), MADE) == []


@pytest.mark.parametrize(("spoil", "code"), FAULTS.values(), ids=FAULTS)
@proves("OPS-2", "NET-13")
def test_the_proof_notices_what_would_bring_them_together(spoil: Callable[[Object], None], code: str) -> None:
    """OPS-2, NET-13."""
    objects = _objects()
    spoil(one(objects, "NetworkPolicy", ISOLATION, "vision"))
    assert code in {finding.code for finding in prove(objects, MADE)}


def test_a_tenant_without_its_policy_is_noticed() -> None:
    """OPS-2, NET-13."""
    objects = _objects()
    objects.remove(one(objects, "NetworkPolicy", ISOLATION, "vision"))
    assert prove(objects, MADE) != []
