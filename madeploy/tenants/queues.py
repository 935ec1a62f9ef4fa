"""A tenant's queues on compute clusters: LocalQueues of Kueue (release 0.12)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from madeploy.clients.bounded import run_bounded
from madeploy.clients.errors import ClientError
from madeploy.clients.kubernetes import Kubernetes
from madeploy.errors import ToolkitError
from madeploy.names.kubernetes import RAY_NAMESPACE, local_queue

_QUEUES: Final = f"/apis/kueue.x-k8s.io/v1beta2/namespaces/{RAY_NAMESPACE}/localqueues"

SECONDS: Final = 30.0
"""For one cluster's answer."""

Connect = Callable[[str], Kubernetes]
"""Makes the client of a cluster by its name. Raises ClientError, ToolkitError."""


@dataclass(frozen=True)
class Queue:
    """A tenant's queue on one cluster."""

    cluster: str
    there: bool = False
    pending: int = 0
    """Jobs that wait in it."""

    admitted: int = 0
    """Jobs that run by it."""

    problem: str = ""
    """Why the cluster could not be asked; empty where it was."""

    def __str__(self) -> str:
        if self.problem:
            return f"{self.cluster}: not known"
        if not self.there:
            return f"{self.cluster}: none"
        return f"{self.cluster}: {self.admitted} running, {self.pending} waiting"

    def to_data(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "cluster": self.cluster,
            "there": self.there,
            "pending": self.pending,
            "admitted": self.admitted,
            "problem": self.problem,
        }


def queues(connect: Connect, clusters: Sequence[str], tenants: Iterable[str]) -> dict[str, tuple[Queue, ...]]:
    """Each tenant's queue on each of these clusters, which are asked side by side. What is on one that cannot
    be asked is not known."""
    names = tuple(tenants)

    def unknown(cluster: str, problem: str) -> dict[str, Queue]:
        return {name: Queue(cluster, problem=problem) for name in names}

    def look(cluster: str) -> dict[str, Queue]:
        try:
            return _on(connect(cluster), cluster, names)
        except (ClientError, ToolkitError) as error:
            return unknown(cluster, str(error))

    def late(cluster: str) -> dict[str, Queue]:
        return unknown(cluster, f"it does not answer within {SECONDS:.0f} s")

    found = run_bounded({cluster: partial(look, cluster) for cluster in clusters}, late, SECONDS)
    return {name: tuple(found[cluster][name] for cluster in clusters) for name in names}


def _on(client: Kubernetes, cluster: str, tenants: Iterable[str]) -> dict[str, Queue]:
    try:
        there = {str(item["metadata"]["name"]): item for item in client.items(_QUEUES)}
    except ClientError as error:
        # A cluster without Kueue's definitions.
        if error.cause != "notFound":
            raise
        there = {}
    found = {}
    for tenant in tenants:
        item = there.get(local_queue(tenant))
        status = (item or {}).get("status") or {}
        pending, admitted = (int(status.get(f"{state}Workloads") or 0) for state in ("pending", "admitted"))
        found[tenant] = Queue(cluster, item is not None, pending, admitted)
    return found


def delete_queues(connect: Connect, clusters: Iterable[str], tenant: str) -> None:
    """Delete the tenant's queue on each of these clusters; what is gone is passed over. Raises ClientError,
    ToolkitError."""
    for cluster in clusters:
        connect(cluster).delete(f"{_QUEUES}/{local_queue(tenant)}")
