"""The namespaces of the control plane, with the Pod Security level they enforce."""

from __future__ import annotations

from typing import Final

from madeploy.names.kubernetes import CLUSTERS_NAMESPACE
from madeploy.settings import Environment
from manifests.objects import Object, metadata
from manifests.tenants import kept

POD_SECURITY_VERSION: Final = "v1.34"
"""Version of the Pod Security Standards that is enforced. Pinned, so that an upgrade of Kubernetes never
refuses pods that ran before it; a server older than this takes its own newest."""


def namespaces(environment: Environment) -> tuple[Object, ...]:
    """The control plane's namespace, and `ma-system` where that is another one: the platform looks for
    `Cluster` objects nowhere else (facts 0.3). Both enforce Pod Security `restricted` (CP-7). And one for
    each tenant, at the level that it says."""
    names = dict.fromkeys((environment.platform.namespace, CLUSTERS_NAMESPACE))
    teams = environment.tenants.items()
    return (
        *(_namespace(name, "restricted") for name in names),
        *(kept(_namespace(name, tenant.pod_security), name) for name, tenant in teams),
    )


def _namespace(name: str, level: str) -> Object:
    data = metadata(name, None)
    for mode in ("enforce", "audit", "warn"):
        data["labels"] |= {
            f"pod-security.kubernetes.io/{mode}": level,
            f"pod-security.kubernetes.io/{mode}-version": POD_SECURITY_VERSION,
        }
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": data}
