"""The class that serves the front door, and whether the domains lead to it."""

from __future__ import annotations

import socket
from typing import Any, Final

from madeploy.clients.kubernetes import Kubernetes
from madeploy.clients.objects import condition
from madeploy.doctor.checks import Seen
from madeploy.doctor.site import Site
from madeploy.findings import Finding, find
from madeploy.settings import CONTROL_PLANE
from madeploy.settings.front_door import GatewayApiFrontDoor, IngressFrontDoor

INGRESS_NGINX: Final = "k8s.io/ingress-nginx"
"""Controller whose annotations are made by default (ingress-nginx, IngressClass)."""
GATEWAY_API: Final = "/apis/gateway.networking.k8s.io/v1"
INGRESS_API: Final = "/apis/networking.k8s.io/v1"


def door_class(site: Site) -> Seen:
    """Whether the front door's class exists, and its controller reads what is made for it. Raises
    ClientError."""
    door, client = site.environment.front_door, site.client()
    if isinstance(door, GatewayApiFrontDoor):
        return _gateway_class(door, client, site)
    found = client.find(f"{INGRESS_API}/ingressclasses/{door.class_name}")
    if found is None:
        return [_no_class("IngressClass", door.class_name, client, f"{INGRESS_API}/ingressclasses")]
    controller = str((found.get("spec") or {}).get("controller") or "")
    if controller != INGRESS_NGINX and _lacks_annotations(door):
        subject = f"IngressClass {door.class_name}"
        evidence = f"is served by {controller}, which does not read ingress-nginx's annotations"
        return [find("MA909", subject, evidence)]
    return f"IngressClass {door.class_name}, served by {controller}"


def _lacks_annotations(door: IngressFrontDoor) -> bool:
    return door.api_annotations is None or door.app_annotations is None


def _gateway_class(door: GatewayApiFrontDoor, client: Kubernetes, site: Site) -> Seen:
    found = client.find(f"{GATEWAY_API}/gatewayclasses/{door.class_name}")
    if found is None:
        return [_no_class("GatewayClass", door.class_name, client, f"{GATEWAY_API}/gatewayclasses")]
    accepted = condition(found, "Accepted")
    controller = (found.get("spec") or {}).get("controllerName")
    if accepted.get("status") != "True":
        said = accepted.get("message") or accepted.get("reason") or "no controller has looked at it"
        look = site.kubectl(f"describe gatewayclass {door.class_name}")
        fix = f"See its conditions, and whether its controller ({controller}) runs:\n{look}"
        return [find("MA910", f"GatewayClass {door.class_name}", f"is not accepted: {said}", fix=fix)]
    return f"GatewayClass {door.class_name}, accepted by {controller}"


def _no_class(kind: str, name: str, client: Kubernetes, path: str) -> Finding:
    there = sorted(item["metadata"]["name"] for item in client.items(path))
    evidence = f"is not there; the cluster has {', '.join(there) or 'none'}"
    accepted = ", ".join(there)
    return find("MA908", f"{kind} {name}", evidence, accepted=accepted)


def domains(site: Site) -> Seen:
    """Whether both domains resolve from here, and lead to the front door's address where it has one."""
    said = site.environment.domains
    found: list[Finding] = []
    seen = []
    for setting, host, door in (("api", said.api, "api"), ("app", said.app, "app")):
        addresses = _addresses(host)
        expected = _door_addresses(site, door)
        hint = f" ({', '.join(sorted(expected))})" if expected else ""
        if not addresses:
            fix = f"Make a DNS record for {host} that leads to the front door's address{hint}."
            evidence = f"{host} does not resolve from this machine"
            found.append(find("MA911", f"domains.{setting}", evidence, fix=fix))
            continue
        wanted = {address for name in expected for address in (_addresses(name) or {name})}
        if wanted and not addresses & wanted:
            evidence = (
                f"{host} leads to {', '.join(sorted(addresses))}, the front door is at {hint.strip(' ()')}"
            )
            fix = f"Point {host} at {hint.strip(' ()')}; behind a proxy or a NAT this is as it should be."
            found.append(find("MA912", f"domains.{setting}", evidence, fix=fix))
            continue
        seen.append(f"{host}: {', '.join(sorted(addresses))}")
    return found or "; ".join(seen)


def _addresses(host: str) -> set[str]:
    try:
        return {str(item[4][0]) for item in socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)}
    except OSError:
        return set()


def _door_addresses(site: Site, door: str) -> set[str]:
    """Addresses and host names that the live front door of a host shows; none before the first update."""
    try:
        found = live_door(site, door)
    except Exception:
        # The domains are looked up all the same; that the cluster does not answer is another check's.
        return set()
    status = (found or {}).get("status") or {}
    balanced: list[dict[str, Any]] = (status.get("loadBalancer") or {}).get("ingress") or []
    given: list[dict[str, Any]] = status.get("addresses") or []
    shown = [item.get("ip") or item.get("hostname") for item in balanced] + [
        item.get("value") for item in given
    ]
    return {str(address) for address in shown if address}


def live_door(site: Site, door: str) -> dict[str, Any] | None:
    """The live Ingress of a host (`api` or `app`), or the Gateway of both; None where it is not there. Raises
    ClientError."""
    client, settings = site.client(), site.environment.front_door
    if isinstance(settings, GatewayApiFrontDoor):
        return client.find(f"{GATEWAY_API}/namespaces/{site.namespace}/gateways/{settings.gateway_name}")
    name = door_object(site, door)["metadata"]["name"]
    return client.find(f"{INGRESS_API}/namespaces/{site.namespace}/ingresses/{name}")


def door_object(site: Site, door: str) -> dict[str, Any]:
    """The declared Ingress of a host: the one whose first rule is for it."""
    host = getattr(site.environment.domains, door)
    for obj in site.objects[CONTROL_PLANE]:
        if obj["kind"] == "Ingress" and any(
            rule.get("host") == host for rule in obj["spec"].get("rules", ())
        ):
            return obj
    raise LookupError(f"no Ingress is declared for {host}")
