"""Front door, second form: Gateway API (GRPCRoute, HTTPRoute; Gateway API v1.4 standard channel; where TLS is
passed through TLSRoute, of v1.5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from madeploy.names.addresses import ENVOY_PORT, UI_PORT
from madeploy.names.kubernetes import Workload, workload
from madeploy.settings import Environment
from madeploy.settings.front_door import GatewayApiFrontDoor
from manifests.api_paths import api_backend, service_paths
from manifests.envoy import PORT
from manifests.issuers import GATEWAY_HTTP_LISTENER, issuer_annotations
from manifests.objects import Object, metadata

API_LISTENER = "api"
APP_LISTENER = "app"
REDIRECT_ROUTE = "michelangelo-https-redirect"

_GROUP = "gateway.networking.k8s.io"
_MATCHES = 8
"""Matches in one rule. Later versions of the API allow 64, the first stable one 8."""


def routes(environment: Environment) -> tuple[Object, ...]:
    """The Gateway with its routes; none when the front door is Ingress.

    The URLs are those of the Ingress form: the API's host as gRPC, the application's host with the
    API's services going to Envoy and the rest to the application. Port 80 only redirects, and lets
    ACME challenges in, whose routes are more specific.
    """
    front_door = environment.front_door
    if not isinstance(front_door, GatewayApiFrontDoor):
        return ()
    made = [
        _gateway(environment, front_door),
        _api_route(environment, front_door),
        _app_route(environment, front_door),
        _redirect(environment, front_door),
    ]
    if environment.tls.envoy.enabled:
        made.append(_backend_tls(environment))
    return tuple(made)


def _object(
    environment: Environment,
    kind: str,
    name: str,
    spec: dict[str, Any],
    service: Workload | None = None,
    annotations: Mapping[str, str] | None = None,
) -> Object:
    return {
        "apiVersion": f"{_GROUP}/v1",
        "kind": kind,
        "metadata": metadata(name, environment.platform.namespace, service, annotations),
        "spec": spec,
    }


def _gateway(environment: Environment, front_door: GatewayApiFrontDoor) -> Object:
    def https(name: str, host: str, secret: str, route: str) -> dict[str, Any]:
        return {
            "name": name,
            "protocol": "HTTPS",
            "port": 443,
            "hostname": host,
            "tls": {"mode": "Terminate", "certificateRefs": [{"kind": "Secret", "name": secret}]},
            "allowedRoutes": _allowed(route),
        }

    def passed(name: str, host: str) -> dict[str, Any]:
        return {
            "name": name,
            "protocol": "TLS",
            "port": 443,
            "hostname": host,
            "tls": {"mode": "Passthrough"},
            "allowedRoutes": _allowed("TLSRoute"),
        }

    domains, tls = environment.domains, environment.tls
    listeners = [
        passed(API_LISTENER, domains.api)
        if front_door.api_tls == "passthrough"
        else https(API_LISTENER, domains.api, tls.api_secret_name, "GRPCRoute"),
        https(APP_LISTENER, domains.app, tls.app_secret_name, "HTTPRoute"),
        {
            "name": GATEWAY_HTTP_LISTENER,
            "protocol": "HTTP",
            "port": 80,
            "allowedRoutes": _allowed("HTTPRoute"),
        },
    ]
    return _object(
        environment,
        "Gateway",
        front_door.gateway_name,
        {"gatewayClassName": front_door.class_name, "listeners": listeners},
        annotations=issuer_annotations(environment),
    )


def _allowed(kind: str) -> dict[str, Any]:
    return {"namespaces": {"from": "Same"}, "kinds": [{"group": _GROUP, "kind": kind}]}


def _parent(front_door: GatewayApiFrontDoor, listener: str) -> list[dict[str, Any]]:
    return [{"group": _GROUP, "kind": "Gateway", "name": front_door.gateway_name, "sectionName": listener}]


def _backend(service: Workload, port: int) -> list[dict[str, Any]]:
    return [{"kind": "Service", "name": workload(service), "port": port}]


def _api_route(environment: Environment, front_door: GatewayApiFrontDoor) -> Object:
    """Every gRPC call on the API's host, reflection included (`ma` needs it, facts 7.2). A GRPCRoute
    has no time-outs to set: the implementation's own apply. What is passed through is connections."""
    spec = {
        "parentRefs": _parent(front_door, API_LISTENER),
        "hostnames": [environment.domains.api],
        "rules": [{"backendRefs": _backend(*api_backend(environment))}],
    }
    kind = "TLSRoute" if front_door.api_tls == "passthrough" else "GRPCRoute"
    return _object(environment, kind, workload("apiserver"), spec, "apiserver")


def _app_route(environment: Environment, front_door: GatewayApiFrontDoor) -> Object:
    signed_in = environment.access.login is not None
    paths = () if signed_in else service_paths(environment)
    groups = [paths[start : start + _MATCHES] for start in range(0, len(paths), _MATCHES)]
    rules: list[dict[str, Any]] = [
        {
            "matches": [{"path": {"type": "PathPrefix", "value": path}} for path in group],
            "backendRefs": _backend("envoy", ENVOY_PORT),
            # Calls are ended by their own deadline; implementations on Envoy would cut at 15 s.
            "timeouts": {"request": "0s"},
        }
        for group in groups
    ]
    everything: dict[str, Any] = {"matches": [{"path": {"type": "PathPrefix", "value": "/"}}]}
    if signed_in:
        everything |= {"backendRefs": _backend("envoy", ENVOY_PORT), "timeouts": {"request": "0s"}}
    else:
        everything |= {"backendRefs": _backend("ui", UI_PORT)}
    rules.append(everything)
    spec = {
        "parentRefs": _parent(front_door, APP_LISTENER),
        "hostnames": [environment.domains.app],
        "rules": rules,
    }
    return _object(environment, "HTTPRoute", workload("ui"), spec, "ui")


def _redirect(environment: Environment, front_door: GatewayApiFrontDoor) -> Object:
    redirect = {"type": "RequestRedirect", "requestRedirect": {"scheme": "https", "statusCode": 301}}
    spec = {
        "parentRefs": _parent(front_door, GATEWAY_HTTP_LISTENER),
        "hostnames": [environment.domains.api, environment.domains.app],
        "rules": [{"filters": [redirect]}],
    }
    return _object(environment, "HTTPRoute", REDIRECT_ROUTE, spec)


def _backend_tls(environment: Environment) -> Object:
    """How the Gateway speaks to an Envoy that terminates TLS: its certificate, made out to the
    application's host, is checked against the environment's own authorities (`ca.crt` of
    `controlPlane.caBundleConfigMap`) where there are some, else the well-known ones."""
    bundle = environment.control_plane.ca_bundle_config_map
    trust: dict[str, Any] = (
        {"wellKnownCACertificates": "System"}
        if bundle is None
        else {"caCertificateRefs": [{"group": "", "kind": "ConfigMap", "name": bundle}]}
    )
    target = {"group": "", "kind": "Service", "name": workload("envoy")}
    if environment.access.guarded is not None:
        # The port of the API's host speaks otherwise.
        target["sectionName"] = PORT
    spec = {
        "targetRefs": [target],
        "validation": {**trust, "hostname": environment.domains.app},
    }
    return _object(environment, "BackendTLSPolicy", workload("envoy"), spec, "envoy")
