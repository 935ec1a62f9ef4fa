"""Front door, first form: Ingress objects (network guide, Ingress set-up)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from madeploy.names.addresses import ENVOY_PORT, UI_PORT
from madeploy.names.kubernetes import Workload, workload
from madeploy.settings import Environment
from madeploy.settings.front_door import IngressFrontDoor
from manifests.api_paths import api_backend, service_paths
from manifests.issuers import issuer_annotations
from manifests.objects import Object, metadata

NGINX = "nginx.ingress.kubernetes.io/"
"""Prefix of the annotations of ingress-nginx."""

_TIMEOUT = "3600"
_BODY_SIZE = "5m"
"""Above gRPC's own limit of one message, 4 MiB and its frame; ingress-nginx refuses bodies over 1 MiB by
default."""

GRPC_WEB_INGRESS = "michelangelo-grpc-web"
"""Ingress of the gRPC-Web paths where Envoy terminates TLS: the back end's protocol is an annotation
of a whole Ingress, and the application's pods speak plaintext."""


def _nginx(**values: str) -> dict[str, str]:
    return {f"{NGINX}{name.replace('_', '-')}": value for name, value in values.items()}


_API = _nginx(
    ssl_redirect="true",
    backend_protocol="GRPC",
    proxy_read_timeout=_TIMEOUT,
    proxy_send_timeout=_TIMEOUT,
    proxy_body_size=_BODY_SIZE,
)
_PASSED = _nginx(ssl_passthrough="true")
"""Needs `--enable-ssl-passthrough`; nothing else of such a connection is the controller's."""
_ENCRYPTED = _nginx(backend_protocol="HTTPS")
_SIGN_IN = _nginx(proxy_buffer_size="32k")
"""A session's cookies, which hold the provider's tokens, come in one answer's headers; the default of 4 KiB
would make it a failure."""

_APP = _nginx(ssl_redirect="true", proxy_read_timeout=_TIMEOUT, proxy_body_size=_BODY_SIZE)


def ingresses(environment: Environment) -> tuple[Object, ...]:
    """Ingress objects of the API and of the application; none when the front door is Gateway API.

    Requests for the API's services on the application's host go to Envoy, everything else there to
    the application, whose files the guide's single path would leave unreachable (facts 2.3, row 21).

    With ingress-nginx these paths are `ImplementationSpecific`, which it reads as plain prefixes: its
    admission refuses dots in `Prefix` paths (`strict-validate-path-type`, on by default since 1.12).
    Any other controller, which is one with annotations of its own in the settings, gets `Prefix`,
    the form that means the same to every controller.
    """
    front_door = environment.front_door
    if not isinstance(front_door, IngressFrontDoor):
        return ()
    issuer = issuer_annotations(environment)
    passed = front_door.api_tls == "passthrough"
    api_annotations = front_door.api_annotations
    if api_annotations is None:
        api_annotations = _PASSED if passed else _API
    app_annotations = _APP if front_door.app_annotations is None else front_door.app_annotations
    api = _ingress(
        environment,
        front_door,
        name=workload("apiserver"),
        service="apiserver",
        host=environment.domains.api,
        secret=environment.tls.api_secret_name,
        annotations={**api_annotations, **issuer},
        paths=[_path("/", "Prefix", *api_backend(environment))],
    )
    grpc_web = [_grpc_web_path(front_door, path) for path in service_paths(environment)]
    files = _path("/", "Prefix", "ui", UI_PORT)
    terminates = environment.tls.envoy.enabled
    signed_in = environment.access.login is not None
    if signed_in:
        grpc_web, files = [], _path("/", "Prefix", "envoy", ENVOY_PORT)
        if front_door.app_annotations is None:
            app_annotations = {**_APP, **_SIGN_IN, **(_ENCRYPTED if terminates else {})}
    app = _ingress(
        environment,
        front_door,
        name=workload("ui"),
        service="ui",
        host=environment.domains.app,
        secret=environment.tls.app_secret_name,
        annotations={**app_annotations, **issuer},
        paths=[files] if terminates else [*grpc_web, files],
    )
    if not terminates or signed_in:
        return (api, app)
    encrypted = _ingress(
        environment,
        front_door,
        name=GRPC_WEB_INGRESS,
        service="envoy",
        host=environment.domains.app,
        # The same Secret without the issuer's annotation: cert-manager lets one Ingress own it.
        secret=environment.tls.app_secret_name,
        annotations={**_APP, **_ENCRYPTED}
        if front_door.app_annotations is None
        else front_door.app_annotations,
        paths=grpc_web,
    )
    return (api, app, encrypted)


def _grpc_web_path(front_door: IngressFrontDoor, path: str) -> dict[str, Any]:
    if front_door.app_annotations is None:
        return _path(f"{path}/", "ImplementationSpecific", "envoy", ENVOY_PORT)
    return _path(path, "Prefix", "envoy", ENVOY_PORT)


def _path(path: str, path_type: str, service: Workload, port: int) -> dict[str, Any]:
    backend = {"service": {"name": workload(service), "port": {"number": port}}}
    return {"path": path, "pathType": path_type, "backend": backend}


def _ingress(
    environment: Environment,
    front_door: IngressFrontDoor,
    *,
    name: str,
    service: Workload,
    host: str,
    secret: str,
    annotations: Mapping[str, str],
    paths: Sequence[dict[str, Any]],
) -> Object:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": metadata(name, environment.platform.namespace, service, annotations),
        "spec": {
            "ingressClassName": front_door.class_name,
            "tls": [{"hosts": [host], "secretName": secret}],
            "rules": [{"host": host, "http": {"paths": list(paths)}}],
        },
    }
