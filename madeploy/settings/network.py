"""`michelangelo:network`: NetworkPolicies and what lies beyond the cluster."""

from __future__ import annotations

from pydantic import Field

from madeploy.settings.base import Cidr, DnsLabel, Section


class Network(Section):
    """Network isolation of the control plane."""

    policies: bool = True
    """Whether NetworkPolicies are made: default deny both ways and the documented flows. Default true;
    they take effect where the cluster's network plugin enforces them."""

    monitoring_namespace: DnsLabel | None = None
    """Namespace Prometheus scrapes from. Default: scraping is not admitted."""

    workflow_cidrs: tuple[Cidr, ...] = ()
    """Networks of the workflow engine. Default: any address on its port."""

    object_store_cidrs: tuple[Cidr, ...] = ()
    """Networks of the object store. Default: any address on its port."""

    egress_cidrs: tuple[Cidr, ...] = ()
    """Networks the control plane's traffic comes from, as self-managed compute clusters see it; used
    for `allow-michelangelo-controller` there (network guide, NetworkPolicy)."""

    alerts: bool = False
    """Whether a PrometheusRule is made for the loss of the control plane. Needs the Prometheus
    operator's definitions. Default false."""

    dns_port: int = Field(default=53, ge=1, le=65535)
    """Port of the cluster's DNS. Default 53."""
