"""What is published: Ingresses, Gateways and their routes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from .controllers import (
    ALB,
    ALB_PARAMETERS,
    APPLICATION_GATEWAY,
    CONTOUR,
    GKE,
    HAPROXY,
    INGRESS,
    INGRESS_CLASS,
    INGRESS_NGINX,
    KONG,
    NGINX_INC,
    OPENSHIFT,
    TRAEFIK,
    alb_parameters,
    annotations_of,
    classes_of,
    controller,
    has_default_certificate,
)
from .embedded import CONFIG_MAP, files, walk
from .model import ALWAYS, STRICT, Path, Resource, Violation, mapping, mappings, rule, set_rule, texts
from .pods import WORKLOADS

_GATEWAY_API: Final = "gateway.networking.k8s.io"
_NGINX: Final = "nginx.ingress.kubernetes.io/"
_ALB: Final = "alb.ingress.kubernetes.io/"
_API_PORT: Final = 8082
_GRPC_PORTS: Final = (15566, _API_PORT)
"""The API server's, and Envoy's where it authenticates at the API's host."""

_ENVOY_PORT: Final = 8081
_UI: Final = "michelangelo-ui"


def _hosts(resource: Resource) -> Iterator[tuple[str | None, Path]]:
    """Host names of an entry point; None where there is none and so every name matches."""
    spec = resource.spec
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


def _said(*keys: str) -> Callable[[Mapping[str, Any]], bool]:
    """Whether one of these annotations says something."""
    return lambda given: any(str(given.get(key) or "").strip() for key in keys)


def _true(*keys: str) -> Callable[[Mapping[str, Any]], bool]:
    return lambda given: any(str(given.get(key)).lower() == "true" for key in keys)


def _only(key: str, *accepted: str) -> Callable[[Mapping[str, Any]], bool]:
    """Whether a list in an annotation has nothing but these words."""

    def check(given: Mapping[str, Any]) -> bool:
        words = {word.strip() for word in str(given.get(key) or "").split(",") if word.strip()}
        return bool(words) and words <= set(accepted)

    return check


_passed_through: Final = _true(f"{_NGINX}ssl-passthrough")
_ROUTER: Final = "traefik.ingress.kubernetes.io/router."
_CERTIFICATES: Final[Mapping[str, tuple[Callable[[Mapping[str, Any]], bool], ...]]] = {
    # Passed through to the pod, or encrypted before the controller with plain HTTP sent on to HTTPS.
    INGRESS_NGINX: (_true(f"{_NGINX}ssl-passthrough", f"{_NGINX}force-ssl-redirect"),),
    NGINX_INC: (_true("nginx.org/redirect-to-https"),),
    GKE: (_said("networking.gke.io/managed-certificates", "ingress.gcp.kubernetes.io/pre-shared-cert"),),
    TRAEFIK: (
        _true(f"{_ROUTER}tls"),
        _said(f"{_ROUTER}tls.certresolver"),
        _only(f"{_ROUTER}entrypoints", "websecure"),
    ),
    KONG: (_only("konghq.com/protocols", "https", "grpcs", "tls", "tls_passthrough"),),
    OPENSHIFT: (_said("route.openshift.io/termination"),),
    HAPROXY: (_true("haproxy.org/ssl-passthrough", "haproxy-ingress.github.io/ssl-passthrough"),),
    APPLICATION_GATEWAY: (_said("appgw.ingress.kubernetes.io/appgw-ssl-certificate"),),
    CONTOUR: (_true("ingress.kubernetes.io/force-ssl-redirect"),),
}
"""What says TLS for every host of an Ingress, by controller."""

_WITH_DEFAULT: Final = (INGRESS_NGINX, NGINX_INC, HAPROXY, None)
"""Controllers that serve every host by TLS where they are given a default certificate."""

_NAME_IT: Final = {
    ALB: f"Name the certificate in {_ALB}certificate-arn, or ask for {_ALB}listen-ports: "
    "'[{\"HTTPS\":443}]' where one for the host is in ACM; the controller reads no Secret.",
    GKE: "Name the certificate in networking.gke.io/managed-certificates or "
    "ingress.gcp.kubernetes.io/pre-shared-cert, or its Secret in spec.tls.",
    OPENSHIFT: "Set the annotation route.openshift.io/termination: edge, or name the certificate's Secret in "
    "spec.tls.",
}
"""What to do, where it is not the rule's own advice."""


def _alb_by_tls(ingress: Resource, classes: Sequence[Resource]) -> bool:
    """Whether an ALB has an HTTPS listener for an Ingress: as its ports say, else where a certificate is
    named. Certificates that are not named are looked for in ACM, by host."""
    parameters, given = alb_parameters(ingress, classes), annotations_of(ingress)
    listeners = [item.get("protocol") for item, _ in mappings(parameters.get("listeners"), ())]
    if listeners:
        return "HTTPS" in listeners
    ports = given.get(f"{_ALB}listen-ports")
    if ports is not None:
        try:
            read = json.loads(str(ports))
        except ValueError:
            return False
        return any("HTTPS" in item for item, _ in mappings(read, ()))
    named = [*texts(parameters.get("certificateArn")), *texts(parameters.get("certificateARNs"))]
    return bool(named) or _said(f"{_ALB}certificate-arn")(given)


def _covered(
    ingress: Resource, serving: str | None, classes: Sequence[Resource], by_default: bool
) -> Callable[[str], bool]:
    """Whether a host of an Ingress is served by TLS; `by_default` where a controller has a certificate for
    hosts that name none."""
    if serving == ALB:
        by_tls = _alb_by_tls(ingress, classes)
        return lambda _: by_tls
    given = annotations_of(ingress)
    if any(check(given) for check in _CERTIFICATES.get(serving or "", ())):
        return lambda _: True
    if by_default and serving in _WITH_DEFAULT:
        return lambda _: True
    entries = [entry for entry, _ in mappings(ingress.spec.get("tls"), ())]
    if any(entry.get("secretName") and not texts(entry.get("hosts")) for entry in entries):
        # Without hosts an entry is for all that the controller serves (Kubernetes API reference).
        return lambda _: True
    # Without a Secret, controllers take their default certificate; Google's has none.
    hosts = {
        host
        for entry in entries
        if entry.get("secretName") or serving != GKE
        for host in texts(entry.get("hosts"))
    }
    return lambda host: host in hosts or f"*.{host.partition('.')[2]}" in hosts


@set_rule(
    "MA544",
    "hosts-with-tls",
    title="Entry point without TLS",
    why="Requests, their data and every credential beside them are readable on the way.",
    fix="List the host in spec.tls with the Secret of its certificate.",
    severities=STRICT,
    kinds=ALB_PARAMETERS | WORKLOADS | {INGRESS, INGRESS_CLASS},
)
def without_tls(resources: Sequence[Resource]) -> Iterator[tuple[Resource, Violation]]:
    classes, by_default = classes_of(resources), has_default_certificate(resources)
    for resource in resources:
        if resource.kind != INGRESS:
            continue
        serving = controller(resource, classes)
        covered = _covered(resource, serving, classes, by_default)
        fix = _NAME_IT.get(serving or "", "")
        for host, path in _hosts(resource):
            if host is not None and not covered(host):
                yield resource, Violation(path, f"no certificate is named for {host}", fix)


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


def _backends(resource: Resource) -> Iterator[tuple[Any, str, Any, Path]]:
    """Path, Service, port and place of every backend of an Ingress."""
    for entry, path in mappings(resource.spec.get("rules"), ("spec", "rules")):
        inner = (*path, "http", "paths")
        for item, item_path in mappings(mapping(entry.get("http")).get("paths"), inner):
            service = mapping(mapping(item.get("backend")).get("service"))
            port = mapping(service.get("port"))
            number = port.get("number", port.get("name"))
            yield item.get("path", "/"), str(service.get("name") or ""), number, item_path


_BY_GRPC: Final = {
    INGRESS_NGINX: f'Set the annotation {_NGINX}backend-protocol: "GRPC".',
    NGINX_INC: "List the Service in the annotation nginx.org/grpc-services.",
    ALB: f"Set the annotation {_ALB}backend-protocol-version: GRPC.",
}
"""How each controller is told."""


def _by_grpc(serving: str, given: Mapping[str, Any], service: str, its: Mapping[str, Any]) -> bool:
    """Whether a controller speaks gRPC to a Service, by the Ingress' annotations and the Service's."""
    if serving == NGINX_INC:
        return service in {name.strip() for name in str(given.get("nginx.org/grpc-services", "")).split(",")}
    if serving == ALB:
        key = f"{_ALB}backend-protocol-version"
        return bool(its.get(key, given.get(key)) == "GRPC")
    return given.get(f"{_NGINX}backend-protocol") in ("GRPC", "GRPCS")


@set_rule(
    "MA546",
    "grpc-to-the-api",
    title="API server reached without gRPC",
    why="It speaks gRPC over HTTP/2 only; over HTTP/1.1 every call fails.",
    fix=f'Set the annotation {_NGINX}backend-protocol: "GRPC", or your controller\'s equivalent.',
    severities=ALWAYS,
    kinds=[INGRESS, INGRESS_CLASS, "core/Service"],
)
def plain_api(resources: Sequence[Resource]) -> Iterator[tuple[Resource, Violation]]:
    services = {
        (item.namespace, str(item.metadata.get("name"))): annotations_of(item)
        for item in resources
        if item.kind == "core/Service"
    }
    classes = classes_of(resources)
    for resource in resources:
        # Where nothing says which controller it is, the default is assumed to be ingress-nginx.
        serving = controller(resource, classes) if resource.kind == INGRESS else ""
        if serving is not None and serving not in _BY_GRPC:
            continue
        for _, service, port, path in _backends(resource):
            its = services.get((resource.namespace, service), {})
            if port == _API_PORT and _passed_through(annotations_of(resource)):
                # Envoy ends TLS there, and sees what callers speak; the API server does not.
                continue
            if port in _GRPC_PORTS and not _by_grpc(
                serving or INGRESS_NGINX, annotations_of(resource), service, its
            ):
                said = f"port {port} without backend-protocol GRPC"
                yield resource, Violation((*path, "backend"), said, _BY_GRPC.get(serving or "", ""))


@set_rule(
    "MA547",
    "application-reachable",
    title="Application's files not reachable",
    why="Envoy hands everything to the API server: the browser gets an error in place of the page.",
    fix="Send `/` to the UI's Service on port 80, and only the paths that start with `/michelangelo.api.v2.` "
    "to Envoy.",
    severities=ALWAYS,
    kinds=[INGRESS, CONFIG_MAP],
)
def unreachable_ui(resources: Sequence[Resource]) -> Iterator[tuple[Resource, Violation]]:
    # With sign-in the files go through Envoy, which then has the application among its clusters.
    carried = {item.namespace for item in resources if item.kind == CONFIG_MAP and _carries_files(item)}
    for resource in resources:
        if resource.kind != INGRESS or resource.namespace in carried:
            continue
        for given, _, port, path in _backends(resource):
            if given == "/" and port == _ENVOY_PORT:
                yield resource, Violation((*path, "backend"), f"`/` goes to Envoy's port {_ENVOY_PORT}")


def _carries_files(config_map: Resource) -> bool:
    return any(
        value == _UI and place[-1] == "cluster"
        for _, content, _ in files(config_map)
        for place, value in walk(content)
        if place
    )


@set_rule(
    "MA548",
    "no-plain-http",
    title="Plain HTTP served",
    why="The first request of a browser goes unencrypted, and may never be redirected.",
    fix='Redirect to HTTPS: remove the annotation, or set it to "true".',
    severities=STRICT,
    kinds=[INGRESS, INGRESS_CLASS],
)
def plain_http(resources: Sequence[Resource]) -> Iterator[tuple[Resource, Violation]]:
    classes = classes_of(resources)
    for resource in resources:
        if resource.kind != INGRESS or controller(resource, classes) != INGRESS_NGINX:
            continue
        for key in ("ssl-redirect", "force-ssl-redirect"):
            if str(annotations_of(resource).get(_NGINX + key)).lower() == "false":
                place = ("metadata", "annotations", _NGINX + key)
                yield resource, Violation(place, f"{key} is false")


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
    for key in annotations_of(resource):
        if str(key).startswith(_NGINX) and str(key).endswith("-snippet"):
            yield Violation(("metadata", "annotations", key), f"has the annotation {key}")


RULES: Final = (without_tls, wildcard_hosts, plain_api, unreachable_ui, plain_http, snippets)
