"""Kueue on a compute cluster: flavors, one ClusterQueue, a LocalQueue a project (release 0.12, OPS-6)."""

from __future__ import annotations

from typing import Any, Final

from madeploy.names.kubernetes import KUEUE_NAMESPACE, RAY_NAMESPACE, local_queue
from madeploy.settings import Environment
from madeploy.settings.queues import Flavor
from manifests.objects import Object, metadata
from manifests.tenants import kept

API: Final = "kueue.x-k8s.io/v1beta2"
"""Version that the platform reads queues in (facts of release 0.12: `jobs.scheduler.kueue.apiVersion`)."""

VERSION: Final = "0.15.0"
"""Of Kueue, the one the release is made with; its own default configuration covers RayClusters."""


def queues(environment: Environment, name: str) -> tuple[Object, ...]:
    """The queues of compute cluster `name`; nothing where it has none. They are made where Ray's objects are,
    in the namespace `default`. Raises KeyError when the environment has no such cluster."""
    settings = environment.clusters[name].queues
    if settings is None:
        return ()
    return (
        *(_flavor(flavor) for flavor in settings.flavors),
        {
            "apiVersion": API,
            "kind": "ClusterQueue",
            "metadata": metadata(settings.cluster_queue, None),
            "spec": {
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": RAY_NAMESPACE}},
                "resourceGroups": [
                    {
                        "coveredResources": list(settings.flavors[0].quotas),
                        "flavors": [_quotas(flavor) for flavor in settings.flavors],
                    }
                ],
            },
        },
        *(
            _local(project, settings.cluster_queue)
            for project in dict.fromkeys(settings.projects)
            if project not in environment.tenants
        ),
        # A tenant's stays when it leaves the settings, as all that it has: its jobs would be refused.
        *(kept(_local(tenant, settings.cluster_queue), tenant) for tenant in environment.tenants),
    )


def _local(project: str, cluster_queue: str) -> Object:
    return {
        "apiVersion": API,
        "kind": "LocalQueue",
        "metadata": metadata(local_queue(project), RAY_NAMESPACE),
        "spec": {"clusterQueue": cluster_queue},
    }


def _flavor(flavor: Flavor) -> Object:
    labels = {"nodeLabels": dict(flavor.node_labels)} if flavor.node_labels else {}
    return {
        "apiVersion": API,
        "kind": "ResourceFlavor",
        "metadata": metadata(flavor.name, None),
        "spec": labels,
    }


def _quotas(flavor: Flavor) -> dict[str, Any]:
    resources = [{"name": name, "nominalQuota": quota} for name, quota in flavor.quotas.items()]
    return {"name": flavor.name, "resources": resources}


def kueue_release() -> dict[str, Any]:
    """Arguments of a Helm release of Kueue. No value of it is secret."""
    return {
        "name": "kueue",
        "chart": "oci://registry.k8s.io/kueue/charts/kueue",
        "version": VERSION,
        "namespace": KUEUE_NAMESPACE,
        "createNamespace": True,
    }
