"""What the services may do, asked of a real authorizer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from kubernetes import client, config, dynamic

from madeploy.sandbox.environment import Environment
from madeploy.settings import CONTROL_PLANE
from madeploy.settings import Environment as Settings
from manifests import catalog
from manifests.inputs import Inputs
from manifests.objects import Object
from tests.support.environments import environment as smallest
from tests.support.proves import proves

NAMESPACE = "rights-test"
KINDS = ("Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding")
CLUSTERS = {"gpu-west": {"kubeconfigContext": "gpu-west"}}

Question = dict[str, str]


def renamed(obj: Object, prefix: str) -> Object:
    """The object under a name of the test's own, because roles are shared by everyone on the cluster."""
    made = obj | {"metadata": obj["metadata"] | {"name": f"{prefix}-{obj['metadata']['name']}"}}
    if "roleRef" in obj:
        made["roleRef"] = obj["roleRef"] | {"name": f"{prefix}-{obj['roleRef']['name']}"}
    return made


@pytest.fixture(scope="module")
def authorization(environment: Environment) -> Iterator[client.AuthorizationV1Api]:
    """The control plane's authorizer, with the services' roles and bindings in place."""
    with granted(environment, smallest(platform={"namespace": NAMESPACE}, clusters=CLUSTERS)) as made:
        yield made


@contextmanager
def granted(environment: Environment, chosen: Settings) -> Iterator[client.AuthorizationV1Api]:
    """The authorizer, with the roles and bindings of an environment in the test's namespace."""
    control_plane = [obj for bundle in catalog.bundles(Inputs(chosen)) for obj in bundle.objects]
    namespace = chosen.platform.namespace
    objects = [renamed(obj, namespace) for obj in control_plane if obj["kind"] in KINDS]
    with config.new_client_from_config(str(environment.kubeconfig), CONTROL_PLANE) as api:
        dynamic_client = dynamic.DynamicClient(api)
        client.CoreV1Api(api).create_namespace({"metadata": {"name": namespace}})
        for obj in objects:
            resource = dynamic_client.resources.get(api_version=obj["apiVersion"], kind=obj["kind"])
            dynamic_client.server_side_apply(resource, body=obj, field_manager=namespace)
        yield client.AuthorizationV1Api(api)
        for obj in objects:
            resource = dynamic_client.resources.get(api_version=obj["apiVersion"], kind=obj["kind"])
            resource.delete(name=obj["metadata"]["name"], namespace=obj["metadata"].get("namespace"))
        client.CoreV1Api(api).delete_namespace(namespace)


def allowed(
    authorization: client.AuthorizationV1Api, service: str, question: Question, namespace: str = NAMESPACE
) -> bool:
    review: dict[str, Any] = {
        "spec": {
            "user": f"system:serviceaccount:{namespace}:michelangelo-{service}",
            "groups": [
                "system:serviceaccounts",
                f"system:serviceaccounts:{namespace}",
                "system:authenticated",
            ],
            "resourceAttributes": question,
        }
    }
    answer = authorization.create_subject_access_review(review)
    result: bool = answer.status.allowed
    return result


def ask(verb: str, resource: str, group: str = "", name: str = "", namespace: str = "") -> Question:
    return {"verb": verb, "resource": resource, "group": group, "name": name, "namespace": namespace}


PLATFORM, DEFINITIONS, LEASES = "michelangelo.api", "apiextensions.k8s.io", "coordination.k8s.io"


@pytest.mark.parametrize(
    ("service", "question"),
    [
        ("apiserver", ask("create", "customresourcedefinitions", DEFINITIONS)),
        ("apiserver", ask("update", "customresourcedefinitions", DEFINITIONS, "clusters.michelangelo.api")),
        ("apiserver", ask("deletecollection", "modelfamilys", PLATFORM, namespace="team-a")),
        ("apiserver", ask("create", "namespaces")),
        ("controllermgr", ask("get", "secrets", "", "cluster-gpu-west-client-token", "default")),
        ("controllermgr", ask("get", "secrets", "", "cluster-gpu-west-ca-data", "default")),
        ("controllermgr", ask("create", "leases", LEASES, namespace=NAMESPACE)),
        ("controllermgr", ask("update", "leases", LEASES, "michelangelo-controllermgr", NAMESPACE)),
        ("controllermgr", ask("watch", "clusters", PLATFORM)),
        ("controllermgr", ask("create", "deployments", "apps", namespace="team-a")),
    ],
)
@proves("CP-1", "CP-2")
def test_services_may_do_what_their_code_does(
    service: str, question: Question, authorization: client.AuthorizationV1Api
) -> None:
    """CP-1, CP-2."""
    assert allowed(authorization, service, question)


@pytest.mark.parametrize(
    ("service", "question"),
    [
        ("apiserver", ask("update", "customresourcedefinitions", DEFINITIONS, "issuers.cert-manager.io")),
        ("apiserver", ask("delete", "customresourcedefinitions", DEFINITIONS, "clusters.michelangelo.api")),
        ("apiserver", ask("get", "secrets", "", "cluster-gpu-west-client-token", "default")),
        ("apiserver", ask("delete", "namespaces", "", "team-a")),
        ("controllermgr", ask("get", "secrets", "", "another", "default")),
        ("controllermgr", ask("list", "secrets", namespace="default")),
        ("controllermgr", ask("get", "secrets", "", "cluster-gpu-west-ca-data", NAMESPACE)),
        ("controllermgr", ask("update", "leases", LEASES, "another", NAMESPACE)),
        ("controllermgr", ask("create", "leases", LEASES, namespace="kube-system")),
        ("controllermgr", ask("delete", "models", PLATFORM, namespace="team-a")),
        ("worker", ask("get", "clusters", PLATFORM, namespace="ma-system")),
        ("envoy", ask("get", "secrets", namespace=NAMESPACE)),
        ("ui", ask("list", "pods", namespace=NAMESPACE)),
    ],
)
@proves("CP-3")
def test_services_may_do_nothing_more(
    service: str, question: Question, authorization: client.AuthorizationV1Api
) -> None:
    """CP-1, CP-2, CP-3."""
    assert not allowed(authorization, service, question)


EVERY = {"get", "list", "watch", "create", "update", "patch", "delete"}
READING = {"get", "list", "watch"}
OF_SERVING: dict[tuple[str, str], set[str]] = {
    ("", "services"): EVERY,
    ("discovery.k8s.io", "endpointslices"): EVERY,
    ("gateway.networking.k8s.io", "httproutes"): EVERY,
    ("", "secrets"): READING,
    (PLATFORM, "models"): READING,
    (PLATFORM, "revisions"): READING | {"create", "update", "patch"},
    ("", "pods"): set(),
    ("", "nodes"): set(),
}
"""What the controller manager of 0.12 calls on the control plane's cluster to run inference servers."""


@pytest.fixture(scope="module")
def serving(environment: Environment, authorization: client.AuthorizationV1Api) -> Iterator[Any]:
    """The same with serving, one after the other."""
    chosen = smallest(
        platform={"namespace": f"{NAMESPACE}-serving", "release": "0.12"},
        clusters={"gpu-west": {"kubeconfigContext": "gpu-west", "serving": True}},
        serving={"namespace": "serving"},
    )
    with granted(environment, chosen) as made:
        yield made


@proves("OPS-5")
@pytest.mark.parametrize(("group", "resource"), OF_SERVING)
def test_with_serving_the_controller_manager_may_do_what_its_code_does_and_no_more(
    group: str, resource: str, serving: client.AuthorizationV1Api
) -> None:
    """OPS-5: verb by verb, in any namespace."""
    asked = (ask(verb, resource, group, namespace="team-a") for verb in EVERY)
    account = f"{NAMESPACE}-serving"
    given = {item["verb"] for item in asked if allowed(serving, "controllermgr", item, account)}
    assert given == OF_SERVING[group, resource]
