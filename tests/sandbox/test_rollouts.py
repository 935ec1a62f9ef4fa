"""Why workloads do not become ready, on real API servers, schedulers and controllers.

No container runs there: what a kubelet would report of one is written into the pod's status.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from madeploy.clients.kubernetes import Kubernetes
from madeploy.clients.rollouts import Kind, Reason, Workload, explain
from madeploy.kubeconfigs.files import read_context
from madeploy.sandbox.environment import Environment
from tests.support.waiting import wait

pytestmark = pytest.mark.sandbox

PATIENCE = 180.0
NOWHERE = "a-node-that-is-not-there"
_numbers = itertools.count(1)
Wait = Callable[[str, Kind], Reason]


@pytest.fixture
def client(environment: Environment) -> Kubernetes:
    return Kubernetes.from_kubeconfig(
        read_context("control-plane", {"KUBECONFIG": str(environment.kubeconfig)})
    )


@pytest.fixture
def namespace(client: Kubernetes) -> Iterator[str]:
    """A namespace of the test's own."""
    name = f"rollouts-{next(_numbers)}"
    client.create("/api/v1/namespaces", {"metadata": {"name": name}})
    yield name
    client.delete(f"/api/v1/namespaces/{name}")


def deploy(client: Kubernetes, namespace: str, replicas: int = 2, **spec: Any) -> None:
    """A Deployment `main` whose pods have this spec over the plain one."""
    labels = {"app": "main"}
    container = {"name": "main", "image": "registry.example.com/main:1", **spec.pop("container", {})}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container], **spec}}
    client.create(
        f"/apis/apps/v1/namespaces/{namespace}/deployments",
        {
            "metadata": {"name": "main"},
            "spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template},
        },
    )


def waited_for(client: Kubernetes, namespace: str, kind: Kind) -> Reason:
    """The only reason there is, once it is of this kind."""
    deadline = time.monotonic() + PATIENCE
    while True:
        reasons = explain(client, Workload("Deployment", namespace, "main"))
        if [reason.kind for reason in reasons] == [kind]:
            return reasons[0]
        assert time.monotonic() < deadline, reasons
        time.sleep(0.3)


def reported(client: Kubernetes, namespace: str, state: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Write what a kubelet would about the one pod's container; the pod."""
    pods = wait(lambda: list(client.items(f"/api/v1/namespaces/{namespace}/pods")))
    image = pods[0]["spec"]["containers"][0]["image"]
    status = {
        "name": "main",
        "image": image,
        "imageID": "",
        "ready": False,
        "restartCount": 0,
        "state": state,
        **more,
    }
    conditions = [{"type": "Ready", "status": "False", "reason": "ContainersNotReady"}]
    client.merge(
        f"/api/v1/namespaces/{namespace}/pods/{pods[0]['metadata']['name']}/status",
        {"status": {"phase": "Pending", "conditions": conditions, "containerStatuses": [status]}},
    )
    return pods[0]


def test_pods_that_no_node_takes(client: Kubernetes, namespace: str) -> None:
    """UX-3: in the scheduler's words."""
    deploy(client, namespace, container={"resources": {"requests": {"cpu": "90000"}}})
    reason = waited_for(client, namespace, "unschedulable")
    assert "Insufficient cpu" in reason.text
    assert reason.pods == 2


def test_pods_that_a_quota_does_not_allow(client: Kubernetes, namespace: str) -> None:
    """UX-3: there are none, so that their controller's conditions say why."""
    quotas = f"/api/v1/namespaces/{namespace}/resourcequotas"
    client.create(quotas, {"metadata": {"name": "no-pods"}, "spec": {"hard": {"pods": "0"}}})
    wait(lambda: "used" in (client.get(f"{quotas}/no-pods").get("status") or {}))
    deploy(client, namespace)
    assert "exceeded quota: no-pods" in waited_for(client, namespace, "quota").text


def test_pods_that_pod_security_refuses(client: Kubernetes, namespace: str) -> None:
    """UX-3: the Deployment is admitted, and its pods are not."""
    enforced = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}
    client.merge(f"/api/v1/namespaces/{namespace}", enforced)
    deploy(client, namespace)
    assert 'violates PodSecurity "restricted' in waited_for(client, namespace, "admission").text


def test_an_image_that_cannot_be_had(client: Kubernetes, namespace: str) -> None:
    """UX-3: which one, and what its registry said."""
    deploy(client, namespace, replicas=1, nodeName=NOWHERE)
    said = 'Back-off pulling image "registry.example.com/main:1": not found'
    reported(client, namespace, {"waiting": {"reason": "ImagePullBackOff", "message": said}})
    reason = waited_for(client, namespace, "image")
    assert "image registry.example.com/main:1 of container main" in reason.text
    assert "not found" in reason.text


def test_a_program_that_ends(client: Kubernetes, namespace: str) -> None:
    """UX-3: with its exit code and its last words, without the password in them."""
    deploy(client, namespace, replicas=1, nodeName=NOWHERE)
    last = {
        "exitCode": 3,
        "reason": "Error",
        "message": "FATAL: database refused password=hunter2-of-a-test\n",
    }
    reported(
        client,
        namespace,
        {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s"}},
        restartCount=4,
        lastState={"terminated": last},
    )
    reason = waited_for(client, namespace, "crash")
    assert "container main ended with exit code 3, 4 times, saying: FATAL: database refused" in reason.text
    assert "hunter2" not in str(reason)


def test_a_probe_that_is_not_answered(client: Kubernetes, namespace: str) -> None:
    """UX-3: the program runs; what the probe got stands in an event."""
    deploy(client, namespace, replicas=1, nodeName=NOWHERE)
    pod = reported(client, namespace, {"running": {"startedAt": "2026-01-01T00:00:00Z"}})
    about = {key: pod["metadata"][key] for key in ("name", "namespace", "uid")}
    client.create(
        f"/api/v1/namespaces/{namespace}/events",
        {
            "metadata": {"generateName": "main-"},
            "involvedObject": {"apiVersion": "v1", "kind": "Pod", **about},
            "type": "Warning",
            "reason": "Unhealthy",
            "message": "Readiness probe failed: HTTP probe failed with statuscode: 503",
        },
    )
    assert "statuscode: 503" in waited_for(client, namespace, "probe").text


def test_a_roll_out_that_finished_has_no_reasons(client: Kubernetes, namespace: str) -> None:
    """UX-3: no guess where there is no trouble; nor where there is nothing."""
    deploy(client, namespace)
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/main"
    wait(lambda: (client.get(path).get("status") or {}).get("readyReplicas") == 2)
    assert explain(client, Workload("Deployment", namespace, "main")) == ()
    assert explain(client, Workload("Deployment", namespace, "none")) == ()
