"""Addresses of Kubernetes API servers in one normal form."""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

_HOST: Final = re.compile(r"([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_LONGEST_HOST: Final = 253
_NUMBER: Final = re.compile(r"(0x[0-9a-f]*|[0-9]+)")
_ACCEPTED_PORTS: Final = "ports are 1 to 65535"


# Rules, builders and proofs each ask for every cluster's address.
@lru_cache(maxsize=16_384)
def parse_server(server: str) -> tuple[str, int]:
    """Host and port of an API server's address: equal for addresses that differ in spelling only.

    The host is in lower case, without a final dot, IPv6 shortened and in brackets; the port is 443 where
    the address names none. Raises ValueError, which repeats nothing of the address, for what the platform
    cannot be told: it joins host and port with a colon, so no path can follow, and sends no token over
    plain HTTP (facts 3.1).
    """
    # urlsplit drops blanks and line breaks silently; two different texts must not become one address.
    if " " in server or not server.isprintable():
        raise ValueError("has blanks or control characters in it")
    try:
        url = urlsplit(server)
        hostname = url.hostname or ""
    except ValueError:
        raise ValueError("is no URL: brackets belong around an IPv6 address, and nowhere else") from None
    if url.scheme != "https":
        raise ValueError("does not start with https://; the platform sends no token over plain HTTP")
    if "@" in url.netloc:
        raise ValueError("carries a user name or password; take them out of the address")
    if url.path not in ("", "/") or "?" in server or "#" in server:
        raise ValueError("has something after the port; the platform appends the port to the host")
    try:
        port = url.port
    except ValueError:
        raise ValueError(f"is no URL with a port that exists; {_ACCEPTED_PORTS}") from None
    if port == 0:
        raise ValueError(f"has port 0; {_ACCEPTED_PORTS}")
    if "%" in hostname:
        raise ValueError("has an IPv6 zone or an escape in its host, which means nothing outside one machine")
    return _host(hostname, "[" in url.netloc), port or 443


def _host(hostname: str, bracketed: bool) -> str:
    if bracketed or ":" in hostname:
        try:
            return f"[{ipaddress.IPv6Address(hostname).compressed}]"
        except ValueError:
            raise ValueError("is no URL: what stands in brackets is no IPv6 address") from None
    host = hostname.removesuffix(".").lower()
    if not host:
        raise ValueError("has no host")
    if not host.isascii():
        raise ValueError("has a host with letters beyond ASCII; write it in its xn-- form")
    if len(host) > _LONGEST_HOST or not _HOST.fullmatch(host):
        raise ValueError("has a host with characters or lengths that a host cannot have")
    if _NUMBER.fullmatch(host.rpartition(".")[2]):
        try:
            ipaddress.IPv4Address(host)
        except ValueError:
            raise ValueError("has a host that is neither a name nor an IPv4 address") from None
    return host


def canonical_server(server: str) -> str:
    """`host:port` of an address, as `parse_server` gives them. Raises the same ValueError."""
    host, port = parse_server(server)
    return f"{host}:{port}"
