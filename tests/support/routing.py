"""Where a request ends up behind each front door, decided as the specifications say.

Ingress: Kubernetes documentation, Ingress, path types; `ImplementationSpecific` as ingress-nginx reads
it, a plain prefix. Gateway API: HTTPRoute and GRPCRoute matching and precedence.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from manifests.objects import Object
from tests.support.objects import of_kind

Backend = tuple[str, int]


def by_ingress(objects: Sequence[Object], host: str, path: str) -> Backend | None:
    """Service and port that answer `https://<host><path>`; None where nothing does."""
    found: list[tuple[int, Backend]] = []
    for ingress in of_kind(objects, "Ingress"):
        served = {name for entry in ingress["spec"]["tls"] for name in entry["hosts"]}
        for rule in ingress["spec"]["rules"]:
            if rule["host"] != host or host not in served:
                continue
            for entry in rule["http"]["paths"]:
                if _ingress_matches(entry["pathType"], entry["path"], path):
                    service = entry["backend"]["service"]
                    found.append((len(entry["path"]), (service["name"], service["port"]["number"])))
    return max(found)[1] if found else None


def by_gateway(objects: Sequence[Object], host: str, path: str, tls: bool = True) -> Backend | str | None:
    """The same behind a Gateway; over plain HTTP, `redirect` where the answer is one."""
    (gateway,) = of_kind(objects, "Gateway")
    listener = _listener(gateway, host, tls)
    if listener is None:
        return None
    found: list[tuple[int, Backend | str]] = []
    for route in (*of_kind(objects, "HTTPRoute"), *of_kind(objects, "GRPCRoute")):
        allowed = {kind["kind"] for kind in listener["allowedRoutes"]["kinds"]}
        parents = {(ref["name"], ref["sectionName"]) for ref in route["spec"]["parentRefs"]}
        if (gateway["metadata"]["name"], listener["name"]) not in parents or route["kind"] not in allowed:
            continue
        if host not in route["spec"]["hostnames"]:
            continue
        for rule in route["spec"]["rules"]:
            for match in rule.get("matches", [{"path": {"type": "PathPrefix", "value": "/"}}]):
                assert match["path"]["type"] == "PathPrefix"
                prefix = match["path"]["value"]
                if _by_elements(prefix, path):
                    found.append((len(prefix), _target(rule)))
    return max(found, key=lambda pair: pair[0])[1] if found else None


def _target(rule: dict[str, Any]) -> Backend | str:
    if any(each["type"] == "RequestRedirect" for each in rule.get("filters", ())):
        return "redirect"
    (backend,) = rule["backendRefs"]
    return backend["name"], backend["port"]


def _listener(gateway: Object, host: str, tls: bool) -> dict[str, Any] | None:
    protocol = "HTTPS" if tls else "HTTP"
    fitting = [each for each in gateway["spec"]["listeners"] if each["protocol"] == protocol]
    named = [each for each in fitting if each.get("hostname") == host]
    open_to_all = [each for each in fitting if "hostname" not in each]
    return next(iter([*named, *open_to_all]), None)


def _ingress_matches(path_type: str, wanted: str, path: str) -> bool:
    if path_type == "ImplementationSpecific":
        return path.startswith(wanted)
    assert path_type == "Prefix"
    return _by_elements(wanted, path)


def _by_elements(prefix: str, path: str) -> bool:
    wanted = [part for part in prefix.split("/") if part]
    return path.split("/")[1:][: len(wanted)] == wanted
