"""What the platform may do on a cluster with queues and inference servers, asked of a real authorizer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from kubernetes import client, config, dynamic

from madeploy.sandbox.environment import Environment
from manifests import registration
from manifests.inputs import Inputs
from manifests.objects import Object
from manifests.queues import queues
from manifests.serving import target_side, token_requests
from tests.manifests.test_serving import CALLS
from tests.support.environments import QUEUES
from tests.support.environments import environment as smallest
from tests.support.proves import proves

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


def test_kubernetes_writes_the_token_of_serving(api: client.ApiClient) -> None:
    """OPS-5: into the Secret that is asked for; it is the account's."""
    core = client.CoreV1Api(api)
    for _ in range(100):
        data = core.read_namespaced_secret("inference-server-manager-token", "default").data or {}
        if data.get("token"):
            break
        time.sleep(0.1)
    assert set(data) == {"token", "ca.crt", "namespace"}
