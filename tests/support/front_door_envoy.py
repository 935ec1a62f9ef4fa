"""A real Envoy in the part of a front door: hosts and routes of `front_door` as its bootstrap."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.support.envoy import started
from tests.support.front_door import Backend, Host, Route
from tests.support.ports import free_port

_TYPE = "type.googleapis.com/envoy"


@contextlib.contextmanager
def serving(hosts: Sequence[Host], secrets: Path, directory: Path, pace: float = 1) -> Iterator[int]:
    """Start the door; gives its TLS port, which stands for 443.

    `secrets` holds a folder with `tls.crt` and `tls.key` for each Secret. Time-outs of the objects pass
    `pace` times faster than they say, so that an hour can be told from a minute within a second.
    """
    port, admin = free_port(), free_port()
    path = directory / f"door-{port}.yaml"
    path.write_text(json.dumps(_bootstrap(hosts, secrets, port, admin, pace)))
    with started(path, admin, directory / f"door-{port}.err", directory / f"door-{port}.out"):
        yield port


def _bootstrap(hosts: Sequence[Host], secrets: Path, port: int, admin: int, pace: float) -> dict[str, Any]:
    backends = dict.fromkeys(route.backend for host in hosts for route in host.routes)
    names = {backend: f"backend-{number}" for number, backend in enumerate(backends)}
    listener = {
        "name": "https",
        "address": _address(port),
        "listener_filters": [
            _typed(
                "envoy.filters.listener.tls_inspector",
                "extensions.filters.listener.tls_inspector.v3.TlsInspector",
            )
        ],
        "filter_chains": [_chain(host, secrets / host.secret, names, pace) for host in hosts],
    }
    return {
        "admin": {"address": _address(admin)},
        "static_resources": {
            "listeners": [listener],
            "clusters": [_cluster(names[backend], backend) for backend in backends],
        },
    }


def _typed(name: str, message: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "typed_config": {"@type": f"{_TYPE}.{message}", **fields}}


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def _chain(host: Host, secret: Path, names: dict[Backend, str], pace: float) -> dict[str, Any]:
    manager = _typed(
        "envoy.filters.network.http_connection_manager",
        "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix=host.name,
        # Clients put the port into the authority; a door's hosts have none.
        strip_any_host_port=True,
        route_config={
            "virtual_hosts": [
                {
                    "name": host.name,
                    "domains": [host.name],
                    "routes": [_route(route, names[route.backend], pace) for route in host.routes],
                }
            ]
        },
        http_filters=[_typed("envoy.filters.http.router", "extensions.filters.http.router.v3.Router")],
    )
    certificate = {
        "certificate_chain": {"filename": str(secret / "tls.crt")},
        "private_key": {"filename": str(secret / "tls.key")},
    }
    return {
        "filter_chain_match": {"server_names": [host.name]},
        "filters": [manager],
        "transport_socket": _typed(
            "envoy.transport_sockets.tls",
            "extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            common_tls_context={"alpn_protocols": ["h2", "http/1.1"], "tls_certificates": [certificate]},
        ),
    }


def _route(route: Route, cluster: str, pace: float) -> dict[str, Any]:
    # Envoy wants the form for whole elements without a slash at the end, which leaves nothing of `/`.
    elements = route.match == "elements" and route.path != "/"
    key = "path_separated_prefix" if elements else "prefix"
    limits = {"timeout": _duration(route.answer, pace), "idle_timeout": _duration(route.silence, pace)}
    return {"match": {key: route.path}, "route": {"cluster": cluster, **limits}}


def _duration(seconds: float | None, pace: float) -> str:
    return "0s" if seconds is None else f"{seconds / pace:.3f}s"


def _cluster(name: str, backend: Backend) -> dict[str, Any]:
    options = {
        "@type": f"{_TYPE}.extensions.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {
            "http2_protocol_options" if backend.http == 2 else "http_protocol_options": {}
        },
    }
    endpoint = {"endpoint": {"address": _address(backend.port)}}
    cluster = {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "5s",
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": options
        },
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }
    if backend.tls:
        cluster["transport_socket"] = _upstream_tls(backend)
    return cluster


def _upstream_tls(backend: Backend) -> dict[str, Any]:
    message = "extensions.transport_sockets.tls.v3.UpstreamTlsContext"
    if backend.verified_host is None:
        return _typed("envoy.transport_sockets.tls", message)
    name = {"san_type": "DNS", "matcher": {"exact": backend.verified_host}}
    validation = {
        "trusted_ca": {"filename": str(backend.authorities)},
        "match_typed_subject_alt_names": [name],
    }
    return _typed(
        "envoy.transport_sockets.tls",
        message,
        sni=backend.verified_host,
        common_tls_context={"validation_context": validation},
    )
