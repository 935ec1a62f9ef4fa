"""Pods that do not become ready, on a real API server: what a kubelet would report of them is written into
their status, and what refuses them is there."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from madeploy.clients.errors import ClientError
from madeploy.clients.kubernetes import Kubernetes, Object
from tests.support.waiting import wait

SPACE = "ma-system"
PODS = f"/api/v1/namespaces/{SPACE}/pods"


def pods(client: Kubernetes, service: str) -> list[Object]:
    """Pods of a service that are not going away."""
    found = client.items(PODS, labelSelector=f"app={service}")
    return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]


def again(client: Kubernetes, service: str) -> None:
    """New pods in place of those there are, as far as they are admitted."""
    for pod in pods(client, service):
        client.delete(f"{PODS}/{pod['metadata']['name']}", {"gracePeriodSeconds": 0})


def reported(client: Kubernetes, service: str, state: dict[str, Any], **more: Any) -> Object:
    """Write what a kubelet would of the container of one of a service's pods; gives the pod."""
    pod: Object = wait(lambda: pods(client, service))[0]
    (container,) = pod["spec"]["containers"]
    status = {
        "name": container["name"],
        "image": container["image"],
        "imageID": "",
        "ready": False,
        "restartCount": 0,
        "state": state,
        **more,
    }
    kinds = ("Ready", "ContainersReady")
    unready = [{"type": kind, "status": "False", "reason": "ContainersNotReady"} for kind in kinds]
    path = f"{PODS}/{pod['metadata']['name']}"
    # kwok reports a new pod's start: what is written before it is lost.
    wait(lambda: (client.get(path).get("status") or {}).get("phase") == "Running")
    client.merge(f"{path}/status", {"status": {"conditions": unready, "containerStatuses": [status]}})
    return pod


def warned(client: Kubernetes, pod: Object, reason: str, message: str) -> None:
    """Have a warning about a pod."""
    metadata = pod["metadata"]
    about = {key: metadata[key] for key in ("name", "namespace", "uid")}
    client.create(
        f"/api/v1/namespaces/{metadata['namespace']}/events",
        {
            "metadata": {"generateName": f"{metadata['name']}-"},
            "involvedObject": {"apiVersion": "v1", "kind": "Pod", **about},
            "type": "Warning",
            "reason": reason,
            "message": message,
        },
    )


def quota(client: Kubernetes, count: int) -> None:
    """Let there be so many pods."""
    path = f"/api/v1/namespaces/{SPACE}/resourcequotas/full"
    metadata = {"name": "full", "namespace": SPACE}
    spec = {"hard": {"pods": str(count)}}
    client.apply(
        path, {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": spec}, "test"
    )
    wait(lambda: (client.get(path).get("status") or {}).get("hard") == spec["hard"])


@contextlib.contextmanager
def refusing(client: Kubernetes, service: str, message: str) -> Iterator[None]:
    """Admit no pod of a service, by a policy of the API server's own."""
    api = "/apis/admissionregistration.k8s.io/v1"
    created = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
    rule = f"!has(object.metadata.labels) || object.metadata.labels[?'app'].orValue('') != '{service}'"
    metadata = {"name": f"no-{service}"}
    policies, bindings = f"{api}/validatingadmissionpolicies", f"{api}/validatingadmissionpolicybindings"
    client.create(
        policies,
        {
            "metadata": metadata,
            "spec": {
                "matchConstraints": {"resourceRules": [created]},
                "validations": [{"expression": rule, "message": message}],
            },
        },
    )
    bound = {"policyName": metadata["name"], "validationActions": ["Deny"]}
    client.create(bindings, {"metadata": metadata, "spec": bound})
    (owner, *_) = pods(client, service)
    tried = {"metadata": {"name": "tried", "labels": {"app": service}}, "spec": owner["spec"]}

    def is_refused() -> bool:
        try:
            client.create(PODS, tried, dryRun="All")
        except ClientError as error:
            return message in error.message
        return False

    try:
        wait(is_refused)
        yield
    finally:
        client.delete(f"{bindings}/{metadata['name']}")
        client.delete(f"{policies}/{metadata['name']}")
