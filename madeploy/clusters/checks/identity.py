"""Identity of a cluster: the UID of its namespace `kube-system`."""

from __future__ import annotations

from madeploy.clients.kubernetes import Kubernetes
from madeploy.clusters.remedies import Remedies, steps
from madeploy.findings import Finding, find
from madeploy.names.kubernetes import RAY_MANAGER, RAY_NAMESPACE
from madeploy.settings import Environment

IN_CLUSTER = "https://kubernetes.default"
"""How an address begins by which the control plane registers itself as a compute cluster (facts 3.1)."""


def cluster_uid(client: Kubernetes) -> str:
    """UID of namespace `kube-system`. Raises ClientError."""
    return str(client.get("/api/v1/namespaces/kube-system")["metadata"]["uid"])


def account_uid(compute: Kubernetes, name: str = RAY_MANAGER) -> str | None:
    """UID of a ServiceAccount of the platform, None where there is none. Raises ClientError."""
    account = compute.find(f"/api/v1/namespaces/{RAY_NAMESPACE}/serviceaccounts/{name}")
    return None if account is None else str(account["metadata"]["uid"])


def same_cluster_findings(
    control_plane: Kubernetes, compute: Kubernetes, environment: Environment, remedies: Remedies
) -> list[Finding]:
    """A finding when both connections lead to one cluster, unless the control plane is registered on
    purpose, by its address inside; and when that address is given for another cluster. Raises ClientError."""
    entry = environment.clusters.get(remedies.name)
    on_purpose = entry is not None and (entry.server or "").startswith(IN_CLUSTER)
    same = cluster_uid(control_plane) == cluster_uid(compute)
    if entry is not None and on_purpose and not same:
        evidence = f"{entry.server} is the control plane's own API server, and this is another cluster"
        return [find("MA409", remedies.name, evidence)]
    if on_purpose or not same:
        return []
    evidence = (
        f"context {remedies.compute_context} leads to the control plane's own cluster (namespace "
        "kube-system has the same UID)"
    )
    fix = steps(
        f"Name the compute cluster's context in clusters.{remedies.name}.kubeconfigContext (or store its "
        "kubeconfig), then:",
        remedies.up,
    )
    return [find("MA448", remedies.name, evidence, fix=fix)]
