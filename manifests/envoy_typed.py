"""The shapes every part of Envoy's configuration is written with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

TYPE: Final = "type.googleapis.com/envoy"

CONFIG_DIR: Final = "/etc/envoy"
"""Where the ConfigMap is mounted, as a directory: every key of `envoy_config.envoy_files` is a file there."""


def message(type_name: str, /, **fields: Any) -> dict[str, Any]:
    """A message that says its own type, such as `extensions.filters.http.router.v3.Router`."""
    return {"@type": f"{TYPE}.{type_name}", **fields}


def typed(name: str, type_name: str, /, **fields: Any) -> dict[str, Any]:
    """An extension: its registered name and its message."""
    return {"name": name, "typed_config": message(type_name, **fields)}


def address(host: str, port: int) -> dict[str, Any]:
    """A TCP address."""
    return {"socket_address": {"address": host, "port_value": port}}


def endpoints(cluster: str, host: str, port: int) -> dict[str, Any]:
    """A cluster's one endpoint."""
    endpoint = {"endpoint": {"address": address(host, port)}}
    return {"cluster_name": cluster, "endpoints": [{"lb_endpoints": [endpoint]}]}


def header_match(name: str, **matcher: Any) -> dict[str, Any]:
    """A match of a whole header by Envoy's `StringMatcher`, such as `prefix="/"`."""
    return {"name": name, "string_match": matcher}


def path_source(file: str) -> Mapping[str, Any]:
    """A resource that is read from a file, and again whenever the file is replaced."""
    return {"path_config_source": {"path": file}, "resource_api_version": "V3"}
