"""When an object counts as ready: the conditions pulumi-kubernetes 4 waits for, kind by kind.

A rule looks at one live object, and at others through the client where it must, and answers with the
reasons why it is not ready yet; no reasons means ready. `HopelessError` is for what waiting cannot mend.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from madeploy.sandbox.plugins.kubernetes.client import ApiError, Client, NoSuchKindError, Object
from madeploy.sandbox.plugins.kubernetes.objects import TOKEN_SECRET

Rule = Callable[[Client, Object], list[str]]


class HopelessError(Exception):
    """The object will not become ready."""


@dataclass(frozen=True)
class Wait:
    """How to wait for a kind.

    Args:
        rule: the condition.
        seconds: how long by default.
        adjustable: whether the resource's own timeout replaces the default; the official plugin has some
            fixed ones.
        on_read: whether a refresh looks at the condition, too.
    """

    rule: Rule
    seconds: float = 600.0
    adjustable: bool = True
    on_read: bool = True


def _deployment(client: Client, live: Object) -> list[str]:
    spec, status = live["spec"], live.get("status", {})
    if status.get("observedGeneration", 0) < live["metadata"].get("generation", 0):
        return ["the controller has not seen this generation yet"]
    wanted = spec.get("replicas", 1)
    updated, total, available = (
        status.get(key, 0) for key in ("updatedReplicas", "replicas", "availableReplicas")
    )
    if updated < wanted or total > updated or available < updated:
        return [
            "minimum number of live Pods was not attained: "
            f"{available} of {wanted} available, {updated} updated",
            *_pod_reasons(client, live),
        ]
    return []


def _stateful_set(client: Client, live: Object) -> list[str]:
    spec, status = live["spec"], live.get("status", {})
    if status.get("observedGeneration", 0) < live["metadata"].get("generation", 0):
        return ["the controller has not seen this generation yet"]
    wanted, ready = spec.get("replicas", 1), status.get("readyReplicas", 0)
    rolling = spec.get("updateStrategy", {}).get("type", "RollingUpdate") == "RollingUpdate"
    if ready < wanted:
        return [f"{ready} of {wanted} replicas ready", *_pod_reasons(client, live)]
    if rolling and status.get("currentRevision") != status.get("updateRevision"):
        return [f"{status.get('updatedReplicas', 0)} of {wanted} replicas updated"]
    return []


def _daemon_set(client: Client, live: Object) -> list[str]:
    status = live.get("status", {})
    if status.get("observedGeneration", 0) < live["metadata"].get("generation", 0):
        return ["the controller has not seen this generation yet"]
    wanted = status.get("desiredNumberScheduled", 0)
    updated, available = status.get("updatedNumberScheduled", 0), status.get("numberAvailable", 0)
    if updated < wanted or available < wanted:
        return [f"{available} of {wanted} Pods available, {updated} updated", *_pod_reasons(client, live)]
    return []


def _job(client: Client, live: Object) -> list[str]:
    if (failed := condition(live, "Failed")).get("status") == "True":
        raise HopelessError(f"the Job failed: {failed.get('reason', '')} {failed.get('message', '')}".strip())
    done = condition(live, "Complete").get("status") == "True"
    return [] if done else ["the Job has not succeeded yet", *_pod_reasons(client, live)]


def _pod(client: Client, live: Object) -> list[str]:
    phase = live.get("status", {}).get("phase")
    if phase == "Succeeded" or condition(live, "Ready").get("status") == "True":
        return []
    return pod_reasons(live) or [f"the Pod is {phase or 'not scheduled'}"]


def _service(client: Client, live: Object) -> list[str]:
    spec = live["spec"]
    kind = spec.get("type", "ClusterIP")
    reasons = []
    if kind == "LoadBalancer" and not live.get("status", {}).get("loadBalancer", {}).get("ingress"):
        reasons.append("Service was not allocated an IP address; does your cloud provider support this?")
    if kind != "ExternalName" and spec.get("clusterIP") != "None" and spec.get("selector"):
        label = f"kubernetes.io/service-name={live['metadata']['name']}"
        slices = client.list("discovery.k8s.io/v1", "EndpointSlice", live["metadata"]["namespace"], label)
        endpoints = [endpoint for entry in slices for endpoint in entry.get("endpoints") or []]
        if any(endpoint.get("conditions", {}).get("ready") is False for endpoint in endpoints):
            reasons.append("Service targets Pods that are not ready")
    return reasons


def _ingress(client: Client, live: Object) -> list[str]:
    if live.get("status", {}).get("loadBalancer", {}).get("ingress"):
        return []
    return [
        "Ingress .status.loadBalancer field was not updated with a hostname/IP address. No controller answers"
    ]


def _claim(client: Client, live: Object) -> list[str]:
    phase = live.get("status", {}).get("phase")
    if phase == "Bound" or (phase == "Pending" and _binds_late(client, live)):
        return []
    return [f"the claim is {phase or 'not seen yet'}"]


def _binds_late(client: Client, live: Object) -> bool:
    name = live["spec"].get("storageClassName")
    wanted = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": name}}
    try:
        return bool(name) and client.get(wanted).get("volumeBindingMode") == "WaitForFirstConsumer"
    except ApiError:
        return False


def _volume(client: Client, live: Object) -> list[str]:
    phase = live.get("status", {}).get("phase")
    return [] if phase in ("Available", "Bound") else [f"the volume is {phase or 'not seen yet'}"]


def _quota(client: Client, live: Object) -> list[str]:
    ready = live.get("spec", {}).get("hard") == live.get("status", {}).get("hard")
    return [] if ready else ["the quota is not in force yet"]


def _secret(client: Client, live: Object) -> list[str]:
    if live.get("type") != TOKEN_SECRET or live.get("data"):
        return []
    return ["the token controller has put no token into the Secret"]


def _definition(client: Client, live: Object) -> list[str]:
    if condition(live, "NamesAccepted").get("status") == "False":
        raise HopelessError(f"its names are taken: {condition(live, 'NamesAccepted').get('message', '')}")
    return (
        []
        if condition(live, "Established").get("status") == "True"
        else ["the definition is not established"]
    )


def _replication_controller(client: Client, live: Object) -> list[str]:
    wanted, available = live["spec"].get("replicas", 1), live.get("status", {}).get("availableReplicas", 0)
    return [] if available == wanted else [f"{available} of {wanted} replicas available"]


_WAITS: dict[tuple[str, str], Wait] = {
    ("apps", "Deployment"): Wait(_deployment),
    ("apps", "StatefulSet"): Wait(_stateful_set),
    ("apps", "DaemonSet"): Wait(_daemon_set),
    ("batch", "Job"): Wait(_job),
    ("networking.k8s.io", "Ingress"): Wait(_ingress),
    ("", "Pod"): Wait(_pod),
    ("", "Service"): Wait(_service),
    ("", "ReplicationController"): Wait(_replication_controller, adjustable=False, on_read=False),
    ("", "PersistentVolume"): Wait(_volume, 300.0, adjustable=False, on_read=False),
    ("", "PersistentVolumeClaim"): Wait(_claim, 300.0, adjustable=False, on_read=False),
    ("", "ResourceQuota"): Wait(_quota, 60.0, adjustable=False, on_read=False),
    ("", "Secret"): Wait(_secret, 5.0, adjustable=False, on_read=False),
    ("apiextensions.k8s.io", "CustomResourceDefinition"): Wait(_definition, 60.0, on_read=False),
}


def wait_for(api_version: str, kind: str) -> Wait | None:
    """How to wait for objects of a kind, or `None` where creation is all there is to wait for."""
    return _WAITS.get((api_version.rpartition("/")[0], kind))


def condition(live: Object, kind: str) -> dict[str, Any]:
    """The status condition of type `kind`, compared without regard to case; empty where there is none."""
    found = live.get("status", {})
    conditions = found.get("conditions") if isinstance(found, dict) else None
    for entry in conditions or []:
        if isinstance(entry, dict) and str(entry.get("type", "")).lower() == kind.lower():
            return entry
    return {}


def _pod_reasons(client: Client, owner: Object) -> list[str]:
    """What the pods of a workload say about why they do not run; at most three, alike ones once."""
    selector = owner["spec"].get("selector", {}).get("matchLabels") or {}
    if not selector:
        return []
    labels = ",".join(f"{key}={value}" for key, value in sorted(selector.items()))
    try:
        pods = client.list("v1", "Pod", owner["metadata"].get("namespace"), labels)
    except (ApiError, NoSuchKindError):
        return []
    reasons = [
        f"[Pod {pod['metadata']['namespace']}/{pod['metadata']['name']}]: {reason}"
        for pod in pods
        for reason in pod_reasons(pod)
    ]
    if not pods and (refused := condition(owner, "ReplicaFailure").get("message")):
        reasons.append(refused)
    return list({reason.partition("]: ")[2] or reason: reason for reason in reasons}.values())[:3]


def pod_reasons(pod: Object) -> list[str]:
    """Why a pod does not run: not scheduled, an image that cannot be pulled, containers that crash."""
    reasons = []
    scheduled = condition(pod, "PodScheduled")
    if scheduled.get("status") == "False":
        reasons.append(f"{scheduled.get('reason', 'Unschedulable')}: {scheduled.get('message', '')}")
    for container in pod.get("status", {}).get("containerStatuses") or []:
        waiting = (
            container.get("state", {}).get("waiting") or container.get("state", {}).get("terminated") or {}
        )
        if waiting.get("reason") not in (None, "ContainerCreating", "PodInitializing", "Completed"):
            told = f"{waiting['reason']}: {waiting.get('message', '')}".rstrip(": ")
            reasons.append(f"container {container['name']!r}: {told}")
    return reasons
