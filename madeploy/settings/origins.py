"""Browser origins as operators write them: parsed and normalised, never regular expressions."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

from madeploy.settings.base import Accepts, Host, Section, _check_host

_ORIGIN = re.compile(r"^(?P<scheme>https?)://(?P<host>[^/:?#@\s]+)(:(?P<port>[0-9]{1,5}))?$")
_REGEX = re.compile(r"[\^$()\[\]{}|\\+]")
DEFAULT_PORTS = {"https": 443, "http": 80}


class ParsedOrigin(Section):
    """An origin taken apart: scheme, host, port, and whether it stands for every direct sub-domain."""

    scheme: str
    host: Host | str
    port: int
    wildcard: bool


def parse_origin(value: str) -> ParsedOrigin:
    """Take `scheme://host[:port]` or `scheme://*.host[:port]` apart (RFC 6454).

    Raises ValueError with what is wrong when it is neither: paths, user names, `null`, a bare `*`,
    wildcards anywhere but as the whole first label.
    """
    if value in ("*", "null"):
        raise ValueError(f"{value!r} would let any page call the API; name the origins")
    match = _ORIGIN.match(value)
    if _REGEX.search(value):
        raise ValueError("looks like a regular expression; write the origin itself, or https://*.example.com")
    if "://" not in value:
        raise ValueError("has no scheme; an origin starts with https://")
    if match is None:
        raise ValueError("is not an origin: http:// or https://, a host, a port if any, and nothing after it")
    host, wildcard = match["host"], False
    if host.startswith("*."):
        host, wildcard = host[2:], True
    if wildcard and "." not in host:
        raise ValueError(f"covers all of .{host}; put the star below a domain of your own")
    if "*" in host:
        raise ValueError("has a wildcard that is not the whole first label; write https://*.example.com")
    if not (host == "localhost" and not wildcard):
        _check_host(host)
    port = int(match["port"]) if match["port"] else DEFAULT_PORTS[match["scheme"]]
    if not 1 <= port <= 65535:
        raise ValueError(f"has port {port}; ports are 1 to 65535")
    return ParsedOrigin(scheme=match["scheme"], host=host, port=port, wildcard=wildcard)


def _normalise(value: str) -> str:
    origin = parse_origin(value)
    port = "" if origin.port == DEFAULT_PORTS[origin.scheme] else f":{origin.port}"
    star = "*." if origin.wildcard else ""
    return f"{origin.scheme}://{star}{origin.host}{port}"


Origin = Annotated[
    str,
    AfterValidator(_normalise),
    Accepts(
        "https://host, with :port where it is not 443, or https://*.example.com for every direct sub-domain",
        "https://studio.example.com",
    ),
]
"""An origin in its serialised form (RFC 6454 section 6): default ports left out."""
