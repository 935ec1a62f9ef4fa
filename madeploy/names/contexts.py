"""Contexts of kubeconfigs in commands that people type."""

from __future__ import annotations

from madeploy.settings import CONTROL_PLANE, Environment


def context(environment: Environment, cluster: str = CONTROL_PLANE) -> str:
    """Context of a cluster, which need not be in the settings any more; where they name none, a variable of
    the registration guide."""
    if cluster == CONTROL_PLANE:
        return environment.control_plane.kubeconfig_context or "CONTROL_PLANE_CONTEXT"
    entry = environment.clusters.get(cluster)
    return (entry.kubeconfig_context if entry else None) or "COMPUTE_CONTEXT"
