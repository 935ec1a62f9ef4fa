"""Cross-origin rules: declared origins as the matchers Envoy evaluates.

Operators give origins, never patterns (V11): a plain origin becomes an exact match, the declared
wildcard form the one pattern made here, every other character escaped. Envoy compares the whole
`Origin` header, case included; browsers send scheme and host in lower case (RFC 6454 section 6).
"""

from __future__ import annotations

import re
from typing import Any

from madeploy.names.addresses import allowed_origins
from madeploy.settings import Environment
from madeploy.settings.origins import DEFAULT_PORTS, parse_origin

ALLOW_METHODS = "GET, POST, OPTIONS"
"""Methods of the network guide: gRPC-Web is POST, the rest is the browser's own."""

EXPOSE_HEADERS = "grpc-status, grpc-message"
"""Response headers a page may read (network guide)."""

_LABEL = "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_CORS_POLICY = "type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy"


def origin_matcher(origin: str) -> dict[str, Any]:
    """Envoy `StringMatcher` that accepts exactly what `origin` declares.

    `origin` is `scheme://host[:port]`, or `scheme://*.host[:port]` for exactly one more label (RFC
    1123) in front of `host`. Raises ValueError when it is neither.
    """
    parsed = parse_origin(origin)
    port = "" if parsed.port == DEFAULT_PORTS[parsed.scheme] else f":{parsed.port}"
    if not parsed.wildcard:
        return {"exact": f"{parsed.scheme}://{parsed.host}{port}"}
    return {"safe_regex": {"regex": rf"{parsed.scheme}://{_LABEL}\.{re.escape(parsed.host)}{port}"}}


def cors_policy(environment: Environment) -> dict[str, Any]:
    """The typed CORS policy of Envoy's virtual host.

    Preflights of undeclared origins are answered by Envoy without the headers a browser looks for and
    go no further; by default Envoy would hand them to the API server (V11). Requests that need no
    preflight are not held back by CORS anywhere; gRPC-Web always needs one, for its content type and
    its `x-grpc-web` header (Fetch standard, CORS-safelisted request headers).
    """
    return {
        "@type": _CORS_POLICY,
        "allow_origin_string_match": [origin_matcher(origin) for origin in allowed_origins(environment)],
        "allow_methods": ALLOW_METHODS,
        "allow_headers": ", ".join(environment.release.envoy.allow_headers),
        "expose_headers": EXPOSE_HEADERS,
        "max_age": str(environment.cors.max_age_seconds),
        "allow_credentials": environment.cors.allow_credentials,
        "forward_not_matching_preflights": False,
    }
