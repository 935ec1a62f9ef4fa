"""A tenant's queues on compute clusters: LocalQueues of Kueue (release 0.12)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from madeploy.clients.errors import ClientError
from madeploy.clients.kubernetes import Kubernetes
from madeploy.errors import ToolkitError
from madeploy.names.kubernetes import RAY_NAMESPACE, local_queue

_QUEUES: Final = f"/apis/kueue.x-k8s.io/v1beta2/namespaces/{RAY_NAMESPACE}/localqueues"

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


def queues(connect: Connect, clusters: Iterable[str], tenant: str) -> tuple[Queue, ...]:
    """The tenant's queue on each of these clusters. One that cannot be asked says so."""
    return tuple(_queue(connect, cluster, tenant) for cluster in clusters)


def _queue(connect: Connect, cluster: str, tenant: str) -> Queue:
    try:
        found = connect(cluster).find(f"{_QUEUES}/{local_queue(tenant)}")
    except (ClientError, ToolkitError) as error:
        return Queue(cluster, problem=str(error))
    status = (found or {}).get("status") or {}
    pending, admitted = (int(status.get(f"{state}Workloads") or 0) for state in ("pending", "admitted"))
    return Queue(cluster, found is not None, pending, admitted)


def delete_queues(connect: Connect, clusters: Iterable[str], tenant: str) -> None:
    """Delete the tenant's queue on each of these clusters; what is gone is passed over. Raises ClientError,
    ToolkitError."""
    for cluster in clusters:
        connect(cluster).delete(f"{_QUEUES}/{local_queue(tenant)}")
