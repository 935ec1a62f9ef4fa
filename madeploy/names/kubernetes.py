"""Names of Kubernetes objects and the labels that tie them together."""

from __future__ import annotations

from typing import Final, TypeAlias

from madeploy.releases import RELEASES

Workload: TypeAlias = str
"""Name of what runs pods in the control plane's namespace: a row of `madeploy.names.services`."""

CLUSTERS_NAMESPACE: Final = "ma-system"
"""Namespace of `Cluster` objects; the controller manager refuses others (facts 0.3, 3.1)."""

CREDENTIALS_NAMESPACE: Final = "default"
"""Namespace the controller manager reads cluster credentials from (facts 0.3, 3.1)."""

RAY_NAMESPACE: Final = "default"
"""Namespace of Ray objects, and so of `ray-manager`, on a compute cluster (facts 0.3, V6)."""

API_GROUP: Final = "michelangelo.api"
API_VERSION: Final = f"{API_GROUP}/v2"

PLURALS: Final[dict[str, str]] = {
    kind: plural for release in RELEASES.values() for kind, plural in sorted(release.kinds.items())
}
"""Kinds of the platform's API and their plurals, of every release; `environment.release.kinds` has those that
an environment's API server installs."""

CREDENTIAL_READER: Final = "michelangelo-controllermgr-clusters"
"""Role by which the controller manager reads the registered clusters' Secrets, and its binding."""

RAY_MANAGER: Final = "ray-manager"
"""ServiceAccount, ClusterRole on a compute cluster (registration guide, appendix)."""

RAY_MANAGER_BINDING: Final = "ray-manager-binding"
RAY_MANAGER_TOKEN: Final = "ray-manager-token"
KUBERAY_NAMESPACE: Final = "ray-system"
"""Namespace of KubeRay's operator on a compute cluster (registration guide, prerequisites)."""

SERVING_MANAGER: Final = "inference-server-manager"
"""ServiceAccount on a cluster by which the platform runs inference servers there (release 0.12)."""

SERVING_GATEWAY: Final = "ma-gateway"
"""Gateway of models: the one name that the platform's routes go to (facts 0.3)."""

KUEUE_NAMESPACE: Final = "kueue-system"
"""Namespace of Kueue on a compute cluster, as its chart has it."""

TASK_CONFIG: Final = "michelangelo-config"
TASK_CREDENTIALS: Final = "aws-credentials"


def workload(service: Workload) -> str:
    """Name of a service's Deployment (of the job's CronJob), Service, ServiceAccount and of its legacy
    label `app` (facts 5.12): `michelangelo-<service>`."""
    return f"michelangelo-{service}"


def config_map(service: Workload) -> str:
    """Name of a service's ConfigMap (facts 1.5): `envoy-config` and `public-config` are fixed by the
    guides for Envoy and the UI, the others are `michelangelo-<service>-config`."""
    fixed = {"envoy": "envoy-config", "ui": "public-config"}
    return fixed.get(service, f"{workload(service)}-config")


def selector_labels(service: Workload) -> dict[str, str]:
    """Labels a service's selectors use. They never change: selectors are immutable."""
    return {"app": workload(service)}


def common_labels(service: Workload | None = None) -> dict[str, str]:
    """Recommended labels of every object, and the legacy `app` of a service's own objects."""
    labels = {
        "app.kubernetes.io/part-of": "michelangelo",
        "app.kubernetes.io/managed-by": "madeploy",
    }
    if service is not None:
        labels |= selector_labels(service)
        labels |= {"app.kubernetes.io/name": workload(service), "app.kubernetes.io/component": service}
    return labels


def cluster_ca_secret(cluster: str) -> str:
    """Secret with key `cadata` that a `Cluster` names as `caDataTag` (registration guide, step 6)."""
    return f"cluster-{cluster}-ca-data"


def cluster_token_secret(cluster: str) -> str:
    """Secret with key `token` that a `Cluster` names as `tokenTag` (registration guide, step 6)."""
    return f"cluster-{cluster}-client-token"


def ray_manager_token(generation: int) -> str:
    """Secret of a credential's generation on a compute cluster: the guide's `ray-manager-token` for the
    first, with the number after it for those that follow."""
    return RAY_MANAGER_TOKEN if generation == 1 else f"{RAY_MANAGER_TOKEN}-{generation}"


def serving_manager_token(generation: int) -> str:
    """Secret of that account's token of a credential's generation, numbered as `ray_manager_token`."""
    name = f"{SERVING_MANAGER}-token"
    return name if generation == 1 else f"{name}-{generation}"


def cluster_serving_token_secret(cluster: str) -> str:
    """Secret with key `token` that an InferenceServer's `clusterTargets` name as `tokenTag`."""
    return f"cluster-{cluster}-is-token"


def local_queue(project: str) -> str:
    """Kueue's LocalQueue of a project, as the platform looks for it unless it is told otherwise
    (`jobs.scheduler.kueue.localQueueTemplate`)."""
    return f"ma-{project}"


def crd(kind: str) -> str:
    """Name of a kind's CustomResourceDefinition, such as `clusters.michelangelo.api`."""
    return f"{PLURALS[kind]}.{API_GROUP}"
