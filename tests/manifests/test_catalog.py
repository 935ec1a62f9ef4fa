"""The catalog: one ordered list of everything that is deployed."""

from __future__ import annotations

import json

import pytest

from madeploy.names.services import SERVICES
from manifests import catalog
from manifests.inputs import Inputs
from tests.support.environments import ALL, environment, gateway_minio, minimal, production_aws
from tests.support.objects import identity, of_kind, one

ENVIRONMENTS = pytest.mark.parametrize("name", ALL)

CLUSTER_SCOPED = {
    "Namespace",
    "ClusterRole",
    "ClusterRoleBinding",
    "ClusterIssuer",
    "ClusterQueue",
    "ResourceFlavor",
}


@ENVIRONMENTS
def test_every_environment_has_the_same_bundles_in_the_same_order(name: str) -> None:
    """CP-8: namespaces first, the API server before what needs the definitions it creates."""
    assert [bundle.name for bundle in catalog.bundles(Inputs(ALL[name]()))] == [
        "namespaces",
        "issuers",
        "network-policies",
        "object-store",
        "apiserver",
        "controllermgr",
        "model-registry",
        "tenants",
        "doors",
        "serving",
        "alerts",
        "monitoring",
        "worker",
        "envoy",
        "ui",
    ]


@ENVIRONMENTS
def test_no_two_objects_of_a_cluster_are_the_same(name: str) -> None:
    """CARD-4."""
    for target in catalog.targets(Inputs(ALL[name]())):
        identities = [identity(obj) for bundle in target.bundles for obj in bundle.objects]
        assert len(identities) == len(set(identities)), target.cluster


@ENVIRONMENTS
def test_every_object_says_its_namespace_unless_it_is_cluster_scoped(name: str) -> None:
    """CARD-4: a renderer without a cluster cannot fill in a default namespace."""
    for obj in catalog.objects(ALL[name]()):
        assert ("namespace" in obj["metadata"]) == (obj["kind"] not in CLUSTER_SCOPED), identity(obj)


@ENVIRONMENTS
def test_no_secret_value_is_in_the_list(name: str) -> None:
    """CARD-4, REG-3: the only Secret in it is the one that Kubernetes writes a token into."""
    for secret in of_kind(catalog.objects(ALL[name]()), "Secret"):
        assert secret["type"] == "kubernetes.io/service-account-token"
        assert not {"data", "stringData"} & secret.keys()


@ENVIRONMENTS
def test_the_same_settings_give_the_same_bytes(name: str) -> None:
    """CARD-4: rendered files change only when settings do. `json` also refuses anything but plain data."""
    assert json.dumps(catalog.objects(ALL[name]())) == json.dumps(catalog.objects(ALL[name]()))


def test_clusters_are_listed_by_name_whatever_their_order_in_the_stack_file() -> None:
    """CARD-4."""
    forward = {"a": {"kubeconfigContext": "a"}, "b": {"kubeconfigContext": "b"}}
    backward = dict(reversed(forward.items()))
    assert catalog.objects(environment(clusters=forward)) == catalog.objects(environment(clusters=backward))
    assert [target.cluster for target in catalog.targets(Inputs(environment(clusters=backward)))] == [
        "control-plane",
        "a",
        "b",
    ]


def test_a_cluster_whose_address_only_a_kubeconfig_knows_is_left_out_of_the_list() -> None:
    """REG-4: and one whose address the settings give is in it."""
    assert [obj["metadata"]["name"] for obj in of_kind(catalog.objects(production_aws()), "Cluster")] == [
        "gpu-west"
    ]


@ENVIRONMENTS
def test_every_object_carries_the_common_labels_except_a_cluster(name: str) -> None:
    """CP-1 to CP-5; a `Cluster` carries none (V7)."""
    for obj in catalog.objects(ALL[name]()):
        labels = obj["metadata"].get("labels")
        if obj["kind"] == "Cluster":
            assert labels is None
        else:
            assert labels is not None
            assert labels["app.kubernetes.io/part-of"] == "michelangelo", identity(obj)
            assert labels["app.kubernetes.io/managed-by"] == "madeploy", identity(obj)


@ENVIRONMENTS
def test_the_five_services_are_deployed_under_the_names_of_the_guides(name: str) -> None:
    """CP-1, CP-2, CP-3, CP-4, CP-5."""
    chosen = ALL[name]()
    objects = catalog.objects(chosen)
    for service in SERVICES:
        for kind in ("Deployment", "ServiceAccount"):
            obj = one(objects, kind, f"michelangelo-{service}")
            assert obj["metadata"]["namespace"] == chosen.platform.namespace
            assert obj["metadata"]["labels"]["app"] == f"michelangelo-{service}"
    ports = {
        obj["metadata"]["name"]: [port["port"] for port in obj["spec"]["ports"]]
        for obj in of_kind(objects, "Service")
        if obj["metadata"]["namespace"] == chosen.platform.namespace
    }
    assert ports == {
        "michelangelo-apiserver": [15566],
        "michelangelo-controllermgr": [8091],
        "michelangelo-envoy": [8081, 8082] if chosen.access.guarded else [8081],
        "michelangelo-ui": [80],
    }
    config_maps = {
        obj["metadata"]["name"]: set(obj["data"]) for obj in of_kind(objects, "ConfigMap") if "data" in obj
    }
    for optional in ("michelangelo-config", "michelangelo-kube-state-metrics"):
        config_maps.pop(optional, None)
    assert config_maps == {
        "michelangelo-apiserver-config": {"base.yaml"},
        "michelangelo-controllermgr-config": {"base.yaml"},
        "michelangelo-worker-config": {"base.yaml"},
        "envoy-config": {
            "envoy.yaml",
            *(["tls.yaml"] if chosen.tls.envoy.enabled else []),
            *(["oidc-client.yaml", "oidc-cookie.yaml"] if chosen.access.login else []),
        },
        "public-config": {"config.json"},
    }


def test_values_that_come_from_other_resources_are_handed_through_untouched() -> None:
    """MR-2: an engine's output is no text yet, so builders may not look at it."""
    text, checksum = object(), object()
    bundles = catalog.bundles(Inputs(gateway_minio(), "prod", text, checksum))
    objects = [obj for bundle in bundles for obj in bundle.objects]
    secret = one(objects, "Secret", "michelangelo-object-store")
    assert secret["stringData"]["secrets.yaml"] is text
    for service in ("controllermgr", "worker"):
        deployment = one(objects, "Deployment", f"michelangelo-{service}")
        pod = deployment["spec"]["template"]["metadata"]["annotations"]
        assert pod["michelangelo.infra/object-store-checksum"] is checksum


def test_the_smallest_environment_is_a_complete_one() -> None:
    """CARD-5: everything but five sections has a default."""
    assert len(of_kind(catalog.objects(minimal()), "Deployment")) == 5
