"""Workloads of a cluster: by the platform's own objects, and by Ray's objects on the cluster itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from madeploy.clients.errors import ClientError
from madeploy.clients.kubernetes import Kubernetes, Object
from madeploy.clusters.session import Session, Tell
from madeploy.errors import ToolkitError
from madeploy.findings import Finding, find
from madeploy.names.kubernetes import API_GROUP, RAY_NAMESPACE
from madeploy.progress import phase
from madeploy.settings import CONTROL_PLANE, Environment

POLL_SECONDS = 5.0
ENDED: Final = frozenset(
    {
        "RAY_CLUSTER_STATE_TERMINATED",
        "RAY_CLUSTER_STATE_FAILED",
        "RAY_JOB_STATE_SUCCEEDED",
        "RAY_JOB_STATE_FAILED",
        "RAY_JOB_STATE_KILLED",
    }
)
"""States of the platform's objects in which nothing runs any more (facts 4.4)."""
ENDED_JOBS: Final = frozenset({"SUCCEEDED", "FAILED", "STOPPED"})
"""The same of Ray's own jobs."""


@dataclass(frozen=True)
class Work:
    """One workload that runs on a cluster, or is about to."""

    where: str
    """`control plane` for the platform's own objects, `cluster` for Ray's."""

    kind: str
    namespace: str
    name: str
    state: str
    """As it reports it; "" where it does not."""

    def __str__(self) -> str:
        return (
            f"{self.kind} {self.namespace}/{self.name} ({self.state.lower() or 'no state yet'}, {self.where})"
        )

    def to_data(self) -> dict[str, str]:
        """Plain data for JSON."""
        return {
            "where": self.where,
            "kind": self.kind,
            "namespace": self.namespace,
            "name": self.name,
            "state": self.state,
        }


def assigned(control_plane: Kubernetes, cluster: str) -> list[Work]:
    """RayClusters of the platform that are assigned to a cluster and have not ended, and RayJobs that run on
    them (facts 3.3, 4.4). Raises ClientError."""
    found: list[Work] = []
    held: set[tuple[str, str]] = set()
    for item in control_plane.items(f"/apis/{API_GROUP}/v2/rayclusters"):
        if ((item.get("status") or {}).get("assignment") or {}).get("cluster") == cluster:
            found.append(_work("control plane", "RayCluster", item, "state"))
            held.add((found[-1].namespace, found[-1].name))
    for item in control_plane.items(f"/apis/{API_GROUP}/v2/rayjobs"):
        reference = (item.get("spec") or {}).get("cluster") or {}
        namespace = reference.get("namespace") or item["metadata"]["namespace"]
        if (namespace, reference.get("name")) in held:
            found.append(_work("control plane", "RayJob", item, "state"))
    return [work for work in found if work.state not in ENDED]


def running(compute: Kubernetes) -> list[Work]:
    """Ray's own RayClusters, and RayJobs that have not ended, where the platform makes them. None where the
    cluster has no KubeRay. Raises ClientError."""
    return [
        *_listed(compute, "RayCluster", "state"),
        *(work for work in _listed(compute, "RayJob", "jobStatus") if work.state not in ENDED_JOBS),
    ]


def _listed(compute: Kubernetes, kind: str, state: str) -> Iterator[Work]:
    try:
        for item in compute.items(f"/apis/ray.io/v1/namespaces/{RAY_NAMESPACE}/{kind.lower()}s"):
            yield _work("cluster", kind, item, state)
    except ClientError as error:
        if error.cause != "notFound":
            raise


def _work(where: str, kind: str, item: Object, state: str) -> Work:
    shown = str((item.get("status") or {}).get(state) or "")
    return Work(where, kind, item["metadata"]["namespace"], item["metadata"]["name"], shown)


def wait_until_idle(
    look: Callable[[], list[Work]],
    seconds: float,
    tell: Tell,
    pause: Callable[[float], None] = time.sleep,
) -> list[Work]:
    """Wait until nothing runs, at most `seconds`. Returns what runs then; nothing, in the good case. Raises
    ClientError."""
    deadline = time.monotonic() + seconds
    while True:
        there = look()
        if not there or time.monotonic() >= deadline:
            return there
        tell(f"{len(there)} still there, {there[0]} among them")
        pause(min(POLL_SECONDS, max(deadline - time.monotonic(), 0)))


def busy_finding(cluster: str, there: list[Work], seconds: float) -> Finding:
    """The finding for what still runs when the time is over."""
    named = "; ".join(map(str, there[:5])) + (f"; and {len(there) - 5} more" if len(there) > 5 else "")
    return find("MA472", cluster, f"after {seconds:.0f} s: {named}")


def without_cluster(settings: Environment, cluster: str) -> Finding:
    """The warning about where jobs go that name no cluster, once this one is gone (facts 3.4). There is no
    cordon either: until it is removed, the platform goes on sending it what it likes."""
    others = sorted(
        name
        for name, entry in settings.clusters.items()
        if name != cluster and entry.credential.generation > 0
    )
    if not others:
        return find("MA473", cluster, "no other cluster is registered: new jobs will wait until one is")
    shown = ", ".join(others[:5]) + (", …" if len(others) > 5 else "")
    return find("MA473", cluster, f"jobs without an affinity go to one of {shown}, whichever comes first")


def drained(
    session: Session, name: str, seconds: float, show: Callable[[list[Work]], None]
) -> tuple[list[Work], list[Finding]]:
    """What still runs on a cluster after waiting at most `seconds`, and what there is to say of it. `show` is
    given what runs before that. Raises ToolkitError (3) when one of the two sides does not answer."""
    try:
        control_plane, compute = session.client(CONTROL_PLANE), session.client(name)
        there = _look(control_plane, compute, name)
        if there:
            show(there)
        if there and seconds > 0:
            with phase(f"waiting until nothing runs on {name}") as waiting:
                there = wait_until_idle(lambda: _look(control_plane, compute, name), seconds, waiting.note)
    except ClientError as error:
        raise ToolkitError(
            f"what runs on {name} cannot be seen",
            str(error),
            f"see why: bin/madeploy clusters verify {name} --stack {session.name}",
        ) from None
    findings = [busy_finding(name, there, seconds)] if there else []
    return there, [*findings, without_cluster(session.settings(), name)]


def _look(control_plane: Kubernetes, compute: Kubernetes, name: str) -> list[Work]:
    return [*assigned(control_plane, name), *running(compute)]
