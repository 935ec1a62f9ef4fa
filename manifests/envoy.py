"""Envoy: gRPC-Web, JSON and CORS between browsers and the API server (requirement CP-5)."""

from __future__ import annotations

import base64
from typing import Any, Final

from madeploy.names.addresses import ENVOY_API_PORT, ENVOY_METRICS_PORT, ENVOY_PORT
from madeploy.names.kubernetes import config_map
from madeploy.names.oidc import CLIENT_SECRET_KEY, COOKIE_SECRET_KEY
from madeploy.settings import Environment
from manifests.envoy_config import (
    CONFIG_FILE,
    DESCRIPTORS_DIR,
    DESCRIPTORS_FILE,
    envoy_files,
)
from manifests.envoy_login import CREDENTIALS_DIR
from manifests.envoy_tls import API_CERTIFICATE_DIR, CERTIFICATE_DIR, CLIENTS_DIR, CLIENTS_FILE
from manifests.envoy_typed import CONFIG_DIR
from manifests.issuers import certificates
from manifests.objects import Object, checksum, metadata
from manifests.pods import Container, checksum_annotation, config_volume, http_probe, secret_volume, tcp_probe
from manifests.storage_clients import authorities_volume
from manifests.workloads import (
    cluster_service,
    config_map_object,
    deployment,
    disruption_budget,
    service_account,
    service_port,
)

PORT: Final = "http"
METRICS: Final = "metrics"
API: Final = "api"
_READY: Final = "/ready"

DESCRIPTORS: Final = "envoy-descriptors"
"""ConfigMap with the descriptor set."""

# Ready is what Envoy says it is; killing the pod takes that its listener no longer takes connections.
_PROBES: Final = {
    "startupProbe": http_probe(METRICS, _READY, period_seconds=1, failure_threshold=30),
    "readinessProbe": http_probe(METRICS, _READY, period_seconds=5, failure_threshold=2),
    "livenessProbe": tcp_probe(PORT, period_seconds=20, failure_threshold=3),
}


def envoy(environment: Environment) -> tuple[Object, ...]:
    """Deployment, Service, ConfigMaps with `envoy.yaml` and the descriptor set, ServiceAccount and disruption
    budget; with TLS termination the certificate, where cert-manager issues it."""
    files = envoy_files(environment)
    tls = environment.tls.envoy
    volumes, mounts = [], []
    volume, mount = config_volume("config", config_map("envoy"), CONFIG_DIR)
    volumes.append(volume)
    mounts.append(mount)
    descriptors = _descriptors(environment)
    if descriptors:
        volume, mount = config_volume("descriptors", DESCRIPTORS, DESCRIPTORS_DIR)
        volumes.append(volume)
        mounts.append(mount)
    if tls.enabled:
        # The folder is the network guide's; the authorities it hides are not used by Envoy.
        volume, mount = secret_volume("tls", tls.secret_name, CERTIFICATE_DIR)
        volumes.append(volume)
        mounts.append(mount)
    for volume, mount in _access_volumes(environment):
        volumes.append(volume)
        mounts.append(mount)
    container = Container(
        probes=_PROBES,
        ports=_ports(environment),
        serves=True,
        # The binary itself: the image's entry point starts as root to change users. Two threads, because
        # Envoy would otherwise start one for each CPU of the node, each with its own memory.
        command=["/usr/local/bin/envoy"],
        args=["--config-path", f"{CONFIG_DIR}/{CONFIG_FILE}", "--concurrency", "2"],
        mounts=mounts,
        volumes=volumes,
    )
    # A pod reads its files once: it is replaced when one of them changes.
    texts = [*files.values(), *(text for item in descriptors for text in item["binaryData"].values())]
    return (
        *certificates(environment),
        service_account(environment, "envoy"),
        config_map_object(environment, "envoy", files),
        *descriptors,
        deployment(environment, "envoy", container, checksum_annotation(checksum(*texts))),
        _service(environment),
        *disruption_budget(environment, "envoy"),
    )


def _access_volumes(environment: Environment) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Secrets of sign-in and of the API's host, and private authorities where a provider's certificate is of
    theirs."""
    login, guarded = environment.access.login, environment.access.guarded
    pairs = []
    if login is not None:
        keys = (CLIENT_SECRET_KEY, COOKIE_SECRET_KEY)
        pairs.append(_of_secret("oidc", login.credentials_secret, CREDENTIALS_DIR, *keys))
    if environment.front_door.api_tls == "passthrough":
        pairs.append(secret_volume("api-tls", environment.tls.api_secret_name, API_CERTIFICATE_DIR))
    if guarded is not None and guarded.certificates is not None:
        # The authorities alone: a key beside them is nobody's business here.
        secret = guarded.certificates.authorities_secret
        pairs.append(_of_secret("api-clients", secret, CLIENTS_DIR, CLIENTS_FILE))
    tokens = guarded.tokens if guarded is not None else None
    if "bundle" in {each.authorities for each in (login, tokens) if each is not None}:
        pairs += authorities_volume(environment)
    return pairs


def _of_secret(name: str, secret: str, path: str, *keys: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Volume and mount of some keys of a Secret."""
    volume, mount = secret_volume(name, secret, path)
    volume["secret"]["items"] = [{"key": key, "path": key} for key in keys]
    return volume, mount


def _ports(environment: Environment) -> dict[str, int]:
    ports = {PORT: ENVOY_PORT, METRICS: ENVOY_METRICS_PORT}
    return ports if environment.access.guarded is None else {**ports, API: ENVOY_API_PORT}


def _service(environment: Environment) -> Object:
    web = "https" if environment.tls.envoy.enabled else "http"
    service = cluster_service(environment, "envoy", PORT, ENVOY_PORT, web)
    if environment.access.guarded is not None:
        passed = environment.front_door.api_tls == "passthrough"
        protocol = "https" if passed else "kubernetes.io/h2c"
        service["spec"]["ports"].append(service_port(API, ENVOY_API_PORT, protocol))
    return service


def _descriptors(environment: Environment) -> tuple[Object, ...]:
    """The descriptor set, where the environment has one. It is too large for the annotation in which `kubectl
    apply` keeps what it applied, so engines that would do so apply it on the server's side."""
    file = environment.control_plane.envoy.descriptors
    if file is None or file.content is None:
        return ()
    return (
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": metadata(
                DESCRIPTORS,
                environment.platform.namespace,
                "envoy",
                {"argocd.argoproj.io/sync-options": "ServerSideApply=true"},
            ),
            "binaryData": {DESCRIPTORS_FILE: base64.b64encode(file.content).decode()},
        },
    )
