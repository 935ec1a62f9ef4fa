"""The table of flows: who may open connections to whom, on which port, and why.

NetworkPolicies are made from it and proven against it. Each row names what asks for it: a guide, a
facts row, or the setting that opens it. What is not in it:

- Kubelet probes: a node always reaches its own pods (Kubernetes documentation, Network Policies).
- ACME solver pods: they are cert-manager's, and no policy here selects them.
- Callers on the host's network, such as some ingress controllers: they have no namespace a policy could
  name; where they are used, plugins admit them as nodes, or `network.policies` has to stay off.

Ports are those of pods: a Service's own port is translated before a policy is looked up.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import urlsplit

from madeploy.names import oidc
from madeploy.names.addresses import API_PORT, ENVOY_API_PORT, ENVOY_PORT, UI_PORT, envoy_upstream
from madeploy.names.kubernetes import RAY_NAMESPACE, Workload
from madeploy.names.models import MODEL_SYNC, RETENTION
from madeploy.names.servers import split_server
from madeploy.names.services import deployed
from madeploy.names.storage import s3_endpoint
from madeploy.settings import Environment
from madeploy.settings.base import split_host_port
from madeploy.settings.clusters import Cluster
from madeploy.settings.front_door import IngressFrontDoor
from madeploy.settings.identities import Irsa
from madeploy.settings.storage import AwsStorage, ExistingStorage, S3CompatibleStorage

HTTPS: Final = 443
KUBERNETES_API_PORTS: Final = (443, 6443)
"""Where Kubernetes API servers listen: behind load balancers and on managed clusters, and as kubeadm
sets them up."""

TRITON_PORT: Final = 8000
"""Port of an inference server's pods behind `<name>-inference-service:80` (facts 3.5)."""

DNS_PORT: Final = 53
"""Where name servers answer (RFC 1035, 4.2); `resolv.conf` has no place for another port."""

DNS_PROTOCOLS: Final[tuple[Literal["TCP", "UDP"], ...]] = ("UDP", "TCP")

HISTORY_SERVER: Final = "history-server"
"""Ray's history server on compute clusters, as a workload."""

HISTORY_PORT: Final = 8080
"""Port of its pages (KubeRay, history server)."""

POD_IDENTITY_AGENT: Final = ("169.254.170.23/32", "fd00:ec2::23/128")
"""EKS Pod Identity agent on each node, port 80 (EKS user guide)."""

INSTANCE_METADATA: Final = ("169.254.169.254/32", "fd00:ec2::254/128")
"""Instance metadata service, port 80, the source of a node role's credentials (EC2 user guide)."""


@dataclass(frozen=True)
class Component:
    """The pods of one of the control plane's services, of its job, or of a service on a compute cluster."""

    service: Workload
    namespace: str | None = None
    """Its namespace; None for the control plane's own."""

    def __str__(self) -> str:
        return self.service


@dataclass(frozen=True)
class Pods:
    """Pods of a namespace, or of every namespace when it is None; all of them, or those with labels."""

    namespace: str | None
    labels: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        where = "any namespace" if self.namespace is None else f"namespace {self.namespace}"
        return f"pods {','.join('='.join(pair) for pair in self.labels)} in {where}".replace("  ", " ")


API_SERVER_PODS: Final = Pods("kube-system", (("component", "kube-apiserver"),))
"""A self-managed cluster's API server, as kubeadm labels it."""


@dataclass(frozen=True)
class Networks:
    """Addresses in CIDR form."""

    cidrs: tuple[str, ...]

    def __str__(self) -> str:
        return ", ".join(self.cidrs)


@dataclass(frozen=True)
class Anywhere:
    """Any address inside or outside the cluster."""

    def __str__(self) -> str:
        return "any address"


Peer = Component | Pods | Networks | Anywhere


@dataclass(frozen=True)
class Flow:
    """One row: `source` opens connections to `destination` on `port`."""

    source: Peer
    destination: Peer
    port: int | None
    """Port of the destination; None for all of them."""

    purpose: str
    basis: str
    """Guide, facts row or setting the row comes from."""

    protocol: Literal["TCP", "UDP"] = "TCP"


def flows(environment: Environment) -> tuple[Flow, ...]:
    """Every flow of the control plane's pods, in a fixed order."""
    return (
        *_through_the_door(environment),
        *_between_services(environment),
        *_kubernetes_apis(environment),
        *_workflow_engine(environment),
        *_object_store(environment),
        *_metadata_storage(environment),
        *_credentials(environment),
        *_inference(),
        *_scrapes(environment),
        *_name_resolution(environment),
    )


def compute_flows(environment: Environment, name: str) -> tuple[Flow, ...]:
    """Flows that a policy on compute cluster `name` has to admit: the control plane's connections to its
    API server; none for managed clusters, whose API server is no pod, and none unless
    `network.egressCidrs` says where the connections come from.

    Ports are the guide's 443, the process's usual 6443, and the one of `clusters.<name>.server`. Raises
    KeyError when the environment has no such cluster.
    """
    cluster = environment.clusters[name]
    sources = environment.network.egress_cidrs
    if cluster.management == "managed" or not sources:
        return ()
    return tuple(
        Flow(
            Networks(sources),
            API_SERVER_PODS,
            port,
            "controller manager to the Kubernetes API",
            "network guide, NetworkPolicy for control plane to compute cluster",
        )
        for port in sorted({*KUBERNETES_API_PORTS, *api_server_ports(cluster)})
    )


def history_flows(environment: Environment, name: str) -> tuple[Flow, ...]:
    """Flows of the history server of Ray on compute cluster `name`; none where there is none. Pages of it are
    for pods of its namespace, and for whoever may forward a port, which no policy sees.

    Raises KeyError when the environment has no such cluster.
    """
    cluster, logs = environment.clusters[name], environment.ray_logs
    if logs is None or logs.history_server is None:
        return ()
    server, basis = Component(HISTORY_SERVER, RAY_NAMESPACE), "rayLogs.historyServer"
    store, port = object_store(environment)
    return (
        Flow(Pods(RAY_NAMESPACE), server, HISTORY_PORT, "pages of Ray's history", basis),
        Flow(server, store, port, "object store", basis),
        *(
            Flow(server, Anywhere(), port, "Kubernetes API of its own cluster", basis)
            for port in sorted({*KUBERNETES_API_PORTS, *api_server_ports(cluster)})
        ),
        # What a cluster has that nobody said anything of: the settings know the control plane's own.
        *(
            Flow(server, Pods("kube-system"), DNS_PORT, "name resolution", basis, protocol)
            for protocol in DNS_PROTOCOLS
        ),
    )


def model_sync_flows(environment: Environment) -> tuple[Flow, ...]:
    """Flows of model-sync on a cluster that serves; none where there is none. Nobody calls it."""
    settings = environment.serving
    if settings is None or settings.model_sync is None:
        return ()
    sync, basis = Component(MODEL_SYNC, settings.namespace), "serving.modelSync"
    store, port = object_store(environment)
    rows = [Flow(sync, store, port, "object store", basis)]
    for protocol in DNS_PROTOCOLS:
        rows.append(Flow(sync, Pods("kube-system"), DNS_PORT, "name resolution", basis, protocol))
    if not isinstance(environment.storage, S3CompatibleStorage):
        rows.append(Flow(sync, Anywhere(), HTTPS, "AWS STS, credentials by IRSA", basis))
        rows.append(Flow(sync, Networks(POD_IDENTITY_AGENT), 80, "EKS Pod Identity agent", basis))
    return tuple(dict.fromkeys(rows))


def front_door(environment: Environment) -> Pods:
    """The pods that carry traffic in from outside."""
    return Pods(environment.front_door.controller_namespace)


def api_server_ports(cluster: Cluster) -> tuple[int, ...]:
    """Ports a compute cluster's API server may be reached on: the one of its `server` where the settings
    say it, else the two usual ones."""
    return KUBERNETES_API_PORTS if cluster.server is None else (int(split_server(cluster.server)[1]),)


def _through_the_door(environment: Environment) -> Iterator[Flow]:
    basis = "network guide, overview"
    kind = "Ingress" if isinstance(environment.front_door, IngressFrontDoor) else "Gateway"
    outside = front_door(environment)
    access, envoy = environment.access, Component("envoy")
    if access.guarded is None:
        yield Flow(outside, Component("apiserver"), API_PORT, f"{kind} to the gRPC API", basis)
    else:
        yield Flow(outside, envoy, ENVOY_API_PORT, f"{kind} to the gRPC API, by Envoy", "access.api")
    yield Flow(outside, envoy, ENVOY_PORT, f"{kind} to gRPC-Web", basis)
    for port in sorted(oidc.provider_ports(access)):
        yield Flow(envoy, Anywhere(), port, "the identity provider's tokens and keys", "access")
    if access.login is None:
        yield Flow(outside, Component("ui"), UI_PORT, f"{kind} to the application's files", "facts 5.2")
        return
    # Around Envoy there would be a way to the files without signing in.
    yield Flow(envoy, Component("ui"), UI_PORT, "the application's files", "access.browser")


def _between_services(environment: Environment) -> Iterator[Flow]:
    api = Component("apiserver")
    _, port = envoy_upstream(environment)
    upstream = api if environment.control_plane.envoy.upstream is None else Anywhere()
    yield Flow(Component("envoy"), upstream, port, "gRPC-Web calls to the API", "network guide, Envoy")
    worker = Component("worker")
    if environment.control_plane.worker.api_access == "inCluster":
        yield Flow(worker, api, API_PORT, "API calls of workflows", "facts 5.2")
        return
    basis = "controlPlane.worker.apiAccess"
    yield Flow(worker, Anywhere(), HTTPS, "API calls of workflows by the public address", basis)
    # The cluster may take a short cut from the load balancer's address to the door's own pods, whose
    # port is the controller's business.
    yield Flow(worker, front_door(environment), None, "the same calls, handed to the door's pods", basis)


def _kubernetes_apis(environment: Environment) -> Iterator[Flow]:
    cidrs = environment.control_plane.kubernetes_api_cidrs
    own: Peer = Networks(cidrs) if cidrs else Anywhere()
    for service in deployed(environment):
        if service.calls_kubernetes:
            source = Component(service.name)
            for port in KUBERNETES_API_PORTS:
                yield Flow(source, own, port, "Kubernetes API of the control plane", "facts 1.3")
    basis = "network guide, required connectivity"
    for port, peers in sorted(_compute_apis(environment).items()):
        for peer in peers:
            manager = Component("controllermgr")
            yield Flow(manager, peer, port, "Kubernetes API of compute clusters", basis)


def _compute_apis(environment: Environment) -> dict[int, list[Peer]]:
    """Where compute clusters' API servers are, by port. A name can resolve to anything; addresses are
    networks of one, kept together so that a fleet makes one rule."""
    addresses: dict[int, list[str]] = {}
    anywhere: set[int] = set()
    for cluster in environment.clusters.values():
        address = _address(cluster)
        for port in api_server_ports(cluster):
            if address is None:
                anywhere.add(port)
            else:
                addresses.setdefault(port, []).append(address)
    found: dict[int, list[Peer]] = {port: [Anywhere()] for port in anywhere}
    for port, cidrs in addresses.items():
        found.setdefault(port, []).append(Networks(tuple(sorted(set(cidrs)))))
    return found


def _address(cluster: Cluster) -> str | None:
    host = "" if cluster.server is None else split_server(cluster.server)[0].removeprefix("https://")
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None
    return f"{address}/{address.max_prefixlen}"


def _workflow_engine(environment: Environment) -> Iterator[Flow]:
    _, port = split_host_port(environment.workflow.host)
    cidrs = environment.network.workflow_cidrs
    peer: Peer = Networks(cidrs) if cidrs else Anywhere()
    for service in deployed(environment):
        if service.calls_workflow_engine:
            yield Flow(Component(service.name), peer, port, "workflow engine", "facts 5.2")


def object_store(environment: Environment) -> tuple[Peer, int]:
    """Where the object store is, and its port."""
    host, tls = s3_endpoint(environment.storage)
    cidrs = environment.network.object_store_cidrs
    return Networks(cidrs) if cidrs else Anywhere(), urlsplit(f"//{host}").port or (HTTPS if tls else 80)


def _object_store(environment: Environment) -> Iterator[Flow]:
    peer, port = object_store(environment)
    for service in deployed(environment):
        if service.calls_store:
            source = Component(service.name)
            yield Flow(source, peer, port, "object store", "network guide, required connectivity")


def _metadata_storage(environment: Environment) -> Iterator[Flow]:
    storage = environment.metadata_storage
    if storage is None:
        return
    both: tuple[Workload, ...] = ("apiserver", "controllermgr")
    for service in both:
        yield Flow(Component(service), Anywhere(), storage.port, "metadata database", "metadataStorage")


def _credentials(environment: Environment) -> Iterator[Flow]:
    """Where the services that call the object store get their AWS credentials."""
    storage = environment.storage
    if isinstance(storage, S3CompatibleStorage):
        return
    for service in deployed(environment):
        if service.calls_store:
            yield from _aws_credentials(storage, service.name)


def _aws_credentials(storage: AwsStorage | ExistingStorage, service: Workload) -> Iterator[Flow]:
    source = Component(service)
    by_role = (
        isinstance(storage.identity, Irsa)
        if isinstance(storage, AwsStorage)
        else service in storage.role_arns
    )
    if by_role:
        yield Flow(source, Anywhere(), HTTPS, "AWS STS, credentials by IRSA", "facts 1.2")
        return
    agent = Networks(POD_IDENTITY_AGENT)
    yield Flow(source, agent, 80, "EKS Pod Identity agent, credentials", "facts 1.2")
    if isinstance(storage, ExistingStorage) and service != RETENTION:
        # A role the settings do not know of is either the pod's, or the node's.
        node = Networks(INSTANCE_METADATA)
        yield Flow(source, node, 80, "instance metadata, the node role's credentials", "facts 1.2")


def _inference() -> Iterator[Flow]:
    manager = Component("controllermgr")
    yield Flow(manager, Pods(None), TRITON_PORT, "readiness of inference servers", "facts 3.5, 5.2")


def _scrapes(environment: Environment) -> Iterator[Flow]:
    namespace = environment.network.monitoring_namespace
    if namespace is None:
        return
    scraper, basis = Pods(namespace), "network.monitoringNamespace"
    for service in deployed(environment):
        if service.metrics_port is not None:
            yield Flow(scraper, Component(service.name), service.metrics_port, "metrics", basis)


def _name_resolution(environment: Environment) -> Iterator[Flow]:
    """The cluster's DNS for every service that opens connections; the application opens none. Pods are asked
    on the port they listen on, which policies see; an address on the one that a name server has."""
    dns = environment.network.dns
    servers: list[tuple[Peer, int]] = [(Pods(dns.namespace, tuple(dns.labels.items())), dns.port)]
    if dns.addresses:
        servers.append((Networks(dns.addresses), DNS_PORT))
    for service in deployed(environment):
        for destination, port in servers if service.resolves_names else ():
            source = Component(service.name)
            for protocol in DNS_PROTOCOLS:
                yield Flow(source, destination, port, "name resolution", "facts 5.2", protocol)
