"""Front doors read as their controllers read them: rendered Kubernetes objects to hosts, routes and
back ends.

No ingress controller and no Gateway implementation runs here. What a controller makes of the objects is
written down in this module, from the controllers' documentation, for three of them:

- ingress-nginx: annotations `nginx.ingress.kubernetes.io/...`; its time-outs are of silence, 60 s unless
  said otherwise; certificates of back ends are not verified; `ImplementationSpecific` is a plain prefix.
- Contour, for a controller other than nginx: annotations `projectcontour.io/...`, the back end's protocol
  by its Service's `appProtocol`; Envoy's own limit of 15 s for an answer unless said otherwise.
- Gateway API v1.4 as implementations on Envoy do it: the same 15 s, for an HTTPRoute unless it says
  otherwise, for a GRPCRoute always, because it cannot (Envoy Gateway, issue 5446).

Sizes of bodies are not played.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from manifests.objects import Object
from tests.support.objects import of_kind, one

NGINX = "nginx.ingress.kubernetes.io/"
CONTOUR = "projectcontour.io/"
ENVOY_ANSWER_SECONDS = 15.0
ENVOY_SILENCE_SECONDS = 300.0
NGINX_SILENCE_SECONDS = 60.0

_H2C = "kubernetes.io/h2c"
_NGINX_PROTOCOLS = {"HTTP": (1, False), "HTTPS": (1, True), "GRPC": (2, False), "GRPCS": (2, True)}
_APP_PROTOCOLS = {"http": (1, False), "https": (1, True), _H2C: (2, False)}


@dataclass(frozen=True)
class Backend:
    """Where a request goes and how."""

    port: int
    """On this machine, in the place of a port of a pod."""

    http: int
    """1 or 2."""

    tls: bool = False
    verified_host: str | None = None
    """Name that the back end's certificate must have; without one nothing is verified."""

    authorities: Path | None = None
    """File with the authorities that the certificate is verified against."""


@dataclass(frozen=True)
class Route:
    """Requests with a path, and their limits in seconds; None is no limit."""

    match: Literal["prefix", "elements"]
    """`prefix`: of characters; `elements`: of whole elements between slashes."""

    path: str
    backend: Backend
    answer: float | None
    """From the request's end to the answer's end."""

    silence: float | None
    """Between two pieces of data."""


@dataclass(frozen=True)
class Host:
    """One public name on port 443."""

    name: str
    secret: str
    routes: tuple[Route, ...]
    """In the order of trial: more of the path first."""


@dataclass(frozen=True)
class Cluster:
    """What a controller finds in a cluster."""

    objects: Sequence[Object]
    pods: Mapping[tuple[str, int], int]
    """Port of this machine by Deployment and container port."""

    config_maps: Path
    """Folder of ConfigMaps nobody renders, `<name>/<key>`."""

    def backend_port(self, service: str, number: int) -> tuple[int, str]:
        """Port of this machine behind a Service's port, through the Service's selector and the container's
        port names, and the port's application protocol."""
        found = one(self.objects, "Service", service)
        (port,) = [each for each in found["spec"]["ports"] if each["port"] == number]
        selector = found["spec"]["selector"].items()
        templates = {
            obj["metadata"]["name"]: obj["spec"]["template"] for obj in of_kind(self.objects, "Deployment")
        }
        ((name, template),) = [
            (name, template)
            for name, template in templates.items()
            if selector <= template["metadata"]["labels"].items()
        ]
        (target,) = [
            each["containerPort"]
            for container in template["spec"]["containers"]
            for each in container.get("ports", ())
            if each["name"] == port["targetPort"]
        ]
        return self.pods[name, target], port["appProtocol"]


def hosts(cluster: Cluster) -> tuple[Host, ...]:
    """Every host the door serves over TLS, by Ingress objects or by a Gateway."""
    if of_kind(cluster.objects, "Ingress"):
        return _by_ingress(cluster)
    return _by_gateway(cluster)


def _ordered(routes: Sequence[Route]) -> tuple[Route, ...]:
    return tuple(sorted(routes, key=lambda route: len(route.path), reverse=True))


def _by_ingress(cluster: Cluster) -> tuple[Host, ...]:
    secrets: dict[str, str] = {}
    routes: dict[str, list[Route]] = {}
    for ingress in of_kind(cluster.objects, "Ingress"):
        for entry in ingress["spec"]["tls"]:
            for name in entry["hosts"]:
                assert secrets.setdefault(name, entry["secretName"]) == entry["secretName"]
        read = _CONTROLLERS[ingress["spec"]["ingressClassName"]]
        for rule in ingress["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                routes.setdefault(rule["host"], []).append(read(cluster, ingress, path))
    return tuple(Host(name, secret, _ordered(routes[name])) for name, secret in secrets.items())


def _annotations(ingress: Object, prefix: str, known: set[str]) -> dict[str, str]:
    """Annotations of one controller, without the prefix. A controller ignores those it does not know;
    here they fail, because they are misspelt."""
    annotations = ingress["metadata"].get("annotations", {})
    found = {key[len(prefix) :]: value for key, value in annotations.items() if key.startswith(prefix)}
    assert found.keys() <= known, f"unknown to the controller: {sorted(found.keys() - known)}"
    return found


def _nginx(cluster: Cluster, ingress: Object, path: Mapping[str, Any]) -> Route:
    known = {
        "backend-protocol",
        "proxy-read-timeout",
        "proxy-send-timeout",
        "proxy-body-size",
        "proxy-buffer-size",
        "ssl-redirect",
    }
    said = _annotations(ingress, NGINX, known)
    port, _ = _service_port(cluster, path)
    http, tls = _NGINX_PROTOCOLS[said.get("backend-protocol", "HTTP")]
    # Strings without a unit, in seconds: an annotation with one is refused.
    silence = float(said.get("proxy-read-timeout", NGINX_SILENCE_SECONDS))
    match = _path_match(path["pathType"])
    return Route(match, path["path"], Backend(port, http, tls), answer=None, silence=silence)


def _contour(cluster: Cluster, ingress: Object, path: Mapping[str, Any]) -> Route:
    said = _annotations(ingress, CONTOUR, {"response-timeout"})
    port, protocol = _service_port(cluster, path)
    http, tls = _APP_PROTOCOLS[protocol]
    limit = said.get("response-timeout")
    answer = ENVOY_ANSWER_SECONDS if limit is None else None if limit == "infinity" else seconds(limit)
    match = _path_match(path["pathType"])
    return Route(match, path["path"], Backend(port, http, tls), answer, ENVOY_SILENCE_SECONDS)


_CONTROLLERS: Mapping[str, Callable[[Cluster, Object, Mapping[str, Any]], Route]] = {
    "nginx": _nginx,
    "contour": _contour,
}


def _service_port(cluster: Cluster, path: Mapping[str, Any]) -> tuple[int, str]:
    service = path["backend"]["service"]
    return cluster.backend_port(service["name"], service["port"]["number"])


def _path_match(path_type: str) -> Literal["prefix", "elements"]:
    matches: dict[str, Literal["prefix", "elements"]] = {
        "Prefix": "elements",
        "ImplementationSpecific": "prefix",
    }
    return matches[path_type]


def _by_gateway(cluster: Cluster) -> tuple[Host, ...]:
    (gateway,) = of_kind(cluster.objects, "Gateway")
    served = []
    for listener in gateway["spec"]["listeners"]:
        if listener["protocol"] != "HTTPS":
            continue
        assert listener["tls"]["mode"] == "Terminate"
        (certificate,) = listener["tls"]["certificateRefs"]
        routes = [
            route
            for kind in listener["allowedRoutes"]["kinds"]
            for obj in of_kind(cluster.objects, kind["kind"])
            if _attached(obj, gateway, listener)
            for route in _routes(cluster, obj)
        ]
        served.append(Host(listener["hostname"], certificate["name"], _ordered(routes)))
    return tuple(served)


def _attached(route: Object, gateway: Object, listener: Mapping[str, Any]) -> bool:
    here = {"name": gateway["metadata"]["name"], "sectionName": listener["name"]}
    named = any(here.items() <= parent.items() for parent in route["spec"]["parentRefs"])
    same_namespace = route["metadata"]["namespace"] == gateway["metadata"]["namespace"]
    return named and same_namespace and listener["hostname"] in route["spec"]["hostnames"]


def _routes(cluster: Cluster, route: Object) -> list[Route]:
    found = []
    for rule in route["spec"]["rules"]:
        (reference,) = rule["backendRefs"]
        backend = _gateway_backend(cluster, reference, grpc=route["kind"] == "GRPCRoute")
        limit = rule.get("timeouts", {}).get("request")
        # Zero is no limit at all (Gateway API, HTTPRouteTimeouts).
        answer = ENVOY_ANSWER_SECONDS if limit is None else seconds(limit) or None
        for match in rule.get("matches", [{"path": {"type": "PathPrefix", "value": "/"}}]):
            assert match["path"]["type"] == "PathPrefix"
            path = match["path"]["value"]
            found.append(Route("elements", path, backend, answer, ENVOY_SILENCE_SECONDS))
    return found


def _gateway_backend(cluster: Cluster, reference: Mapping[str, Any], grpc: bool) -> Backend:
    port, protocol = cluster.backend_port(reference["name"], reference["port"])
    http = 2 if grpc or protocol == _H2C else 1
    for policy in of_kind(cluster.objects, "BackendTLSPolicy"):
        if any(each["name"] == reference["name"] for each in policy["spec"]["targetRefs"]):
            validation = policy["spec"]["validation"]
            (authorities,) = validation["caCertificateRefs"]
            file = cluster.config_maps / authorities["name"] / "ca.crt"
            return Backend(port, http, True, validation["hostname"], file)
    return Backend(port, http)


def seconds(duration: str) -> float:
    """A duration as both APIs write it, such as `1h30m`, `0s` or `500ms`."""
    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|h|m|s)", duration)
    assert "".join(number + unit for number, unit in parts) == duration, duration
    units = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
    return sum(float(number) * units[unit] for number, unit in parts)
