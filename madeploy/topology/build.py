"""From settings to the picture. Every flow of the control plane becomes an arrow, or a note."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Final
from urllib.parse import urlsplit

from madeploy.names.servers import split_server
from madeploy.names.services import BY_NAME, SERVICES
from madeploy.names.storage import s3_endpoint
from madeploy.settings import Environment
from madeploy.settings.front_door import IngressFrontDoor
from madeploy.topology.model import Cluster, Edge, Node, Topology
from manifests.flows import HTTPS, Component, Flow, Peer, Pods, api_server_ports, flows, front_door

MAX_CLUSTERS: Final = 6
"""Clusters that are drawn one by one; more are drawn by region, in as many groups at most."""

_LAST: Final = 5
HTTP: Final = 80

_NAMES: Final = "name resolution"
_COMPUTE: Final = "Kubernetes API of compute clusters"
_PUBLIC: Final = "API calls of workflows by the public address"
_HANDED: Final = "the same calls, handed to the door's pods"
_SYSTEMS: Final = {
    "Kubernetes API of the control plane": ("kubernetes_api", "Kubernetes API", "of this cluster"),
    "metadata database": ("database", "Metadata database", "MySQL"),
    "the identity provider's tokens and keys": ("identity", "Identity provider", "who people are"),
    "readiness of inference servers": ("inference", "Inference servers", "in the teams' namespaces"),
    "AWS STS, credentials by IRSA": ("sts", "AWS STS", "roles of the pods"),
    "EKS Pod Identity agent, credentials": ("pod_identity", "Pod Identity agent", "roles of the pods"),
    "instance metadata, the node role's credentials": ("metadata", "Instance metadata", "role of the node"),
}
"""Purpose of a flow: id, title and detail of the node at its far end."""


def build(environment: Environment, stack: str) -> Topology:
    """The picture of an environment. Nothing in it is a secret: it is made from settings and names alone."""
    clusters = tuple(_clusters(environment))
    groups = _groups(clusters)
    nodes = [*_outside(environment, len(clusters)), *_services(environment), *_systems(environment), *groups]
    edges = _merged([*_entries(environment), *_flows(environment), *_to_clusters(environment, groups)])
    known = {node.id for node in nodes}
    used = dict.fromkeys(identity for edge in edges for identity in (edge.source, edge.target))
    nodes += [_unforeseen(identity) for identity in used if identity not in known]
    shown = tuple(node for node in nodes if node.id in used or node.kind == "service")
    return Topology(
        stack=stack,
        tier=environment.platform.tier,
        namespace=environment.platform.namespace,
        nodes=shown,
        edges=edges,
        clusters=clusters,
        notes=tuple(_notes(environment, clusters)),
    )


def _clusters(environment: Environment) -> Iterator[Cluster]:
    for name, cluster in sorted(environment.clusters.items()):
        server = "as its kubeconfig says"
        if cluster.server is not None:
            host, port = split_server(cluster.server)
            server = f"{host.removeprefix('https://')}:{port}"
        yield Cluster(name, server, cluster.region or "", cluster.zone or "")


def _identity(*parts: str) -> str:
    return re.sub(r"[^A-Za-z0-9]", "_", "_".join(parts))


def _groups(clusters: tuple[Cluster, ...]) -> dict[Node, tuple[str, ...]]:
    """Boxes of compute clusters and the names of those in each: every cluster its own, or one box for each
    region."""
    if len(clusters) <= MAX_CLUSTERS:
        return {
            Node(
                _identity("cluster", cluster.name),
                "cluster",
                _LAST,
                cluster.name,
                tuple(filter(None, (cluster.server, _place(cluster)))),
            ): (cluster.name,)
            for cluster in clusters
        }
    regions: dict[str, list[str]] = defaultdict(list)
    for cluster in clusters:
        regions[cluster.region].append(cluster.name)
    ranked = sorted(regions.items(), key=lambda item: (-len(item[1]), item[0]))
    kept = ranked if len(ranked) <= MAX_CLUSTERS else ranked[: MAX_CLUSTERS - 1]
    groups = {
        Node(
            _identity("region", region),
            "cluster",
            _LAST,
            _count(len(names), "cluster"),
            (f"region {region}" if region else "no region said",),
        ): tuple(names)
        for region, names in kept
    }
    rest = tuple(name for _, names in ranked[len(kept) :] for name in names)
    if rest:
        detail = f"in {len(ranked) - len(kept)} more regions"
        groups[Node("other_regions", "cluster", _LAST, _count(len(rest), "cluster"), (detail,))] = rest
    return groups


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _place(cluster: Cluster) -> str:
    return " ".join(part for part in (cluster.region, cluster.zone) if part)


def _outside(environment: Environment, clusters: int) -> Iterator[Node]:
    yield Node("browser", "caller", 0, "Browser")
    yield Node("tools", "caller", 0, "CLI and SDK", ("ma, Python",))
    if clusters:
        yield Node("tasks", "caller", 0, "Task pods", (f"on {_count(clusters, 'compute cluster')}",))
    yield Node("app", "entry", 1, environment.domains.app, ("application, gRPC-Web",))
    yield Node("api", "entry", 1, environment.domains.api, ("gRPC",))
    settings = environment.front_door
    kind = "Ingress" if isinstance(settings, IngressFrontDoor) else "Gateway"
    details = (f"class {settings.class_name}", f"namespace {settings.controller_namespace}")
    yield Node("door", "door", 2, kind, details)
    if environment.network.monitoring_namespace:
        yield Node(
            "monitoring",
            "caller",
            2,
            "Prometheus",
            (f"namespace {environment.network.monitoring_namespace}",),
        )


def _services(environment: Environment) -> Iterator[Node]:
    """What callers reach before what works behind it; what calls the Kubernetes API stands next to it."""
    columns = {name: 4 if BY_NAME[name].calls_kubernetes else 3 for name in SERVICES}
    for name in sorted(SERVICES, key=lambda name: (BY_NAME[name].port is None, columns[name])):
        service = BY_NAME[name]
        replicas = _count(environment.control_plane.service(name).replicas, "replica")
        details = (service.role, replicas) if service.role else (replicas,)
        yield Node(name, "service", columns[name], service.title, details)


def _systems(environment: Environment) -> Iterator[Node]:
    workflow, storage = environment.workflow, environment.storage
    for identity, title, detail in dict.fromkeys(_SYSTEMS.values()):
        yield Node(identity, "system", _LAST, title, (detail,))
    yield Node("workflow", "system", _LAST, workflow.engine.capitalize(), (workflow.host,))
    buckets: dict[str, str] = storage.buckets.model_dump(exclude_none=True)
    names = tuple(f"{purpose}: {name}" for purpose, name in buckets.items())
    yield Node("store", "store", _LAST, "Object store", (s3_endpoint(storage)[0], *names))


def _entries(environment: Environment) -> Iterator[Edge]:
    """What happens before any pod of ours is reached (network guide, required connectivity)."""
    yield Edge("browser", "app", str(HTTPS), ("the application",))
    yield Edge("tools", "api", str(HTTPS), ("gRPC calls",))
    if environment.clusters:
        yield Edge("tasks", "api", str(HTTPS), ("results of tasks",))
        host, tls = s3_endpoint(environment.storage)
        port = urlsplit(f"//{host}").port or (HTTPS if tls else HTTP)
        yield Edge("tasks", "store", str(port), ("artefacts of tasks",))
    yield Edge("app", "door", str(HTTPS), ("TLS ends here",))
    passed = environment.front_door.api_tls == "passthrough"
    yield Edge("api", "door", str(HTTPS), ("TLS ends at Envoy" if passed else "TLS ends here",))


def _flows(environment: Environment) -> Iterator[Edge]:
    outside = front_door(environment)
    for flow in flows(environment):
        if flow.purpose not in (_NAMES, _HANDED, _COMPUTE):
            source = _end(flow.source, outside, environment) or _identity("other", str(flow.source))
            ports = "" if flow.port is None else str(flow.port)
            yield Edge(source, _target(flow, outside, environment), ports, (flow.purpose,))


def _to_clusters(environment: Environment, groups: Mapping[Node, tuple[str, ...]]) -> Iterator[Edge]:
    """Connections to compute clusters, each on its own ports."""
    for node, names in groups.items():
        for port in {port for name in names for port in api_server_ports(environment.clusters[name])}:
            yield Edge("controllermgr", node.id, str(port), (_COMPUTE,))


def _end(peer: Peer, outside: Pods, environment: Environment) -> str | None:
    """Node of a peer that is one by itself; None where only the purpose tells what it is."""
    if isinstance(peer, Component):
        return peer.service
    if peer == outside:
        return "door"
    if isinstance(peer, Pods) and peer.namespace == environment.network.monitoring_namespace is not None:
        return "monitoring"
    return None


def _target(flow: Flow, outside: Pods, environment: Environment) -> str:
    by_purpose = {
        _PUBLIC: "api",
        "workflow engine": "workflow",
        "object store": "store",
        **{purpose: identity for purpose, (identity, _, _) in _SYSTEMS.items()},
    }
    known = _end(flow.destination, outside, environment) or by_purpose.get(flow.purpose)
    return known or _identity("other", flow.purpose)


def _unforeseen(identity: str) -> Node:
    """A box for a flow this module has no name for: better drawn plainly than left out."""
    words = identity.removeprefix("other_").replace("_", " ").strip()
    return Node(identity, "system", _LAST, words[:1].upper() + words[1:])


def _merged(edges: Iterable[Edge]) -> tuple[Edge, ...]:
    """One arrow between two boxes, with all ports and purposes."""
    ports: dict[tuple[str, str], list[str]] = defaultdict(list)
    purposes: dict[tuple[str, str], list[str]] = defaultdict(list)
    for edge in edges:
        key = (edge.source, edge.target)
        ports[key] += [edge.ports] if edge.ports else []
        purposes[key] += edge.purposes
    return tuple(
        Edge(
            source,
            target,
            ", ".join(sorted(set(ports[source, target]), key=int)),
            tuple(dict.fromkeys(purposes[source, target])),
        )
        for source, target in purposes
    )


def _notes(environment: Environment, clusters: tuple[Cluster, ...]) -> Iterator[str]:
    dns = environment.network.dns
    beside = f", or {', '.join(dns.addresses)}" if dns.addresses else ""
    yield (
        f"Every service but the UI asks the cluster's DNS (pods in {dns.namespace}, port {dns.port}{beside})."
    )
    if len(clusters) > MAX_CLUSTERS:
        yield f"{len(clusters)} compute clusters are drawn by region; the table and --format json list each."
    if any(cluster.server.startswith("as its") for cluster in clusters):
        yield "Clusters without a server in the settings are reached on the address in their kubeconfig."
    if not environment.network.policies:
        yield "network.policies is false: nothing keeps pods to these flows."
