"""Serving: what inference servers need, on the control plane's cluster and on targets."""

from __future__ import annotations

from typing import Any

import pytest

from madeploy.releases import ReleaseName
from manifests import catalog
from manifests.inputs import Inputs
from manifests.secret_references import wanted_secrets
from manifests.service_config import base_config
from manifests.serving import serving, target_side, token_requests, token_secret
from tests.support.environments import environment
from tests.support.objects import of_kind, one
from tests.support.proves import proves

SERVING: dict[str, Any] = {"namespace": "serving"}
GPU: dict[str, Any] = {"kubeconfigContext": "gpu", "serving": True}


def serves(**more: Any) -> Any:
    """An environment whose cluster `gpu` serves."""
    return environment(**{"serving": SERVING, "clusters": {"gpu": GPU}} | more)


CALLS = {
    ("apps", "deployments"): {"get", "list", "watch", "create", "update", "patch", "delete"},
    ("", "services"): {"get", "list", "watch", "create", "update", "patch", "delete"},
    ("", "configmaps"): {"get", "list", "watch", "create", "update", "patch", "delete"},
    ("discovery.k8s.io", "endpointslices"): {"get", "list", "watch", "create", "update", "patch", "delete"},
    ("gateway.networking.k8s.io", "httproutes"): {
        "get", "list", "watch", "create", "update", "patch", "delete",
    },
    ("", "services/proxy"): {"get", "create"},
    ("", "pods/proxy"): {"get", "create"},
    ("", "pods"): {"get", "list"},
    ("", "nodes"): {"get", "list", "watch"},
}  # fmt: skip
"""What the platform's code of release 0.12 does on a target cluster, and upstream's own manifest grants."""


@proves("OPS-5")
def test_the_targets_account_may_do_what_the_platform_does_there_and_no_more() -> None:
    """OPS-5: bound to the account in `default`, which no pod runs as."""
    objects = list(target_side(Inputs(serves()), "gpu"))
    role = one(objects, "ClusterRole", "inference-server-manager")
    granted = {
        (group, resource): set(rule["verbs"])
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }
    assert granted == CALLS
    (binding,) = of_kind(objects, "ClusterRoleBinding")
    assert binding["roleRef"]["name"] == role["metadata"]["name"]
    (subject,) = binding["subjects"]
    assert (subject["name"], subject["namespace"]) == ("inference-server-manager", "default")
    account = one(objects, "ServiceAccount", "inference-server-manager")
    assert account["automountServiceAccountToken"] is False


def test_the_gateway_is_the_one_that_routes_go_to_on_every_cluster_that_serves() -> None:
    """OPS-5: routes from all namespaces; its Service has a node port, by which other clusters come in."""
    made = serves()
    for objects in (list(serving(Inputs(made))), list(target_side(Inputs(made), "gpu"))):
        gateway = one(objects, "Gateway", "ma-gateway")
        assert gateway["metadata"]["namespace"] == "serving"
        assert gateway["metadata"]["annotations"] == {"networking.istio.io/service-type": "NodePort"}
        (listener,) = gateway["spec"]["listeners"]
        assert listener["allowedRoutes"] == {"namespaces": {"from": "All"}}
        assert (listener["name"], listener["port"], listener["protocol"]) == ("http", 80, "HTTP")


def test_the_controller_manager_is_told_where_the_gateway_is() -> None:
    """OPS-5: an empty name breaks routes, an empty Service fails; the built-in image is private."""
    told = base_config(serves(), "controllermgr")["inferenceServer"]
    assert told == {
        "gateway": {
            "name": "ma-gateway",
            "serviceName": "ma-gateway-istio",
            "serviceNamespace": "serving",
            "portName": "http",
        },
        "triton": {"defaultImage": "nvcr.io/nvidia/tritonserver:23.04-py3"},
    }
    own = serves(serving=SERVING | {"tritonImage": {"repository": "registry.example.com/triton", "tag": "1"}})
    assert base_config(own, "controllermgr")["inferenceServer"]["triton"] == {
        "defaultImage": "registry.example.com/triton:1"
    }


def test_an_earlier_release_has_the_gateway_and_no_configuration_of_it() -> None:
    """OPS-5, REL-1: its services know no such section."""
    release: ReleaseName = "2026.04"
    earlier = environment(platform={"release": release}, serving=SERVING)
    assert "inferenceServer" not in base_config(earlier, "controllermgr")
    assert one(list(serving(Inputs(earlier))), "Gateway", "ma-gateway")


def test_with_serving_the_controller_manager_reads_secrets_of_targets() -> None:
    """OPS-5: through a cache of all, and only then."""

    def reads_all(made: Any) -> bool:
        role = one(catalog.objects(made), "ClusterRole", "michelangelo-controllermgr")
        return any("secrets" in rule["resources"] for rule in role["rules"])

    assert reads_all(serves())
    assert not reads_all(environment())


@pytest.mark.parametrize(
    ("credential", "names"),
    [
        ({}, ["inference-server-manager-token"]),
        (
            {"generation": 3, "keep": [{"generation": 2}]},
            ["inference-server-manager-token-3", "inference-server-manager-token-2"],
        ),
        ({"generation": 0}, []),
    ],
)
def test_tokens_turn_with_the_clusters_credential(credential: dict[str, Any], names: list[str]) -> None:
    """OPS-5, REG-8: a generation's token is there as long as that generation's credential."""
    made = serves(clusters={"gpu": GPU | {"credential": credential}})
    requests = token_requests(made, "gpu")
    assert [item["metadata"]["name"] for item in requests] == names
    for item in requests:
        assert item["type"] == "kubernetes.io/service-account-token"
        assert "data" not in item


def test_the_control_plane_keeps_the_token_where_inference_servers_name_it() -> None:
    """OPS-5: `tokenTag` of `clusterTargets`; and files name what has to be put there."""
    secret = token_secret("gpu", "dG9rZW4=")
    assert (secret["metadata"]["namespace"], secret["metadata"]["name"]) == (
        "default",
        "cluster-gpu-is-token",
    )
    assert secret["data"] == {"token": "dG9rZW4="}
    wanted = {item.name for item in wanted_secrets(serves())}
    assert "cluster-gpu-is-token" in wanted
    assert "cluster-gpu-is-token" not in {
        item.name for item in wanted_secrets(environment(clusters={"gpu": {"kubeconfigContext": "gpu"}}))
    }


def test_the_namespace_is_made_only_where_it_is_asked_for() -> None:
    """OPS-5: for a folder of the node, Pod Security has to be privileged there."""
    assert of_kind(list(serving(Inputs(serves()))), "Namespace") == []
    made = serves(serving=SERVING | {"createNamespace": True})
    (space,) = of_kind(list(serving(Inputs(made))), "Namespace")
    assert space["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "privileged"
    assert one(list(target_side(Inputs(made), "gpu")), "Namespace", "serving")


def test_nothing_serves_unless_it_is_asked_to() -> None:
    """OPS-5."""
    plain = environment(clusters={"gpu": {"kubeconfigContext": "gpu"}}, serving=SERVING)
    assert target_side(Inputs(plain), "gpu") == token_requests(plain, "gpu") == ()
    assert serving(Inputs(environment())) == ()
    assert [
        bundle.objects
        for target in catalog.targets(Inputs(environment()))
        for bundle in target.bundles
        if bundle.name == "serving"
    ] == [()]
