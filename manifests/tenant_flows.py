"""Who reaches a tenant's pods (OPS-2)."""

from __future__ import annotations

from dataclasses import dataclass

from madeploy.settings import Environment
from manifests.flows import Flow, Pods


@dataclass(frozen=True)
class TenantPods(Pods):
    """All pods of a tenant's namespace, which a policy there guards against everybody else's."""


def tenant_flows(environment: Environment) -> tuple[Flow, ...]:
    """Flows into tenants' namespaces: from the namespace itself, the control plane, the front door, which may
    carry calls of served models, and monitoring. From other tenants nothing."""
    scraper = environment.network.monitoring_namespace
    callers = {
        environment.platform.namespace: "the control plane to served models",
        environment.front_door.controller_namespace: "the front door to served models",
        **({scraper: "metrics"} if scraper is not None else {}),
    }
    basis = "authentication guide, NetworkPolicy deny-cross-namespace"
    return tuple(
        Flow(Pods(source), TenantPods(tenant), None, purpose, basis)
        for tenant in environment.tenants
        for source, purpose in {tenant: "pods of one tenant", **callers}.items()
    )
