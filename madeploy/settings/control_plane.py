"""`michelangelo:controlPlane`: the five services' size, placement and configuration overrides."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import Field

from madeploy.settings.base import Cidr, DnsSubdomain, HostPort, LabelValue, Name, Quantity, Section
from madeploy.settings.files import Beside
from madeploy.settings.images import Image

Replicas = Annotated[int, Field(ge=1, le=100)]


class Resources(Section):
    """CPU and memory of one container. Memory's limit equals its request, so that a pod is never
    evicted for another's use; CPU has no limit unless given, because throttling hurts latency."""

    cpu: Quantity = "250m"
    """CPU request, in cores or millicores."""

    memory: Quantity = "256Mi"
    """Memory request and limit."""

    cpu_limit: Quantity | None = None
    """CPU limit. Default: none."""


class Service(Section):
    """What every service has."""

    replicas: Replicas = 2
    """Number of pods. Default 2, so that one node's loss is survived."""

    resources: Resources = Resources()
    """CPU and memory of the service's container."""

    image: Image = Image()
    """Image of the service, where it is not `<images.registry>/<service>:<images.tag>`."""


class ConfiguredService(Service):
    """A service with a configuration file of its own."""

    log_level: Literal["debug", "info", "warn", "error"] = "info"
    """`logging.level` of the service (facts 2.2). Default `info`."""

    config: Mapping[str, Any] = Field(default_factory=dict)
    """More of the service's own configuration, merged over what is generated. Only keys that the
    service parses are accepted (facts 2.2): it stops at start-up on others."""


class ControllerManager(ConfiguredService):
    """The controller manager."""

    leader_election: bool = True
    """Whether replicas elect a leader by Lease. Default true; needed for more than one replica."""

    leader_election_id: DnsSubdomain = "michelangelo-controllermgr"
    """Name of the Lease in the control plane's namespace."""

    pipeline_revisions: bool = False
    """Whether each version of a Pipeline is kept as a `Revision`, and runs are bound to the latest, from
    release 0.12 on. Revisions are never removed by the platform. Default false."""

    scheduler: Literal["default", "kueue"] = "default"
    """Who admits jobs, from release 0.12 on: the platform's own queue, or Kueue on the clusters that have
    `queues`; jobs of other clusters go as before. Default `default`."""

    credentials_revision: int = Field(default=0, ge=0)
    """Counted up after a compute cluster's credential was replaced or withdrawn: the pods are rolled, because
    they read each cluster's credential only once (facts 3.1). `bin/madeploy clusters rotate` and `remove` do
    so. Default 0."""


class Worker(ConfiguredService):
    """The worker."""

    api_access: Literal["inCluster", "public"] = "inCluster"
    """How the worker reaches the API: `inCluster` by the Service, plaintext inside the cluster;
    `public` by `<domains.api>:443` with TLS. Default `inCluster`."""


class Ui(Service):
    """The browser application."""

    # Its own default, so that saying only `replicas` does not bring another service's resources with it.
    resources: Resources = Resources(cpu="100m", memory="128Mi")
    """CPU and memory of the container. Default 100 millicores and 128 MiB: it serves files."""


class Envoy(Service):
    """Envoy."""

    image: Image = Image(repository="envoyproxy/envoy", tag="v1.40.0")
    """Image of Envoy, from its own project. Default `envoyproxy/envoy:v1.40.0`, the version the generated
    configuration is tested with."""
    descriptors: Beside | None = None
    """File with the descriptor set by which Envoy translates the browser application's JSON, from release
    0.12 on: of exactly the deployed version, or fields vanish without an error. `bin/madeploy descriptors`
    writes it from the platform's chart or from a running API server. Default: none, and the application
    cannot call the API."""

    upstream: HostPort | None = None
    """Where Envoy sends browsers' calls, as `host:port`, when not to the API server's own Service, such as
    one in another namespace during a migration. Plaintext HTTP/2. Default: the Service, port 15566."""


class ControlPlane(Section):
    """Where the control plane runs and how large it is."""

    kubeconfig_context: Name | None = None
    """Context of the kubeconfig at hand ($KUBECONFIG, else ~/.kube/config) that reaches the control
    plane's cluster. Default: the encrypted `kubeconfigs.control-plane` of the stack file."""

    apiserver: ConfiguredService = ConfiguredService()
    """API server."""

    controllermgr: ControllerManager = ControllerManager()
    """Controller manager."""

    worker: Worker = Worker()
    """Worker."""

    ui: Ui = Ui()
    """Browser application."""

    envoy: Envoy = Envoy()
    """Envoy."""

    zones: tuple[LabelValue, ...] = ()
    """Zones the pods may run in (`topology.kubernetes.io/zone`). Default: any; replicas are spread
    over the zones there are."""

    ca_bundle_config_map: DnsSubdomain | None = None
    """ConfigMap in the control plane's namespace whose key `ca.crt` holds certificates the services
    trust besides the system's, for private authorities of the object store or workflow engine."""

    kubernetes_api_cidrs: tuple[Cidr, ...] = ()
    """Networks of the control plane cluster's own API server, for NetworkPolicies. Default: any
    address on ports 443 and 6443, because a Service address is translated before policies see it."""

    def service(self, name: str) -> Service:
        """Settings of the service of this name; the usual ones of a service that has none of its own."""
        field = services().get(name)
        return getattr(self, field) if field is not None else Service()


@cache
def services() -> Mapping[str, str]:
    """Field of `ControlPlane` by the name of the service that it holds the settings of: `feature-store` for
    `feature_store`, because services' names are parts of DNS names."""
    return {
        field.replace("_", "-"): field
        for field, info in ControlPlane.model_fields.items()
        if isinstance(info.annotation, type) and issubclass(info.annotation, Service)
    }
