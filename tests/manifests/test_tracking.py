"""Experiment tracking: where tasks report to, and a policy that leaves them able to work."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from manifests import catalog
from manifests.inputs import Inputs
from manifests.policy_flows import expected, permitted
from manifests.proof import prove, table
from manifests.registration import task_config
from manifests.task_flows import task_flows
from tests.support.environments import aws_storage, environment, every_part
from tests.support.objects import of_kind, one
from tests.support.proves import proves

SERVER: dict[str, Any] = {"uri": "https://tracking.example.com", "cidrs": ["192.0.2.0/28"]}
GPU: dict[str, Any] = {"kubeconfigContext": "gpu"}


def policy(**sections: Any) -> dict[str, Any]:
    """The policy on cluster `gpu`."""
    made = environment(**{"clusters": {"gpu": GPU}, "tracking": SERVER} | sections)
    (_, target) = catalog.targets(Inputs(made))
    objects = [obj for bundle in target.bundles for obj in bundle.objects]
    return one(objects, "NetworkPolicy", "allow-tracking-server-egress")


def ports(found: dict[str, Any]) -> set[tuple[str, int]]:
    """Where the policy lets pods connect: peer, and port (0 for all)."""
    allowed = set()
    for rule in found["spec"]["egress"]:
        peers = [str(peer) for peer in rule.get("to", ["anywhere"])]
        for port in rule.get("ports", [{"port": 0}]):
            allowed |= {(peer, port["port"]) for peer in peers}
    return allowed


@proves("OPS-7")
def test_the_policy_leaves_ray_what_it_works_with() -> None:
    """OPS-7: the guide's own lets its pods reach the server and DNS alone, and no job would run."""
    found = policy(modelRegistry={"endpoint": "api.internal.example.com:15566"})
    assert found["metadata"]["namespace"] == "default"
    assert found["spec"]["podSelector"] == {"matchLabels": {"ray.io/is-ray-node": "yes"}}
    assert found["spec"]["policyTypes"] == ["Egress"]
    own = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "default"}},
        "podSelector": {"matchLabels": {"ray.io/is-ray-node": "yes"}},
    }
    dns = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}
    assert ports(found) == {
        (str({"ipBlock": {"cidr": "192.0.2.0/28"}}), 443),
        (str(own), 0),
        (str(dns), 53),
        ("anywhere", 443),
        ("anywhere", 6443),
        ("anywhere", 15566),
    }


def test_the_policy_follows_the_store_and_the_pods_credentials() -> None:
    """OPS-7: a store on a port of its own, and the agent that hands out roles."""
    minio = {"kind": "s3Compatible", "endpoint": "http://minio.example.com:9000"}
    assert ("anywhere", 9000) in ports(policy(storage=minio))
    narrow = policy(storage=minio, network={"objectStoreCidrs": ["198.51.100.0/24"]})
    assert (str({"ipBlock": {"cidr": "198.51.100.0/24"}}), 9000) in ports(narrow)
    assert ("anywhere", 9000) not in ports(narrow)
    identity = {"kind": "podIdentity", "clusterName": "gpu"}
    with_agent = policy(storage=aws_storage(), clusters={"gpu": GPU | {"taskIdentity": identity}})
    assert (str({"ipBlock": {"cidr": "169.254.170.23/32"}}), 80) in ports(with_agent)


def test_policies_permit_what_the_table_says_and_no_more() -> None:
    """OPS-7, NET-13: read back from the objects, and proven with everything else."""
    made = every_part()
    (_, target) = catalog.targets(Inputs(made))
    objects = [obj for bundle in target.bundles for obj in bundle.objects]
    assert permitted(objects) == expected(table(made, "local"), made)
    assert task_flows(made, "local")
    assert prove(objects, made, "local") == []


@pytest.mark.parametrize(
    ("own", "expected_uri"),
    [
        ({}, "https://tracking.example.com"),
        ({"tracking": {"uri": "http://mlflow:5000"}}, "http://mlflow:5000"),
    ],
)
def test_tasks_read_the_address_of_their_cluster(own: dict[str, Any], expected_uri: str) -> None:
    """OPS-7: each cluster its own, else the environment's."""
    made = environment(clusters={"gpu": GPU | own}, tracking=SERVER)
    assert task_config(made, "gpu")["TRACKING_URI"] == expected_uri


def test_nothing_is_there_unless_it_is_asked_for() -> None:
    """OPS-7: and no policy where nobody says where the server is."""
    plain = environment(clusters={"gpu": GPU})
    assert "TRACKING_URI" not in task_config(plain, "gpu")
    known = environment(clusters={"gpu": GPU}, tracking={"uri": "https://tracking.example.com"})
    assert of_kind(catalog.objects(known), "NetworkPolicy") == of_kind(
        catalog.objects(plain), "NetworkPolicy"
    )


@pytest.mark.parametrize(
    "uri",
    [
        "https://user:pass@tracking.example.com",
        "ftp://tracking",
        "https://tracking.example.com/?key=1",
        "tracking:5000",
    ],
)
def test_an_address_holds_no_key(uri: str) -> None:
    """OPS-7: everybody may read the ConfigMap it is put into."""
    with pytest.raises(ValidationError):
        environment(tracking={"uri": uri})
