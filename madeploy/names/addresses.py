"""Ports, hosts and URLs: derived once from the two domains."""

from __future__ import annotations

from typing import Final

from madeploy.names.kubernetes import workload
from madeploy.settings import Environment
from madeploy.settings.base import split_host_port

API_PORT: Final = 15566
"""gRPC, plaintext (facts 1.1)."""

ENVOY_PORT: Final = 8081
"""HTTP/1.1 gRPC-Web (network guide)."""

ENVOY_API_PORT: Final = 8082
"""gRPC of the API's host, where it has a lock."""

ENVOY_ADMIN_PORT: Final = 9901
"""Envoy's admin interface, on loopback inside the pod."""

ENVOY_METRICS_PORT: Final = 9902
"""Envoy's read-only metrics listener."""

UI_PORT: Final = 80
"""Static files (facts 1.1)."""

METRICS_PORT: Final = 8091
"""Controller manager's metrics (facts 2.2)."""

PROBE_PORT: Final = 8083
"""Controller manager's probe listener: bound, and 404 on every path (V4)."""

API_SERVICE_NAME: Final = "ma-apiserver"
"""YARPC service name every caller must send (facts 2.2, 7.1)."""

GRPC_WEB_PREFIX: Final = "/michelangelo.api.v2."
"""Prefix of every gRPC path of the platform's API (facts 7.1)."""


def api_url(environment: Environment) -> str:
    """Public URL of the API, `https://<domains.api>`."""
    return f"https://{environment.domains.api}"


def app_url(environment: Environment) -> str:
    """Public URL of the application, `https://<domains.app>`; the UI's `apiBaseUrl` and first CORS
    origin (network guide, domain names)."""
    return f"https://{environment.domains.app}"


def in_cluster_host(environment: Environment) -> str:
    """Host of the API server's Service inside the cluster."""
    return f"{workload('apiserver')}.{environment.platform.namespace}.svc.cluster.local"


def envoy_upstream(environment: Environment) -> tuple[str, int]:
    """Host and port of the API that Envoy forwards to: the API server's Service in its own namespace
    unless `controlPlane.envoy.upstream` says otherwise (network guide, fields to customize)."""
    upstream = environment.control_plane.envoy.upstream
    return (workload("apiserver"), API_PORT) if upstream is None else split_host_port(upstream)


def worker_address(environment: Environment) -> tuple[str, bool]:
    """Where the worker reaches the API, and whether with TLS: `<domains.api>:443` with TLS when
    public, the Service without when in the cluster (facts 2.3 row 16)."""
    if environment.control_plane.worker.api_access == "public":
        return f"{environment.domains.api}:443", True
    return f"{in_cluster_host(environment)}:{API_PORT}", False


def allowed_origins(environment: Environment) -> tuple[str, ...]:
    """Every origin Envoy accepts: the application's own, then the declared ones, without repeats."""
    return tuple(dict.fromkeys((app_url(environment), *environment.cors.additional_origins)))
