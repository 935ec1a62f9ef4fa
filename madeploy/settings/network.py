"""`michelangelo:network`: NetworkPolicies and what lies beyond the cluster."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from madeploy.settings.base import AnnotationKey, Cidr, DnsLabel, LabelValue, Section


class Dns(Section):
    """Where pods ask for names: the cluster's DNS, and caches in front of it. Egress to these and to no other
    name server is permitted."""

    namespace: DnsLabel = "kube-system"
    """Namespace of the DNS server's pods: `openshift-dns` on OpenShift. Default `kube-system`."""

    labels: Mapping[AnnotationKey, LabelValue] = Field(
        default={"k8s-app": "kube-dns"}, min_length=1, max_length=10
    )
    """Labels of the DNS server's pods: `dns.operator.openshift.io/daemonset-dns: default` on OpenShift.
    Default `k8s-app: kube-dns`, as CoreDNS has them in most distributions, RKE2 and k3s among them."""

    port: int = Field(default=53, ge=1, le=65535)
    """Port that these pods listen on, which may be another than their Service's: 5353 on OpenShift. Default
    53."""

    addresses: tuple[Cidr, ...] = ("169.254.20.10/32",)
    """Addresses that are asked on port 53 besides: of a cache on each node (169.254.20.10, with Kubespray
    169.254.25.10), or of the DNS Service itself where a cache answers on it. Default 169.254.20.10/32."""


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
    """Older place of `monitoring`: makes its PrometheusRule alone. Default false."""

    dns: Dns = Dns()
    """The cluster's DNS, where it is not where most distributions have it."""

    dns_port: int = Field(default=53, ge=1, le=65535)
    """Only 53, the default. A DNS server on another port is described in `dns`, with the place it is at."""
