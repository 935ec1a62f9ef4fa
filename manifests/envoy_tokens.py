"""What sign-in and the API's authentication have in common: requests that can be read in one way only,
tokens that are verified by their issuer's keys, and callers' names that come from tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from madeploy.releases.model import CALLER_EMAIL, CALLER_NAME
from madeploy.settings import Environment
from madeploy.settings.access import Authorities
from manifests.envoy_rights import CLAIMS
from manifests.envoy_typed import endpoints, message, typed
from manifests.storage_clients import CA_FILE, CA_FOLDER

KEYS_SECONDS: Final = 30
"""How often the provider's keys are read. Envoy does not look for a key it does not know before its time, and
some providers sign with a new one as soon as they show it."""

CLOCK_SECONDS: Final = 30
"""How far clocks may differ."""

PROVIDER_TIMEOUT: Final = "5s"

IMAGE_AUTHORITIES: Final = "/etc/ssl/certs/ca-certificates.crt"
"""Authorities of Envoy's image, where its distribution (Ubuntu) has them."""

_FILES: Final[dict[Authorities, str]] = {"system": IMAGE_AUTHORITIES, "bundle": f"{CA_FOLDER}/{CA_FILE}"}

ONE_READING: Final = {
    # One spelling of each path, so that rights and routes read the same one.
    "normalize_path": True,
    "merge_slashes": True,
    "path_with_escaped_slashes_action": "REJECT_REQUEST",
    # As an edge: headers of Envoy's own (`x-envoy-…`) are not taken from callers.
    "use_remote_address": True,
    "strip_any_host_port": True,
}
"""Fields of a connection manager whose filters decide by path, address or host."""

CREDENTIAL_HEADERS: Final = ["cookie", "authorization"]
"""Request headers that end at Envoy."""


def protocol_options() -> dict[str, Any]:
    """`x_user_email` would be `x-user-email` to whoever reads headers as variables."""
    return {"headers_with_underscores_action": "REJECT_REQUEST"}


def without_caller_headers() -> dict[str, Any]:
    """Takes away the headers by which the platform shows callers, however often they were sent."""
    return typed(
        "envoy.filters.http.header_mutation",
        "extensions.filters.http.header_mutation.v3.HeaderMutation",
        mutations={"request_mutations": [{"remove": CALLER_EMAIL}, {"remove": CALLER_NAME}]},
    )


def caller_headers(environment: Environment, email: str) -> list[dict[str, str]]:
    """The same headers from a token's claims, where the release shows them."""
    if not environment.release.envoy.shows_callers:
        return []
    return [
        {"header_name": CALLER_EMAIL, "claim_name": email},
        {"header_name": CALLER_NAME, "claim_name": "name"},
    ]


def verification(issuer: str, keys: str, cluster: str, audiences: Sequence[str]) -> dict[str, Any]:
    """What every token has to be, and where its keys are read."""
    return {
        "issuer": issuer,
        "audiences": list(audiences),
        "require_expiration": True,
        "clock_skew_seconds": CLOCK_SECONDS,
        "payload_in_metadata": CLAIMS,
        "remote_jwks": {
            "http_uri": {"uri": keys, "cluster": cluster, "timeout": PROVIDER_TIMEOUT},
            "cache_duration": f"{KEYS_SECONDS}s",
            # Ahead of time and beside the calls: while the provider is down, the last keys go on.
            "async_fetch": {"failed_refetch_duration": "5s"},
        },
    }


def jwt_filter(name: str, provider: dict[str, Any], requirement: dict[str, Any]) -> dict[str, Any]:
    """The filter that asks every request for a token of one provider."""
    return typed(
        "envoy.filters.http.jwt_authn",
        "extensions.filters.http.jwt_authn.v3.JwtAuthentication",
        providers={name: provider},
        rules=[{"match": {"prefix": "/"}, "requires": requirement}],
        # What is wrong with a token is for the log, not for whoever made it up.
        strip_failure_response=True,
    )


def provider_cluster(name: str, url: str, authorities: Authorities) -> dict[str, Any]:
    """Host of one of a provider's endpoints, by TLS, its certificate checked against its name."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    socket = message(
        "extensions.transport_sockets.tls.v3.UpstreamTlsContext",
        sni=host,
        common_tls_context={
            "tls_params": {"tls_minimum_protocol_version": "TLSv1_2"},
            "validation_context": {
                "trusted_ca": {"filename": _FILES[authorities]},
                "match_typed_subject_alt_names": [{"san_type": "DNS", "matcher": {"exact": host}}],
            },
        },
    )
    return {
        "name": name,
        "connect_timeout": "3s",
        "type": "LOGICAL_DNS",
        "transport_socket": {"name": "envoy.transport_sockets.tls", "typed_config": socket},
        "load_assignment": endpoints(name, host, parts.port or 443),
    }
