"""What a tenant has on the control plane's cluster, what of it runs, and how it goes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from madeploy.clients.errors import ClientError
from madeploy.clients.kubernetes import Kubernetes
from madeploy.clients.objects import conditions
from madeploy.names.kubernetes import API_VERSION, PLURALS
from madeploy.names.tenants import TENANT_LABEL
from madeploy.releases import Release

POLL_SECONDS: Final = 1.0

_ENDS: Final = ("SUCCEEDED", "FAILED", "KILLED", "SKIPPED", "TERMINATED", "STOPPED")
"""How the states of the platform's objects end in which nothing runs any more (facts 4.4)."""

_RUNS: Final = ("PipelineRun", "TriggerRun", "RayCluster", "RayJob", "SparkJob")
"""Kinds that run to an end, by their state."""

_SERVES: Final = ("InferenceServer", "Deployment")
"""Kinds that run as long as they are there."""


@dataclass(frozen=True)
class Holdings:
    """Objects of a tenant on the control plane's cluster."""

    name: str
    namespace: bool = False
    """Whether its namespace is there and carries the tenant's label."""

    project: bool = False
    objects: Mapping[str, int] = field(default_factory=dict)
    """How many objects of each kind of the platform's, those that are there, the Project left out."""

    running: tuple[str, ...] = ()
    """What has not ended, as `Kind name (state)`; pods included."""

    quota: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Used and allowed, by resource."""

    def to_data(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "name": self.name,
            "namespace": self.namespace,
            "project": self.project,
            "objects": dict(self.objects),
            "running": list(self.running),
            "quota": {name: {"used": used, "hard": hard} for name, (used, hard) in self.quota.items()},
        }


def there(client: Kubernetes) -> list[str]:
    """Names of the tenants whose namespaces are on the cluster, in the settings or not. Raises
    ClientError."""
    found = client.items("/api/v1/namespaces", labelSelector=TENANT_LABEL)
    return sorted(str(item["metadata"]["name"]) for item in found)


def holdings(client: Kubernetes, release: Release, name: str) -> Holdings:
    """Everything a tenant has. Raises ClientError."""
    namespace = client.find(f"/api/v1/namespaces/{name}")
    if namespace is None or namespace["metadata"].get("labels", {}).get(TENANT_LABEL) != name:
        return Holdings(name)
    objects: dict[str, int] = {}
    running: list[str] = []
    for kind in release.kinds:
        items = list(_items(client, name, kind))
        if kind == "Project" or not items:
            continue
        objects[kind] = len(items)
        for item in items:
            state = str((item.get("status") or {}).get("state") or "")
            if kind in _SERVES or (kind in _RUNS and not state.endswith(_ENDS)):
                running.append(f"{kind} {item['metadata']['name']} ({state.lower() or 'no state yet'})")
    for pod in client.items(f"/api/v1/namespaces/{name}/pods"):
        phase = pod.get("status", {}).get("phase", "Pending")
        if phase in ("Pending", "Running"):
            running.append(f"Pod {pod['metadata']['name']} ({phase.lower()})")
    quota: dict[str, tuple[str, str]] = {}
    for item in client.items(f"/api/v1/namespaces/{name}/resourcequotas"):
        status = item.get("status") or {}
        used = status.get("used") or {}
        quota |= {
            key: (str(used.get(key, "0")), str(hard)) for key, hard in (status.get("hard") or {}).items()
        }
    project = client.find(f"{_root(name)}/{PLURALS['Project']}/{name}") is not None
    return Holdings(name, True, project, objects, tuple(running), quota)


def _root(namespace: str) -> str:
    return f"/apis/{API_VERSION}/namespaces/{namespace}"


def _items(client: Kubernetes, namespace: str, kind: str) -> list[Mapping[str, Any]]:
    try:
        return list(client.items(f"{_root(namespace)}/{PLURALS[kind]}"))
    except ClientError as error:
        # A kind that the deployed release does not have.
        if error.cause != "notFound":
            raise
        return []


def delete(
    client: Kubernetes,
    name: str,
    seconds: float,
    tell: Callable[[str], None],
    pause: Callable[[float], None] = time.sleep,
) -> str:
    """Delete a tenant's Project and then its namespace, each waited for. Returns "" when both are gone, else
    what is still there and what it waits for. Raises ClientError.

    May be called again: what is gone is passed over. A namespace without the tenant's label is not touched.
    """
    deadline = time.monotonic() + seconds
    for what, path in (
        ("Project", f"{_root(name)}/{PLURALS['Project']}/{name}"),
        ("Namespace", f"/api/v1/namespaces/{name}"),
    ):
        found = client.find(path)
        if what == "Namespace" and found and found["metadata"].get("labels", {}).get(TENANT_LABEL) != name:
            return f"namespace {name} is no tenant's: it has no label {TENANT_LABEL}"
        if found is None:
            continue
        client.delete(path)
        while (found := client.find(path)) is not None:
            if time.monotonic() >= deadline:
                return f"{what} {name} is still there: {_waits_for(found)}"
            tell(f"{what} {name} is being deleted")
            pause(POLL_SECONDS)
    return ""


def _waits_for(item: Mapping[str, Any]) -> str:
    finalizers = item["metadata"].get("finalizers") or (item.get("spec") or {}).get("finalizers") or ()
    said = [
        str(condition.get("message"))
        for condition in conditions(item)
        if condition.get("status") == "True" and condition.get("message")
    ]
    return (
        "; ".join([f"finalizers {', '.join(finalizers)}"] * bool(finalizers) + said) or "no reason is given"
    )
