"""One line about each registered cluster: what can be said of it now."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from madeploy.clients.errors import ClientError
from madeploy.clients.kubernetes import Kubernetes
from madeploy.clients.objects import seconds_of
from madeploy.clusters.checks.credential import accept
from madeploy.clusters.checks.health import health, health_findings
from madeploy.clusters.checks.kuberay import operator_version
from madeploy.clusters.controller_manager import changed_at
from madeploy.clusters.failures import finding_of
from madeploy.clusters.registration import (
    Registered,
    read_registration,
    registered_client,
    secret_path,
)
from madeploy.clusters.remedies import Remedies
from madeploy.clusters.workloads import ENDED, ENDED_JOBS
from madeploy.findings import Finding, find
from madeploy.kubeconfigs import tokens
from madeploy.names.kubernetes import API_GROUP, RAY_NAMESPACE


@dataclass(frozen=True)
class ClusterStatus:
    """Status of one cluster; None where it could not be found out. Times in seconds."""

    name: str
    in_stack: bool
    server: str
    reachable: bool
    """Whether the registered credential is accepted at the registered address, from here."""

    ready: bool | None
    """The `Cluster`'s condition, None when the platform never reported."""

    proof_age: float | None
    """Seconds since the platform last reached it."""

    token_age: float | None
    token_left: float | None
    """Seconds until the registered token expires; None for one that does not."""

    kuberay: str | None
    """Version of the operator; "" when there is none."""

    ray_clusters: int | None
    """RayClusters on the compute cluster."""

    ray_jobs: int | None
    """RayJobs there that have not ended."""

    assigned: int
    """RayClusters of the platform assigned to it that have not ended."""

    findings: tuple[Finding, ...] = field(default=())

    def to_data(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "name": self.name,
            "inStack": self.in_stack,
            "server": self.server,
            "reachable": self.reachable,
            "ready": self.ready,
            "proofAgeSeconds": _rounded(self.proof_age),
            "tokenAgeSeconds": _rounded(self.token_age),
            "tokenExpiresInSeconds": _rounded(self.token_left),
            "kuberay": self.kuberay,
            "rayClusters": self.ray_clusters,
            "rayJobs": self.ray_jobs,
            "assignedRayClusters": self.assigned,
            "findings": [finding.to_data() for finding in self.findings],
        }


def assignments(control_plane: Kubernetes) -> dict[str, int]:
    """RayClusters of the platform that have not ended, by the cluster they are assigned to (facts 4.4).
    Raises ClientError."""
    counted: dict[str, int] = {}
    for item in control_plane.items(f"/apis/{API_GROUP}/v2/rayclusters"):
        status = item.get("status") or {}
        cluster = (status.get("assignment") or {}).get("cluster")
        if cluster and status.get("state") not in ENDED:
            counted[cluster] = counted.get(cluster, 0) + 1
    return counted


def cluster_status(
    control_plane: Kubernetes,
    compute: Kubernetes | None,
    remedies: Remedies,
    *,
    in_stack: bool,
    assigned: int,
    now: float,
) -> ClusterStatus:
    """The status of one cluster. Asks the compute cluster with the registered credential; only the version
    of KubeRay and the age of a long-lived token need its administrator (`compute`).

    `now` is by the control plane's clock. Raises ClientError when the control plane does not answer.
    """
    registered = read_registration(control_plane, remedies.name)
    shown = health(registered.cluster)
    findings: list[Finding] = []
    if registered.cluster is None:
        findings.append(find("MA449", remedies.name, "there is no such Cluster", fix=remedies.up))
    else:
        findings += health_findings(registered.cluster, now, remedies)
    jobs: tuple[int, int] | None = None
    trouble: Finding | None = None
    if registered.cluster is not None:
        try:
            client = registered_client(registered)
            _, trouble = accept(registered, client, compute, remedies)
            jobs = None if trouble else _jobs(client)
        except ClientError as error:
            trouble = _trouble(error, registered, remedies)
        except ValueError:
            code = "MA440" if tokens.defect(registered.token) else "MA442"
            trouble = find(code, remedies.name, "cannot be used", fix=f"See why:\n{remedies.verify}")
    age, left = _token_dates(registered, compute, now)
    return ClusterStatus(
        name=remedies.name,
        in_stack=in_stack,
        server=registered.server if registered.cluster else "",
        reachable=registered.cluster is not None and trouble is None,
        ready=shown.ready if shown.reported else None,
        proof_age=shown.age(now),
        token_age=age,
        token_left=left,
        kuberay=_kuberay(compute),
        ray_clusters=jobs[0] if jobs else None,
        ray_jobs=jobs[1] if jobs else None,
        assigned=assigned,
        findings=(*([trouble] if trouble else []), *findings),
    )


def late_status(name: str, in_stack: bool, seconds: float) -> ClusterStatus:
    """The status of a cluster that did not answer in the time there was."""
    finding = find("MA432", name, f"no answer within {seconds:g} s")
    return ClusterStatus(name, in_stack, "", False, None, None, None, None, None, None, None, 0, (finding,))


def _trouble(error: ClientError, registered: Registered, remedies: Remedies) -> Finding:
    if error.cause == "notFound":
        return find("MA446", remedies.name, "ray.io/v1 is not served", fix=f"See why:\n{remedies.verify}")
    return finding_of(error, registered.server, fix=f"See why:\n{remedies.verify}")


def _jobs(client: Kubernetes) -> tuple[int, int]:
    where = f"/apis/ray.io/v1/namespaces/{RAY_NAMESPACE}"
    return (
        sum(1 for _ in client.items(f"{where}/rayclusters")),
        sum(
            (item.get("status") or {}).get("jobStatus") not in ENDED_JOBS
            for item in client.items(f"{where}/rayjobs")
        ),
    )


def _kuberay(compute: Kubernetes | None) -> str | None:
    if compute is None:
        return None
    try:
        return operator_version(compute)
    except ClientError:
        return None


def _token_dates(
    registered: Registered, compute: Kubernetes | None, now: float
) -> tuple[float | None, float | None]:
    """Age of the registered token and seconds until it expires. A long-lived one does not say how old it is:
    its Secret on the compute cluster does, else the registered Secret's last change."""
    try:
        claims = tokens.claims(registered.token)
    except ValueError:
        return None, None
    age = claims.age(now)
    if age is None and claims.secret and compute is not None:
        try:
            secret = compute.find(secret_path(claims.secret, RAY_NAMESPACE))
        except ClientError:
            secret = None
        if secret is not None:
            age = now - seconds_of(secret["metadata"]["creationTimestamp"])
    if age is None:
        written = registered.secrets["token"]
        age = 0.0 if written is None else now - changed_at(written)
    return age, claims.left(now)


def _rounded(value: float | None) -> int | None:
    return None if value is None else round(value)
