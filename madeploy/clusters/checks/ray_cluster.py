"""The last check: a RayCluster with the registered credential (V6)."""

from __future__ import annotations

import contextlib
import secrets
from typing import Any, Final

from madeploy.clients.errors import ClientError
from madeploy.clients.kubernetes import Kubernetes
from madeploy.clusters.checks.kuberay import VERSION
from madeploy.clusters.remedies import Remedies
from madeploy.findings import Finding, find
from madeploy.names.kubernetes import RAY_NAMESPACE

RAY_CLUSTERS: Final = f"/apis/ray.io/{VERSION}/namespaces/{RAY_NAMESPACE}/rayclusters"
_REFUSALS: Final = ("forbidden", "invalid", "conflict", "notFound")


class NoDryRunError(Exception):
    """A dry run is not possible on this cluster."""


def create_ray_cluster(
    client: Kubernetes, remedies: Remedies, *, for_real: bool
) -> tuple[str, Finding | None]:
    """Create a RayCluster: a dry run, which admission judges all the same; or `for_real`, suspended, so
    that no pod starts, and deleted at once. Raises ClientError for what is no refusal, NoDryRunError where a
    dry run says nothing."""
    name = f"madeploy-verify-{secrets.token_hex(4)}"
    item = _ray_cluster(name)
    try:
        if not for_real:
            client.create(RAY_CLUSTERS, item, dryRun="All")
            return "a RayCluster would be created (dry run, through admission)", None
        client.create(RAY_CLUSTERS, item)
    except ClientError as error:
        if error.cause not in _REFUSALS:
            if for_real:
                # It may have been created all the same.
                with contextlib.suppress(ClientError):
                    client.delete(f"{RAY_CLUSTERS}/{name}")
            raise
        if not for_real and "does not support dry run" in error.message:
            # The API server refuses for a webhook that does not say whether it has side effects.
            said = "an admission webhook takes no dry runs; --create-ray-cluster shows it"
            raise NoDryRunError(said) from None
        if error.cause == "notFound":
            return "", find("MA446", remedies.name, f"ray.io/{VERSION} is not served")
        return "", find("MA458", remedies.name, f"refused: {error.message or error}")
    try:
        client.delete(f"{RAY_CLUSTERS}/{name}")
    except ClientError as error:
        removal = remedies.compute(f"-n {RAY_NAMESPACE} delete rayclusters.ray.io {name}")
        fix = f"Remove what was left:\n{removal}"
        return "", find("MA458", remedies.name, f"created, but not deleted again: {error}", fix=fix)
    return f"RayCluster {RAY_NAMESPACE}/{name} created, suspended, and deleted", None


def _ray_cluster(name: str) -> dict[str, Any]:
    return {
        "apiVersion": f"ray.io/{VERSION}",
        "kind": "RayCluster",
        "metadata": {"name": name, "namespace": RAY_NAMESPACE},
        "spec": {
            "suspend": True,
            "headGroupSpec": {
                "rayStartParams": {},
                # Never pulled: a suspended cluster has no pods.
                "template": {
                    "spec": {"containers": [{"name": "ray-head", "image": "rayproject/ray:2.46.0"}]}
                },
            },
        },
    }
