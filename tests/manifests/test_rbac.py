"""Rights on the Kubernetes API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from madeploy.names.tenants import EDITOR, VIEWER
from manifests import catalog
from manifests.inputs import Inputs
from manifests.objects import Object
from tests.support.environments import ALL, environment, gateway_minio, minimal, production_aws
from tests.support.objects import identity, of_kind, one

ENVIRONMENTS = pytest.mark.parametrize("name", ALL)
Grant = tuple[str, str, str]

PLATFORM = "michelangelo.api"
WRITTEN = {
    "clusters",
    "pipelines",
    "pipelineruns",
    "triggerruns",
    "sparkjobs",
    "rayclusters",
    "rayjobs",
    "inferenceservers",
    "deployments",
}


def grants(role: Object) -> Iterator[Grant]:
    """Every (group, resource, verb) that a role grants without limiting it to names."""
    for rule in role["rules"]:
        if "resourceNames" not in rule:
            for group in rule["apiGroups"]:
                for resource in rule["resources"]:
                    for verb in rule["verbs"]:
                        yield group, resource, verb


def named(role: Object) -> dict[tuple[str, str], set[str]]:
    """(resource, verb) to the names it is limited to."""
    return {
        (resource, verb): set(rule["resourceNames"])
        for rule in role["rules"]
        if "resourceNames" in rule
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def matrix(group: str, resources: set[str], verbs: set[str]) -> set[Grant]:
    return {(group, resource, verb) for resource in resources for verb in verbs}


@ENVIRONMENTS
def test_no_role_has_a_wildcard_or_an_empty_list_of_names(name: str) -> None:
    """CP-1, CP-2: an empty list of names would mean every object."""
    for kind in ("Role", "ClusterRole"):
        for role in of_kind(catalog.objects(ALL[name]()), kind):
            for rule in role["rules"]:
                for key in ("apiGroups", "resources", "verbs"):
                    assert rule[key], identity(role)
                    assert "*" not in rule[key], identity(role)
                assert rule.get("resourceNames", ["some"]), identity(role)


@ENVIRONMENTS
def test_every_binding_is_of_a_role_and_an_account_that_are_there(name: str) -> None:
    """CP-1, CP-2."""
    chosen = ALL[name]()
    for target in catalog.targets(Inputs(chosen)):
        objects = [obj for bundle in target.bundles for obj in bundle.objects]
        for kind in ("RoleBinding", "ClusterRoleBinding"):
            for binding in of_kind(objects, kind):
                namespace = binding["metadata"].get("namespace")
                role = binding["roleRef"]
                one(objects, role["kind"], role["name"], namespace if role["kind"] == "Role" else None)
                if binding["metadata"]["name"] == "ci-model-registry-reader":
                    continue
                if binding["roleRef"]["name"] in (VIEWER, EDITOR):
                    assert {subject["kind"] for subject in binding["subjects"]} <= {"User", "Group"}
                    continue
                (subject,) = binding["subjects"]
                one(objects, "ServiceAccount", subject["name"], subject["namespace"])


@ENVIRONMENTS
def test_only_who_calls_a_kubernetes_api_has_rights(name: str) -> None:
    """CP-3, CP-4, CP-5: worker, UI and Envoy have none."""
    objects = catalog.objects(ALL[name]())
    bindings = of_kind(objects, "RoleBinding") + of_kind(objects, "ClusterRoleBinding")
    subjects = {
        subject["name"]
        for binding in bindings
        for subject in binding["subjects"]
        if subject["kind"] == "ServiceAccount"
    }
    assert subjects <= {
        "michelangelo-apiserver",
        "michelangelo-controllermgr",
        "ray-manager",
        "historyserver",
        "ci-service-account",
        "inference-server-manager",
    }


@pytest.mark.parametrize(("release", "count"), [("2026.04", 14), ("0.12", 15)])
def test_rights_of_the_api_server_are_exactly_those_its_code_uses(release: Any, count: int) -> None:
    """CP-1 (facts 1.3): it may read and replace the platform's own definitions, nobody else's."""
    chosen = minimal(release)
    kinds = chosen.release.kinds
    owners = matrix(PLATFORM, {"pipelines/finalizers"}, {"update"}) if release == "0.12" else set()
    role = one(catalog.objects(chosen), "ClusterRole", "michelangelo-apiserver")
    assert set(grants(role)) == owners | (
        matrix(
            PLATFORM,
            set(kinds.values()),
            {"get", "list", "create", "update", "delete", "deletecollection"},
        )
        | matrix("apiextensions.k8s.io", {"customresourcedefinitions"}, {"list", "create"})
        | matrix("", {"namespaces"}, {"create"})
    )
    definitions = {f"{plural}.michelangelo.api" for plural in kinds.values()}
    assert len(definitions) == count
    assert named(role) == {
        ("customresourcedefinitions", "get"): definitions,
        ("customresourcedefinitions", "update"): definitions,
    }


def test_deleting_definitions_is_a_right_only_where_it_is_configured() -> None:
    """CP-1 (facts 1.3)."""
    deletes = ("apiextensions.k8s.io", "customresourcedefinitions", "delete")
    config = {"apiserver": {"crdSync": {"enableCRDDeletion": True}}}
    chosen = environment(controlPlane={"apiserver": {"config": config}})
    assert deletes in set(grants(one(catalog.objects(chosen), "ClusterRole", "michelangelo-apiserver")))
    assert deletes not in set(
        grants(one(catalog.objects(minimal()), "ClusterRole", "michelangelo-apiserver"))
    )


def test_rights_of_the_controller_manager_are_exactly_those_its_code_uses() -> None:
    """CP-2 (facts 1.3), of release 2026.04."""
    read = {"get", "list", "watch"}
    role = one(catalog.objects(production_aws("2026.04")), "ClusterRole", "michelangelo-controllermgr")
    assert set(grants(role)) == (
        matrix(PLATFORM, WRITTEN, read | {"update", "patch"})
        | matrix(PLATFORM, {f"{plural}/status" for plural in WRITTEN}, {"get", "update", "patch"})
        | matrix(PLATFORM, {"projects", "cachedoutputs", "models", "modelfamilys", "revisions"}, read)
        | matrix("", {"configmaps"}, read | {"create", "update", "delete"})
        | matrix("", {"services"}, read | {"create", "delete"})
        | matrix("apps", {"deployments"}, read | {"create", "delete"})
        | matrix("", {"events"}, {"create", "patch"})
        | matrix("sparkoperator.k8s.io", {"sparkapplications"}, {"get", "create"})
        | matrix("gateway.networking.k8s.io", {"httproutes"}, {"get", "create", "update", "delete"})
    )
    assert named(role) == {}


def test_rights_of_the_controller_manager_of_0_12_are_those_its_code_uses() -> None:
    """REL-1, CP-2: it writes revisions, deletes Spark applications and publishes models (#1139, #1268)."""
    read, everything = (
        {"get", "list", "watch"},
        {"get", "list", "watch", "create", "update", "patch", "delete"},
    )
    written = WRITTEN | {"revisions"}
    owners = {"pipelines/finalizers", "pipelineruns/finalizers", "triggerruns/finalizers"}
    role = one(catalog.objects(production_aws()), "ClusterRole", "michelangelo-controllermgr")
    assert set(grants(role)) == (
        matrix(PLATFORM, written, read | {"update", "patch"})
        | matrix(PLATFORM, {"revisions"}, {"create"})
        | matrix(PLATFORM, {f"{plural}/status" for plural in written}, {"get", "update", "patch"})
        | matrix(PLATFORM, {"projects", "cachedoutputs", "models", "modelfamilys"}, read)
        | matrix(PLATFORM, owners, {"update"})
        | matrix("", {"configmaps"}, read | {"create", "update", "delete"})
        | matrix("", {"services"}, everything)
        | matrix("discovery.k8s.io", {"endpointslices"}, everything)
        | matrix("gateway.networking.k8s.io", {"httproutes"}, everything)
        | matrix("apps", {"deployments"}, read | {"create", "delete"})
        | matrix("", {"events"}, {"create", "patch"})
        | matrix("sparkoperator.k8s.io", {"sparkapplications"}, {"get", "create", "delete"})
    )
    assert named(role) == {}


def test_the_controller_manager_reads_the_secrets_of_registered_clusters_and_no_other() -> None:
    """CP-2, REG-4: by name, in the namespace the platform fixes."""
    role = one(catalog.objects(production_aws()), "Role", "michelangelo-controllermgr-clusters")
    assert role["metadata"]["namespace"] == "default"
    assert list(grants(role)) == []
    assert named(role) == {
        ("secrets", "get"): {
            "cluster-cpu-east-ca-data",
            "cluster-cpu-east-client-token",
            "cluster-gpu-west-ca-data",
            "cluster-gpu-west-client-token",
        }
    }


def test_without_registered_clusters_no_secret_is_readable() -> None:
    """CP-2: no name to limit the right to, so no right."""
    for obj in catalog.objects(minimal()):
        for rule in obj.get("rules", []):
            assert "secrets" not in rule["resources"]


def test_the_lease_is_the_only_one_the_controller_manager_may_change() -> None:
    """CP-2 (V3): in the pods' own namespace, and only with leader election."""
    role = one(catalog.objects(production_aws()), "Role", "michelangelo-controllermgr-leader-election")
    assert role["metadata"]["namespace"] == "ma-system"
    assert set(grants(role)) == {("coordination.k8s.io", "leases", "create")}
    assert named(role) == {
        ("leases", "get"): {"michelangelo.example.com"},
        ("leases", "update"): {"michelangelo.example.com"},
    }
    alone = catalog.objects(gateway_minio())
    assert not any("leases" in rule["resources"] for obj in alone for rule in obj.get("rules", []))
