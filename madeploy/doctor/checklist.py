"""The network guide's checklist, row by row (NET-15): what is live, read as the guide asks for it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, Final

import yaml

from madeploy.clients.kubernetes import Kubernetes, Object
from madeploy.clients.objects import conditions
from madeploy.doctor.checks import Seen
from madeploy.doctor.front_door import GATEWAY_API, INGRESS_API, door_object
from madeploy.doctor.site import Site
from madeploy.findings import Finding, find
from madeploy.names.addresses import app_url, worker_address
from madeploy.names.kubernetes import config_map
from madeploy.settings import CONTROL_PLANE
from madeploy.settings.front_door import GatewayApiFrontDoor
from manifests.api_paths import api_backend
from manifests.cors import origin_matcher

ROWS: Final = (
    "Ingress controller installed and supports HTTP/2 (for gRPC)",
    "API server Ingress created with backend-protocol: GRPC",
    "UI + Envoy Ingress created",
    "TLS certificates provisioned (cert-manager or manual)",
    "Envoy CORS allow_origin updated to match UI domain",
    "Worker ConfigMap worker.address updated to api.your-domain.com:443",
    "UI config.json apiBaseUrl updated to UI domain",
    "Cross-cluster connectivity verified (controller manager → compute K8s API)",
    "Task pod → Michelangelo API server connectivity verified",
)
"""The rows, in the guide's words."""

_PROTOCOL: Final = "nginx.ingress.kubernetes.io/backend-protocol"


def api_door(site: Site) -> Seen:
    """Row 2: the API's front door calls the API server by gRPC, and has an address. Raises ClientError."""
    client = site.client()
    if isinstance(site.environment.front_door, GatewayApiFrontDoor):
        kind = "TLSRoute" if site.environment.front_door.api_tls == "passthrough" else "GRPCRoute"
        return [*_gateway(site, client), *_routes(site, client, kind)] or f"{kind} and Gateway"
    declared = door_object(site, "api")
    live = _find(client, INGRESS_API, "ingresses", declared)
    found = list(_ingress(site, live, declared))
    wanted = (declared["metadata"].get("annotations") or {}).get(_PROTOCOL)
    if live is not None and wanted is not None:
        given = (live["metadata"].get("annotations") or {}).get(_PROTOCOL)
        if given != wanted:
            evidence = f"its annotation {_PROTOCOL} is {given}, not {wanted}"
            found.append(find("MA943", _name(declared), evidence, fix=_again(site)))
    _, port = api_backend(site.environment)
    if live is not None and port not in _ports(live):
        evidence = f"leads to port {', '.join(map(str, sorted(_ports(live)))) or 'none'}, not {port}"
        found.append(find("MA943", _name(declared), evidence, fix=_again(site)))
    protocol = f"backend-protocol {wanted}" if wanted else "annotations of its own controller"
    return found or f"{_name(declared)}: {protocol}"


def app_door(site: Site) -> Seen:
    """Row 3: the application's front door is there, and has an address. Raises ClientError."""
    client = site.client()
    if isinstance(site.environment.front_door, GatewayApiFrontDoor):
        return [*_gateway(site, client), *_routes(site, client, "HTTPRoute")] or "HTTPRoute and Gateway"
    declared = door_object(site, "app")
    live = _find(client, INGRESS_API, "ingresses", declared)
    return list(_ingress(site, live, declared)) or _name(declared)


def cors_origin(site: Site) -> Seen:
    """Row 5: Envoy's live configuration accepts the application's origin. Raises ClientError."""
    subject, files = _files(site, "envoy")
    expected = origin_matcher(app_url(site.environment))["exact"]
    try:
        accepted = {
            str(matcher.get("exact"))
            for document in yaml.safe_load_all(files.get("envoy.yaml", ""))
            for matcher in _matchers(document)
        }
    except yaml.YAMLError:
        accepted = set()
    if expected not in accepted:
        shown = ", ".join(sorted(accepted)) or ("no origin" if files else "nothing: it is not there")
        return [find("MA950", subject, f"accepts {shown}, not {expected}", fix=_again(site))]
    return f"{subject} accepts {expected}"


def worker(site: Site) -> Seen:
    """Row 6: the worker is told the address of the API that settings say. Raises ClientError."""
    subject, files = _files(site, "worker")
    expected, _ = worker_address(site.environment)
    given = _at(_parsed(files.get("base.yaml", "")), "worker", "address")
    if given != expected:
        live = "missing" if given is None else given
        return [find("MA951", subject, f"worker.address is {live}, not {expected}", fix=_again(site))]
    return f"worker.address is {given}"


def api_base_url(site: Site) -> Seen:
    """Row 7: the application is told its own host. Raises ClientError."""
    subject, files = _files(site, "ui")
    expected = app_url(site.environment)
    try:
        given = _at(json.loads(files.get("config.json", "")), "apiBaseUrl")
    except ValueError:
        given = None
    if given != expected:
        live = "missing" if given is None else given
        return [find("MA952", subject, f"apiBaseUrl is {live}, not {expected}", fix=_again(site))]
    return f"apiBaseUrl is {given}"


READ: Final[dict[int, Callable[[Site], Seen]]] = {
    2: api_door,
    3: app_door,
    5: cors_origin,
    6: worker,
    7: api_base_url,
}
"""Rows that are read from live objects; the others are calls, or asked from pods."""


def _ingress(site: Site, live: Object | None, declared: Object) -> Iterator[Finding]:
    if live is None:
        yield find("MA936", _name(declared), "is not there", fix=_again(site))
        return
    if not ((live.get("status") or {}).get("loadBalancer") or {}).get("ingress"):
        name, namespace = declared["metadata"]["name"], declared["metadata"]["namespace"]
        look = site.kubectl(f"-n {namespace} describe ingress {name}")
        class_name = live["spec"].get("ingressClassName")
        evidence = f"class {class_name} has given it no address"
        yield find("MA942", _name(declared), evidence, fix=f"See its events:\n{look}")


def _gateway(site: Site, client: Kubernetes) -> Iterator[Finding]:
    settings = site.environment.front_door
    assert isinstance(settings, GatewayApiFrontDoor)
    name = settings.gateway_name
    live = client.find(f"{GATEWAY_API}/namespaces/{site.namespace}/gateways/{name}")
    subject = f"Gateway {site.namespace}/{name}"
    look = site.kubectl(f"-n {site.namespace} describe gateway {name}")
    if live is None:
        yield find("MA936", subject, "is not there", fix=_again(site))
    elif not (live.get("status") or {}).get("addresses"):
        said = "; ".join(
            str(item.get("message")) for item in conditions(live) if item.get("status") == "False"
        )
        yield find("MA942", subject, said or "has no address", fix=f"See its conditions:\n{look}")


def _routes(site: Site, client: Kubernetes, kind: str) -> Iterator[Finding]:
    plural = f"{kind.lower()}s"
    for declared in site.objects[CONTROL_PLANE]:
        if declared["kind"] == kind and _find(client, GATEWAY_API, plural, declared) is None:
            yield find("MA936", _name(declared), "is not there", fix=_again(site))


def _find(client: Kubernetes, api: str, plural: str, declared: Object) -> Object | None:
    metadata = declared["metadata"]
    return client.find(f"{api}/namespaces/{metadata['namespace']}/{plural}/{metadata['name']}")


def _name(obj: Object) -> str:
    return f"{obj['kind']} {obj['metadata']['namespace']}/{obj['metadata']['name']}"


def _again(site: Site) -> str:
    return f"Write it again:\n{site.take_back}"


def _ports(ingress: Object) -> set[int]:
    return {
        path["backend"]["service"]["port"].get("number")
        for rule in ingress["spec"].get("rules") or ()
        for path in (rule.get("http") or {}).get("paths") or ()
        if "service" in path.get("backend", {})
    }


def _files(site: Site, service: str) -> tuple[str, dict[str, str]]:
    """A service's live ConfigMap, by name, and its files; none where it is not there."""
    name = config_map(service)
    live = site.client().find(f"/api/v1/namespaces/{site.namespace}/configmaps/{name}")
    return f"ConfigMap {site.namespace}/{name}", dict((live or {}).get("data") or {})


def _parsed(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return None


def _at(data: Any, *path: str) -> Any:
    for key in path:
        data = data.get(key) if isinstance(data, dict) else None
    return data


def _matchers(document: Any) -> Iterator[dict[str, Any]]:
    """Every matcher of origins in Envoy's configuration, wherever its policy stands."""
    if isinstance(document, dict):
        for key, value in document.items():
            if key == "allow_origin_string_match" and isinstance(value, list):
                yield from (item for item in value if isinstance(item, dict))
            else:
                yield from _matchers(value)
    elif isinstance(document, list):
        for item in document:
            yield from _matchers(item)
