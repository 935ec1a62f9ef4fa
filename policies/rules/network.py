"""Who can reach what: NetworkPolicies, Services, entry points."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from .model import ADVICE, ALWAYS, STRICT, Path, Resource, Violation, mapping, mappings, rule, set_rule, texts
from .pods import WORKLOADS, pod, selects

POLICY: Final = "networking.k8s.io/NetworkPolicy"
INGRESS: Final = "networking.k8s.io/Ingress"
_GATEWAY_API: Final = "gateway.networking.k8s.io"
_NGINX: Final = "nginx.ingress.kubernetes.io/"
_ANYWHERE: Final = ("0.0.0.0/0", "::/0")
_API_PORT: Final = 15566
_ENVOY_PORT: Final = 8081
_GRPC: Final = ("GRPC", "GRPCS")


def _spec(resource: Resource) -> Mapping[str, Any]:
    return mapping(resource.properties.get("spec"))


def _types(policy: Resource) -> tuple[str, ...]:
    """Directions a NetworkPolicy governs (Kubernetes API reference: Egress only where it has rules)."""
    said = texts(_spec(policy).get("policyTypes"))
    return said or (("Ingress", "Egress") if "egress" in _spec(policy) else ("Ingress",))


@set_rule(
    "MA540",
    "pods-isolated",
    title="Pods that no NetworkPolicy selects",
    why="A pod without a policy talks to everything and is reached by everything in the cluster.",
    fix="Add a NetworkPolicy that denies both directions by default, and admit the flows that are needed; "
    "in a stack, network.policies: true.",
    severities=ADVICE,
    kinds=WORKLOADS | {POLICY},
)
def isolated(resources: Sequence[Resource]) -> Iterator[tuple[Resource, Violation]]:
    policies = [resource for resource in resources if resource.kind == POLICY]
    for resource in resources:
        found = pod(resource) if resource.kind in WORKLOADS else None
        if found is None:
            continue
        labels = mapping(found.metadata.get("labels"))
        covered = {
            direction
            for policy in policies
            if policy.namespace == resource.namespace and selects(_spec(policy).get("podSelector"), labels)
            for direction in _types(policy)
        }
        missing = [direction for direction in ("Ingress", "Egress") if direction not in covered]
        if missing:
            said = " or ".join(direction.lower() for direction in missing)
            yield resource, Violation((), f"no NetworkPolicy selects its pods for {said}")


def _opened(resource: Resource, direction: str, peers: str) -> Iterator[Violation]:
    """Rules of a policy that admit every address on every port."""
    for allowed, path in mappings(_spec(resource).get(direction), ("spec", direction)):
        if allowed.get("ports"):
            continue
        named = list(mappings(allowed.get(peers), (*path, peers)))
        if not named:
            yield Violation(path, f"{direction} rule without {peers} and ports admits everything")
        for peer, peer_path in named:
            cidr = mapping(peer.get("ipBlock")).get("cidr")
            if cidr in _ANYWHERE:
                yield Violation(
                    (*peer_path, "ipBlock", "cidr"), f"{direction} rule admits {cidr} on all ports"
                )


@rule(
    "MA541",
    "egress-with-destination",
    title="Egress to anywhere on any port",
    why="An intruder's way out: data leaves by whatever port is open.",
    fix="Name the destination or the ports.",
    severities=STRICT,
    kinds=[POLICY],
)
def open_egress(resource: Resource) -> Iterator[Violation]:
    yield from _opened(resource, "egress", "to")


@rule(
    "MA542",
    "ingress-with-source",
    title="Ingress from anywhere on any port",
    why="The policy denies nothing.",
    fix="Name the source or the ports.",
    severities=STRICT,
    kinds=[POLICY],
)
def open_ingress(resource: Resource) -> Iterator[Violation]:
    yield from _opened(resource, "ingress", "from")


@rule(
    "MA543",
    "services-inside",
    title="Service reachable past the front door",
    why="At this generation the API has no authentication of its own: what reaches it may do everything.",
    fix="Use type ClusterIP and publish the service through the Ingress or Gateway.",
    severities=STRICT,
    kinds=["core/Service"],
)
def outside_services(resource: Resource) -> Iterator[Violation]:
    spec = _spec(resource)
    if spec.get("type") in ("NodePort", "LoadBalancer"):
        yield Violation(("spec", "type"), f"is a {spec['type']}")
    elif texts(spec.get("externalIPs")):
        yield Violation(("spec", "externalIPs"), "has external IP addresses")


def _hosts(resource: Resource) -> Iterator[tuple[str | None, Path]]:
    """Host names of an entry point; None where there is none and so every name matches."""
    spec = _spec(resource)
    if resource.kind == INGRESS:
        if spec.get("defaultBackend") is not None:
            yield None, ("spec", "defaultBackend")
        for entry, path in mappings(spec.get("rules"), ("spec", "rules")):
            host = entry.get("host")
            yield (host if isinstance(host, str) and host else None), (*path, "host")
    elif resource.kind == f"{_GATEWAY_API}/Gateway":
        for listener, path in mappings(spec.get("listeners"), ("spec", "listeners")):
            if listener.get("protocol") in ("HTTPS", "TLS"):
                host = listener.get("hostname")
                yield (host if isinstance(host, str) and host else None), (*path, "hostname")
    else:
        for index, host in enumerate(texts(spec.get("hostnames"))):
            yield host, ("spec", "hostnames", index)


@rule(
    "MA544",
    "hosts-with-tls",
    title="Entry point without TLS",
    why="Requests, their data and every credential beside them are readable on the way.",
    fix="List the host in spec.tls with the Secret of its certificate.",
    severities=STRICT,
    kinds=[INGRESS],
)
def without_tls(resource: Resource) -> Iterator[Violation]:
    covered = {
        host
        for entry, _ in mappings(_spec(resource).get("tls"), ())
        if entry.get("secretName")
        for host in texts(entry.get("hosts"))
    }
    for host, path in _hosts(resource):
        wildcard = f"*.{host.partition('.')[2]}" if host else ""
        if host is not None and host not in covered and wildcard not in covered:
            yield Violation(path, f"no certificate is named for {host}")


@rule(
    "MA545",
    "hosts-by-name",
    title="Entry point for any host name",
    why="It answers names nobody chose, and takes over other applications' hosts on the same controller.",
    fix="Name the host.",
    severities=STRICT,
    kinds=[
        INGRESS,
        f"{_GATEWAY_API}/Gateway",
        f"{_GATEWAY_API}/HTTPRoute",
        f"{_GATEWAY_API}/GRPCRoute",
        f"{_GATEWAY_API}/TLSRoute",
    ],
)
def wildcard_hosts(resource: Resource) -> Iterator[Violation]:
    for host, path in _hosts(resource):
        if host is None:
            yield Violation(path, "no host name is given")
        elif host.startswith("*"):
            yield Violation(path, f"the host {host} is a wildcard")


def _backends(resource: Resource) -> Iterator[tuple[Any, Any, Path]]:
    """Path, port and place of every backend of an Ingress."""
    for entry, path in mappings(_spec(resource).get("rules"), ("spec", "rules")):
        inner = (*path, "http", "paths")
        for item, item_path in mappings(mapping(entry.get("http")).get("paths"), inner):
            service = mapping(mapping(item.get("backend")).get("service"))
            port = mapping(service.get("port"))
            yield item.get("path", "/"), port.get("number", port.get("name")), item_path


@rule(
    "MA546",
    "grpc-to-the-api",
    title="API server reached without gRPC",
    why="It speaks gRPC over HTTP/2 only; over HTTP/1.1 every call fails.",
    fix=f'Set the annotation {_NGINX}backend-protocol: "GRPC", or your controller\'s equivalent.',
    severities=ALWAYS,
    kinds=[INGRESS],
)
def plain_api(resource: Resource) -> Iterator[Violation]:
    annotations = mapping(resource.metadata.get("annotations"))
    nginx = _spec(resource).get("ingressClassName") in (None, "nginx")
    if not nginx or annotations.get(f"{_NGINX}backend-protocol") in _GRPC:
        return
    for _, port, path in _backends(resource):
        if port == _API_PORT:
            yield Violation((*path, "backend"), f"port {_API_PORT} without backend-protocol GRPC")


@rule(
    "MA547",
    "application-reachable",
    title="Application's files not reachable",
    why="Envoy hands everything to the API server: the browser gets an error in place of the page.",
    fix="Send `/` to the UI's Service on port 80, and only the paths that start with `/michelangelo.api.v2.` "
    "to Envoy.",
    severities=ALWAYS,
    kinds=[INGRESS],
)
def unreachable_ui(resource: Resource) -> Iterator[Violation]:
    for given, port, path in _backends(resource):
        if given == "/" and port == _ENVOY_PORT:
            yield Violation((*path, "backend"), f"`/` goes to Envoy's port {_ENVOY_PORT}")


@rule(
    "MA548",
    "no-plain-http",
    title="Plain HTTP served",
    why="The first request of a browser goes unencrypted, and may never be redirected.",
    fix='Redirect to HTTPS: remove the annotation, or set it to "true".',
    severities=STRICT,
    kinds=[INGRESS],
)
def plain_http(resource: Resource) -> Iterator[Violation]:
    annotations = mapping(resource.metadata.get("annotations"))
    for key in ("ssl-redirect", "force-ssl-redirect"):
        if str(annotations.get(_NGINX + key)).lower() == "false":
            yield Violation(("metadata", "annotations", _NGINX + key), f"{key} is false")


@rule(
    "MA549",
    "no-ingress-snippets",
    title="Configuration injected into the ingress controller",
    why="A snippet runs with the controller's rights, which read every Secret of the cluster "
    "(CVE-2021-25742).",
    fix="Use the controller's own annotations or a policy object.",
    severities=ALWAYS,
    kinds=[INGRESS],
)
def snippets(resource: Resource) -> Iterator[Violation]:
    for key in mapping(resource.metadata.get("annotations")):
        if str(key).startswith(_NGINX) and str(key).endswith("-snippet"):
            yield Violation(("metadata", "annotations", key), f"has the annotation {key}")


RULES: Final = (
    isolated,
    open_egress,
    open_ingress,
    outside_services,
    without_tls,
    wildcard_hosts,
    plain_api,
    unreachable_ui,
    plain_http,
    snippets,
)
