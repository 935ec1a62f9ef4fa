"""Ingress controller, cloud load balancer and Gateway API controller."""

from __future__ import annotations

from typing import Any

from madeploy.clients.kubernetes import Object
from madeploy.sandbox.actors.cluster import View, condition
from madeploy.sandbox.objects import GATEWAY_CONTROLLER, INGRESS_CONTROLLER

ADDRESS = "192.0.2.1"
"""Kept for documentation (RFC 5737): it shows in status and leads nowhere."""
INGRESSES = "/apis/networking.k8s.io/v1/ingresses"
INGRESS_CLASSES = "/apis/networking.k8s.io/v1/ingressclasses"
SERVICES = "/api/v1/services"
GATEWAY_API = "/apis/gateway.networking.k8s.io/v1"
GATEWAYS = f"{GATEWAY_API}/gateways"
ROUTES = tuple(f"{GATEWAY_API}/{plural}" for plural in ("httproutes", "grpcroutes", "tlsroutes"))


def play_load_balancers(view: View) -> None:
    """Give an address to Ingresses of a served class and to Services of type LoadBalancer."""
    balanced = {"loadBalancer": {"ingress": [{"ip": ADDRESS}]}}
    ingresses = view.all(INGRESSES)
    if ingresses:
        served = {
            item["metadata"]["name"]
            for item in view.all(INGRESS_CLASSES)
            if item["spec"].get("controller") == INGRESS_CONTROLLER
        }
        for item in ingresses:
            if item["spec"].get("ingressClassName") in served:
                view.set_status(INGRESSES, item, balanced)
    for item in view.all(SERVICES):
        if item["spec"].get("type") == "LoadBalancer":
            status = {"loadBalancer": {"ingress": [{"ip": ADDRESS, "ipMode": "VIP"}]}}
            view.set_status(SERVICES, item, status)


def play_gateways(view: View) -> None:
    """Accept the classes of this controller, their Gateways, and the routes that name those."""
    classes = set()
    for item in view.all(f"{GATEWAY_API}/gatewayclasses"):
        if item["spec"].get("controllerName") == GATEWAY_CONTROLLER:
            classes.add(item["metadata"]["name"])
            accepted = condition("Accepted", True, "Accepted", "played by the sandbox", _generation(item))
            view.set_status(f"{GATEWAY_API}/gatewayclasses", item, {"conditions": [accepted]})
    if not classes:
        return
    gateways = [item for item in view.all(GATEWAYS) if item["spec"].get("gatewayClassName") in classes]
    attached: dict[tuple[str, str], int] = {}
    for path in ROUTES:
        for item in view.all(path):
            for parent in _attach(view, path, item, gateways):
                attached[parent] = attached.get(parent, 0) + 1
    for item in gateways:
        view.set_status(GATEWAYS, item, _gateway_status(item, attached.get(_key(item), 0)))


def _gateway_status(item: Object, routes: int) -> dict[str, Any]:
    generation = _generation(item)
    conditions = [
        condition(kind, True, kind, "played by the sandbox", generation)
        for kind in ("Accepted", "Programmed")
    ]
    listeners = [
        {
            "name": listener["name"],
            "attachedRoutes": routes,
            "supportedKinds": [
                {"group": "gateway.networking.k8s.io", "kind": kind}
                for kind in ("HTTPRoute", "GRPCRoute", "TLSRoute")
            ],
            "conditions": [
                condition(kind, True, kind, "played by the sandbox", generation)
                for kind in ("Accepted", "Programmed", "ResolvedRefs")
            ],
        }
        for listener in item["spec"].get("listeners", [])
    ]
    addresses = [{"type": "IPAddress", "value": ADDRESS}]
    return {"conditions": conditions, "listeners": listeners, "addresses": addresses}


def _attach(view: View, path: str, route: Object, gateways: list[Object]) -> list[tuple[str, str]]:
    """Write a route's status for those of its parents that are ours; their namespaces and names."""
    ours = {_key(item) for item in gateways}
    parents, statuses = [], []
    for reference in route["spec"].get("parentRefs", []):
        key = (reference.get("namespace", route["metadata"]["namespace"]), reference["name"])
        if key in ours:
            parents.append(key)
            conditions = [
                condition(kind, True, kind, "played by the sandbox", _generation(route))
                for kind in ("Accepted", "ResolvedRefs")
            ]
            statuses.append(
                {"parentRef": reference, "controllerName": GATEWAY_CONTROLLER, "conditions": conditions}
            )
    if statuses:
        view.set_status(path, route, {"parents": statuses})
    return parents


def _key(item: Object) -> tuple[str, str]:
    return item["metadata"]["namespace"], item["metadata"]["name"]


def _generation(item: Object) -> int:
    return int(item["metadata"].get("generation", 1))
