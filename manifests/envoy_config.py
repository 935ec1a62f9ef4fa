"""Envoy's configuration: gRPC-Web, JSON and CORS in front of the API server (network guide).

Only fields of Envoy 1.31 and later are used; none is deprecated (V10). Ports: the API on
`names.ENVOY_PORT`; the admin interface on the pod's loopback alone, because it can stop the process;
`/stats/prometheus` and `/ready`, and nothing else of it, on `names.ENVOY_METRICS_PORT`, which is what
probes (`GET /ready`) and Prometheus use.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from madeploy.names.addresses import (
    ENVOY_ADMIN_PORT,
    ENVOY_METRICS_PORT,
    ENVOY_PORT,
    GRPC_WEB_PREFIX,
    envoy_upstream,
)
from madeploy.names.kubernetes import workload
from madeploy.settings import Environment
from manifests import envoy_api, envoy_login, envoy_tls
from manifests.cors import cors_policy
from manifests.envoy_tokens import protocol_options
from manifests.envoy_typed import TYPE, address, endpoints, typed
from manifests.objects import to_yaml

STREAM_SECONDS = 3600
"""How long a stream may be silent: the front door's own limit (network guide, Ingress set-up)."""

CONFIG_FILE = "envoy.yaml"

DESCRIPTORS_DIR = "/etc/envoy-descriptors"
"""Where the ConfigMap with the descriptor set is mounted; below the other files' folder one mount would hide
the other."""

DESCRIPTORS_FILE = "descriptors.pb"

API_PACKAGE = GRPC_WEB_PREFIX.strip("/.")
"""Package of the API's services and messages."""

CLUSTER = workload("apiserver")
"""Envoy's name of the upstream, and so the label `envoy_cluster_name` of its metrics."""

MAX_CONNECTIONS = 10_000
"""Downstream connections Envoy holds at most; the door pools its own. Envoy warns without a limit."""

BUFFER_BYTES = 32 * 1024
"""Bytes buffered on each connection before its peer is slowed down, as Envoy advises at an edge; the
default of 1 MiB lets a few hundred slow clients use up the pod's memory."""


def _access_log() -> dict[str, Any]:
    """One JSON line for each request. Paths lose their query, and of the headers only the caller's
    name and the origin are written: neither identifies a person or lets anybody in."""
    no_query = typed(
        "envoy.formatter.req_without_query", "extensions.formatter.req_without_query.v3.ReqWithoutQuery"
    )
    fields = {
        "ts": "%START_TIME%",
        "method": "%REQ(:METHOD)%",
        "path": "%REQ_WITHOUT_QUERY(:PATH)%",
        "protocol": "%PROTOCOL%",
        "origin": "%REQ(ORIGIN)%",
        "rpc_caller": "%REQ(RPC-CALLER)%",
        "status": "%RESPONSE_CODE%",
        "grpc_status": "%GRPC_STATUS%",
        "flags": "%RESPONSE_FLAGS%",
        "details": "%RESPONSE_CODE_DETAILS%",
        "duration_ms": "%DURATION%",
        "bytes_received": "%BYTES_RECEIVED%",
        "bytes_sent": "%BYTES_SENT%",
        "upstream": "%UPSTREAM_HOST%",
        "request_id": "%REQ(X-REQUEST-ID)%",
    }
    return typed(
        "envoy.access_loggers.stdout",
        "extensions.access_loggers.stream.v3.StdoutAccessLog",
        log_format={"json_format": fields, "formatters": [no_query]},
    )


def _connection_manager(**fields: Any) -> dict[str, Any]:
    return typed(
        "envoy.filters.network.http_connection_manager",
        "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        codec_type="AUTO",
        **fields,
    )


_ROUTER = typed("envoy.filters.http.router", "extensions.filters.http.router.v3.Router")


def _filters(environment: Environment) -> list[dict[str, Any]]:
    """The release's filters in order. Without a descriptor set there is nothing to translate JSON by."""
    cors = typed("envoy.filters.http.cors", "extensions.filters.http.cors.v3.Cors")
    made = {
        "grpc_web": typed("envoy.filters.http.grpc_web", "extensions.filters.http.grpc_web.v3.GrpcWeb"),
        "cors": cors,
    }
    file = environment.control_plane.envoy.descriptors
    if file is not None and file.content is not None:
        made["grpc_json_transcoder"] = _transcoder(environment.release.envoy.transcoded)
    login, guards = environment.access.login, []
    if login is not None:
        guards = envoy_login.filters(environment, login, made.pop("cors"))
    return [*guards, *(made[name] for name in environment.release.envoy.filters if name in made)]


def _transcoder(kinds: Iterable[str]) -> dict[str, Any]:
    """JSON as the browser application sends and reads it: `POST` to the method's own path, names in
    camelCase, failures as HTTP statuses with a JSON body."""
    return typed(
        "envoy.filters.http.grpc_json_transcoder",
        "extensions.filters.http.grpc_json_transcoder.v3.GrpcJsonTranscoder",
        proto_descriptor=f"{DESCRIPTORS_DIR}/{DESCRIPTORS_FILE}",
        services=[f"{API_PACKAGE}.{kind}Service" for kind in kinds],
        auto_mapping=True,
        match_incoming_request_route=True,
        convert_grpc_status=True,
        print_options={"preserve_proto_field_names": False, "always_print_enums_as_ints": False},
    )


_SILENCE = f"{STREAM_SECONDS}s"
_ROUTE = {
    "cluster": CLUSTER,
    # No limit of our own: calls are ended by the deadline their caller sends, streams by silence.
    "timeout": "0s",
    "max_stream_duration": {"grpc_timeout_header_max": "0s"},
    "idle_timeout": _SILENCE,
}


def _web_listener(environment: Environment) -> dict[str, Any]:
    protocol: dict[str, Any] = {"idle_timeout": _SILENCE}
    host, routes, guarded = "*", [{"match": {"prefix": "/"}, "route": _ROUTE}], {}
    if environment.access.login is not None:
        protocol |= protocol_options()
        host, routes = environment.domains.app, envoy_login.routes(_ROUTE)
        guarded = envoy_login.manager_fields(environment)
    manager = _connection_manager(
        stat_prefix="grpc_web",
        stream_idle_timeout=_SILENCE,
        common_http_protocol_options=protocol,
        access_log=[_access_log()],
        route_config={
            "name": "local_route",
            "virtual_hosts": [
                {
                    "name": "local_service",
                    "domains": [host],
                    "typed_per_filter_config": {"envoy.filters.http.cors": cors_policy(environment)},
                    "routes": routes,
                }
            ],
        },
        http_filters=[*_filters(environment), _ROUTER],
        **guarded,
    )
    chain: dict[str, Any] = {"filters": [manager]}
    if environment.tls.envoy.enabled:
        chain["transport_socket"] = envoy_tls.door_socket()
    return {
        "name": "grpc_web",
        "address": address("0.0.0.0", ENVOY_PORT),
        "per_connection_buffer_limit_bytes": BUFFER_BYTES,
        "filter_chains": [chain],
    }


def _api_listeners(environment: Environment) -> list[dict[str, Any]]:
    """The listener of the API's host; none where everybody may come in, past Envoy."""
    guarded = environment.access.guarded
    if guarded is None:
        return []
    manager = _connection_manager(
        stat_prefix="api",
        stream_idle_timeout=_SILENCE,
        common_http_protocol_options={**envoy_api.connections(guarded, _SILENCE), **protocol_options()},
        access_log=[_access_log()],
        http_filters=[*envoy_api.filters(environment, guarded), _ROUTER],
        **envoy_api.manager_fields(environment, guarded, _ROUTE),
    )
    chain: dict[str, Any] = {"filters": [manager]}
    if (socket := envoy_tls.api_socket(environment)) is not None:
        chain["transport_socket"] = socket
    listener = {
        **envoy_api.listener_fields(guarded),
        "per_connection_buffer_limit_bytes": BUFFER_BYTES,
        "filter_chains": [chain],
    }
    return [listener]


def _metrics_listener() -> dict[str, Any]:
    routes = [
        {
            "match": {
                "path": path,
                "headers": [{"name": ":method", "string_match": {"exact": "GET"}}],
            },
            "route": {"cluster": "admin"},
        }
        for path in ("/stats/prometheus", "/ready")
    ]
    manager = _connection_manager(
        stat_prefix="metrics",
        route_config={
            "name": "metrics",
            "virtual_hosts": [{"name": "metrics", "domains": ["*"], "routes": routes}],
        },
        http_filters=[_ROUTER],
    )
    return {
        "name": "metrics",
        "address": address("0.0.0.0", ENVOY_METRICS_PORT),
        # Probes and scrapes go on when the API's clients have used up every connection.
        "ignore_global_conn_limit": True,
        "filter_chains": [{"filters": [manager]}],
    }


def _upstream_cluster(environment: Environment) -> dict[str, Any]:
    return {
        "name": CLUSTER,
        "connect_timeout": "5s",
        "type": "LOGICAL_DNS",
        "lb_policy": "ROUND_ROBIN",
        "per_connection_buffer_limit_bytes": BUFFER_BYTES,
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": f"{TYPE}.extensions.upstreams.http.v3.HttpProtocolOptions",
                "explicit_http_config": {"http2_protocol_options": {}},
                # One HTTP/2 connection stays with one API server pod: without an end to it, pods that
                # are added later never get any work. Streams on a connection that ends are finished.
                "common_http_protocol_options": {"max_connection_duration": "600s"},
            }
        },
        # A connection every 10 s, so that losing the API server shows without traffic: it has no metrics
        # of its own, and `envoy_cluster_membership_healthy` is what an alert can be built on.
        "health_checks": [
            {
                "tcp_health_check": {},
                "timeout": "3s",
                "interval": "10s",
                "no_traffic_interval": "10s",
                "unhealthy_threshold": 3,
                "healthy_threshold": 1,
            }
        ],
        # TCP and not HTTP/2 pings: a gRPC server in Go ends connections that ping more often than
        # every five minutes (`too_many_pings`).
        "upstream_connection_options": {
            "tcp_keepalive": {"keepalive_time": 60, "keepalive_interval": 10, "keepalive_probes": 3}
        },
        "load_assignment": endpoints(CLUSTER, *envoy_upstream(environment)),
    }


def _admin_cluster() -> dict[str, Any]:
    return {
        "name": "admin",
        "connect_timeout": "1s",
        "type": "STATIC",
        "load_assignment": endpoints("admin", "127.0.0.1", ENVOY_ADMIN_PORT),
    }


def _access_clusters(environment: Environment) -> list[dict[str, Any]]:
    login, guarded = environment.access.login, environment.access.guarded
    return [
        *(envoy_login.clusters(login) if login is not None else []),
        *(envoy_api.clusters(guarded) if guarded is not None else []),
    ]


def bootstrap(environment: Environment) -> dict[str, Any]:
    """Envoy's bootstrap as plain data."""
    limit = typed(
        "envoy.resource_monitors.global_downstream_max_connections",
        "extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
        max_active_downstream_connections=MAX_CONNECTIONS,
    )
    return {
        "node": {"id": workload("envoy"), "cluster": workload("envoy")},
        "admin": {"address": address("127.0.0.1", ENVOY_ADMIN_PORT)},
        "overload_manager": {"resource_monitors": [limit]},
        # Envoy refuses patterns whose program is larger than 100 steps; a wildcard origin with a host
        # name of full length (253 characters) takes about 550. Matching stays linear in the input.
        "layered_runtime": {
            "layers": [
                {"name": "static", "static_layer": {"re2": {"max_program_size": {"error_level": 1000}}}}
            ]
        },
        "static_resources": {
            "listeners": [_web_listener(environment), *_api_listeners(environment), _metrics_listener()],
            "clusters": [_upstream_cluster(environment), *_access_clusters(environment), _admin_cluster()],
        },
    }


def envoy_yaml(environment: Environment) -> str:
    """Text of `envoy.yaml`."""
    return to_yaml(bootstrap(environment))


def envoy_files(environment: Environment) -> dict[str, str]:
    """Every file of Envoy's ConfigMap by name: `envoy.yaml`, and files that name those of Secrets, of sign-in
    and of certificates. Mounted together on `envoy_typed.CONFIG_DIR`."""
    files = {CONFIG_FILE: envoy_yaml(environment)}
    if environment.access.login is not None:
        files |= envoy_login.secret_files()
    return files | envoy_tls.tls_files(environment)
