"""What the platform may do on a cluster with queues and inference servers, asked of a real authorizer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from kubernetes import client, config, dynamic

from madeploy.clients.kubernetes import Kubernetes
from madeploy.clusters import serving_token
from madeploy.clusters.registration import Registered
from madeploy.clusters.remedies import remedies
from madeploy.findings import Finding
from madeploy.sandbox.environment import Environment
from madeploy.settings import CONTROL_PLANE
from manifests import registration
from manifests.inputs import Inputs
from manifests.objects import Object
from manifests.queues import queues
from manifests.serving import target_side, token_requests
from tests.manifests.test_serving import CALLS
from tests.support.environments import QUEUES
from tests.support.environments import environment as smallest
from tests.support.proves import proves
from tests.support.waiting import wait

CLUSTER = "compute-0"
VERBS = {"get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"}
CHOSEN = smallest(
    serving={"namespace": "targets-test", "createNamespace": True},
    clusters={CLUSTER: {"kubeconfigContext": CLUSTER, "serving": True, "queues": QUEUES}},
    controlPlane={"controllermgr": {"scheduler": "kueue"}},
)


@pytest.fixture(scope="module")
def api(environment: Environment) -> Iterator[client.ApiClient]:
    """The compute cluster with everything that serving and queues put there, as one applies files."""
    objects: list[Object] = [
        *registration.compute_side(Inputs(CHOSEN), CLUSTER).objects,
        *target_side(Inputs(CHOSEN), CLUSTER),
        *token_requests(CHOSEN, CLUSTER),
        *queues(CHOSEN, CLUSTER),
    ]
    with config.new_client_from_config(str(environment.kubeconfig), CLUSTER) as made:
        dynamic_client = dynamic.DynamicClient(made)
        for obj in objects:
            resource = dynamic_client.resources.get(api_version=obj["apiVersion"], kind=obj["kind"])
            dynamic_client.server_side_apply(resource, body=obj, field_manager="targets-test")
        yield made
        for obj in reversed(objects):
            resource = dynamic_client.resources.get(api_version=obj["apiVersion"], kind=obj["kind"])
            resource.delete(name=obj["metadata"]["name"], namespace=obj["metadata"].get("namespace"))


def may(api: client.ApiClient, account: str, verb: str, group: str, resource: str, namespace: str) -> bool:
    """Whether an account of namespace `default` may do that."""
    name, _, sub = resource.partition("/")
    attributes = {"verb": verb, "group": group, "resource": name, "namespace": namespace}
    if sub:
        attributes["subresource"] = sub
    review: dict[str, Any] = {
        "spec": {
            "user": f"system:serviceaccount:default:{account}",
            "groups": ["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"],
            "resourceAttributes": attributes,
        }
    }
    answer = client.AuthorizationV1Api(api).create_subject_access_review(review)
    return bool(answer.status.allowed)


@proves("OPS-5")
def test_the_account_of_serving_may_do_what_the_platform_does_and_nothing_more(api: client.ApiClient) -> None:
    """OPS-5: verb by verb, in any namespace; no Secret, no Ray, no node's own proxy."""
    account = "inference-server-manager"
    for (group, resource), verbs in CALLS.items():
        given = {verb for verb in VERBS if may(api, account, verb, group, resource, "serving")}
        assert given == verbs, f"{group}/{resource}"
    for group, resource in (
        ("", "secrets"),
        ("ray.io", "rayclusters"),
        ("", "nodes/proxy"),
        ("", "pods/exec"),
    ):
        assert not any(may(api, account, verb, group, resource, "serving") for verb in VERBS)


@proves("OPS-6")
def test_ray_manager_may_look_whether_a_queue_is_there_and_nothing_more(api: client.ApiClient) -> None:
    """OPS-6: refused, every job would end as KueueQueueCheckFailed."""
    group = "kueue.x-k8s.io"
    assert may(api, "ray-manager", "get", group, "localqueues", "default")
    assert not may(api, "ray-manager", "get", group, "localqueues", "elsewhere")
    others = VERBS - {"get"}
    assert not any(may(api, "ray-manager", verb, group, "localqueues", "default") for verb in others)
    assert not any(may(api, "ray-manager", verb, group, "clusterqueues", "") for verb in VERBS)


@pytest.fixture(scope="module")
def handed_over(api: client.ApiClient, environment: Environment) -> Registered:
    """The cluster as serving reads it on the control plane, with the token that Kubernetes wrote."""
    compute = environment.clusters[CLUSTER]
    written = wait(lambda: serving_token.present(compute.api).get(1))
    host, _, port = compute.server.rpartition(":")
    authority = compute.kubeconfig_entry().authority.decode()
    names = {"ca": "cluster-compute-0-ca-data", "token": "cluster-compute-0-is-token"}
    return Registered(CLUSTER, host, port, authority, written, {}, {"ca": {}, "token": {}}, names)


def proven(environment: Environment, handed_over: Registered) -> tuple[str, Finding | None]:
    """What `clusters verify` finds about the token of serving."""

    def asking(token: str) -> Kubernetes:
        return Kubernetes.registered(handed_over.server, handed_over.certificate_authority, token)

    hub, compute = (environment.clusters[name].api for name in (CONTROL_PLANE, CLUSTER))
    known = remedies(CHOSEN, CLUSTER, "prod")
    return serving_token.prove(CHOSEN, handed_over, asking, hub, compute, known)


@proves("OPS-5")
def test_the_token_of_serving_is_proven_with_itself(
    environment: Environment, handed_over: Registered
) -> None:
    """OPS-5: as Kubernetes wrote it into the Secret that is asked for; each right asked for by the token."""
    said, finding = proven(environment, handed_over)
    assert finding is None
    assert said.startswith("inference-server-manager: all 44 rights")


def test_a_token_of_serving_that_is_missing_or_somebody_elses_is_told(
    environment: Environment, handed_over: Registered
) -> None:
    """OPS-5, REG-11: as for the job's credential, with a way out."""
    compute = environment.clusters[CLUSTER].api
    other = compute.create("/api/v1/namespaces/default/serviceaccounts/default/token", {"spec": {}})
    secrets = {"ca": {}, "token": None}
    cases = {
        "MA441": replace(handed_over, token="", secrets=secrets),
        "MA440": replace(handed_over, token=handed_over.token + "\n"),
        "MA444": replace(handed_over, token=other["status"]["token"]),
    }
    for code, handed in cases.items():
        _, finding = proven(environment, handed)
        assert finding is not None
        assert finding.code == code
        assert finding.fix


def test_a_right_that_was_taken_from_serving_is_named(
    environment: Environment, handed_over: Registered
) -> None:
    """OPS-5, REG-6: all that are missing at once, and nothing else is touched by the test."""
    compute = environment.clusters[CLUSTER].api
    path = "/apis/rbac.authorization.k8s.io/v1/clusterroles/inference-server-manager"
    rules = compute.get(path)["rules"]
    compute.merge(path, {"rules": [rule for rule in rules if rule["resources"] != ["pods"]]})
    try:
        found = wait(lambda: proven(environment, handed_over)[1])
    finally:
        compute.merge(path, {"rules": rules})
    assert found.code == "MA443"
    assert found.evidence == (
        "inference-server-manager may not get pods in all namespaces; may not list pods in all namespaces"
    )
