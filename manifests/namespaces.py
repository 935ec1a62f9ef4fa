"""The namespaces of the control plane, with the Pod Security level they enforce."""

from __future__ import annotations

from typing import Final

from madeploy.names.kubernetes import CLUSTERS_NAMESPACE
from madeploy.settings import Environment
from manifests.objects import Object, metadata

POD_SECURITY_VERSION: Final = "v1.34"
"""Version of the Pod Security Standards that is enforced. Pinned, so that an upgrade of Kubernetes never
refuses pods that ran before it; a server older than this takes its own newest."""


def namespaces(environment: Environment) -> tuple[Object, ...]:
    """The control plane's namespace, and `ma-system` where that is another one: the platform looks for
    `Cluster` objects nowhere else (facts 0.3). Both enforce Pod Security `restricted` (CP-7)."""
    names = dict.fromkeys((environment.platform.namespace, CLUSTERS_NAMESPACE))
    return tuple(_namespace(name) for name in names)


def _namespace(name: str) -> Object:
    data = metadata(name, None)
    for mode in ("enforce", "audit", "warn"):
        data["labels"] |= {
            f"pod-security.kubernetes.io/{mode}": "restricted",
            f"pod-security.kubernetes.io/{mode}-version": POD_SECURITY_VERSION,
        }
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": data}
