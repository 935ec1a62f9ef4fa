"""The controller manager's pods: which of them may still hold a credential of old."""

from __future__ import annotations

from madeploy.clients.kubernetes import Kubernetes, Object
from madeploy.clients.objects import is_ready, seconds_of
from madeploy.names.kubernetes import selector_labels, workload

SERVICE = workload("controllermgr")


def pods(control_plane: Kubernetes, namespace: str) -> list[Object]:
    """Pods of the controller manager that are not on their way out. Raises ClientError."""
    selector = ",".join(f"{key}={value}" for key, value in selector_labels("controllermgr").items())
    found = control_plane.items(f"/api/v1/namespaces/{namespace}/pods", labelSelector=selector)
    return [pod for pod in found if not pod["metadata"].get("deletionTimestamp")]


def is_at_work(control_plane: Kubernetes, namespace: str) -> bool:
    """Whether a pod of it is ready: without one no `Cluster` can be deleted (V16). Raises ClientError."""
    return any(map(is_ready, pods(control_plane, namespace)))


def has_rolled_since(control_plane: Kubernetes, namespace: str, moment: float) -> bool:
    """Whether every pod was created later than `moment` (seconds since 1970 by the control plane's clock), so
    that none can hold what was read before (facts 3.1). Times there are whole seconds: a pod of the same
    second counts as older. Raises ClientError."""
    return all(
        seconds_of(pod["metadata"]["creationTimestamp"]) > moment for pod in pods(control_plane, namespace)
    )


def changed_at(metadata: Object) -> float:
    """When an object was last written, by its managed fields (Kubernetes API conventions), seconds since
    1970."""
    stamps = [entry.get("time") for entry in metadata.get("managedFields") or ()]
    return max(seconds_of(stamp) for stamp in (*stamps, metadata["creationTimestamp"]) if stamp)
