"""Authentication of the API's host: a listener of Envoy's own behind either front door.

Trusted networks call without a token; everybody else is known by one, or by a certificate. A caller's address
comes from the front door alone: NetworkPolicies admit nobody else to the port.
"""

from __future__ import annotations

import ipaddress
from typing import Any, Final

from madeploy.names.addresses import ENVOY_API_PORT
from madeploy.names.methods import REFLECTION, reading
from madeploy.settings import Environment
from madeploy.settings.access import GuardedApi, Tokens
from manifests.envoy_rights import (
    ANYTHING,
    Matcher,
    certified,
    exactly,
    policy,
    principals,
    rights_filter,
)
from manifests.envoy_tokens import (
    CREDENTIAL_HEADERS,
    ONE_READING,
    caller_headers,
    jwt_filter,
    provider_cluster,
    verification,
    without_caller_headers,
)
from manifests.envoy_typed import address, typed

_KEYS: Final = "api-keys"

CONNECTION: Final = "3600s"
"""How long a connection lasts where callers show certificates: one that has expired meanwhile, or whose
authority is gone, is found at the next one. Calls that run are finished."""


def manager_fields(environment: Environment, guarded: GuardedApi, route: dict[str, Any]) -> dict[str, Any]:
    """Fields of the connection manager that decide who calls what."""
    # What passes through carries no header of the door's: whatever is there is the caller's own.
    written = guarded.client_address == "forwardedFor" and environment.front_door.api_tls == "terminate"
    hops = guarded.trusted_proxies if written else 0
    host = {
        "name": "api",
        "domains": [environment.domains.api],
        "routes": [
            {
                "match": {"prefix": "/"},
                "route": route,
                "request_headers_to_remove": CREDENTIAL_HEADERS,
            }
        ],
    }
    return {
        **ONE_READING,
        # The address before those that the proxies in front of Envoy have written.
        "xff_num_trusted_hops": hops,
        "route_config": {"name": "api", "virtual_hosts": [host]},
    }


def connections(guarded: GuardedApi, silence: str) -> dict[str, Any]:
    """How long connections last. A certificate is looked at when one begins."""
    fields = {"idle_timeout": silence}
    return fields if guarded.certificates is None else {**fields, "max_connection_duration": CONNECTION}


def filters(environment: Environment, guarded: GuardedApi) -> list[dict[str, Any]]:
    """Filters before the router, in order."""
    found = [without_caller_headers()]
    if guarded.tokens is not None:
        found.append(_tokens(environment, guarded.tokens))
    return [*found, _rights(environment, guarded)]


def _tokens(environment: Environment, tokens: Tokens) -> dict[str, Any]:
    """A token has to be right where there is one, also from a trusted network."""
    provider = {
        **verification(tokens.issuer, tokens.keys, _KEYS, tokens.audiences),
        "from_headers": [{"name": "authorization", "value_prefix": "Bearer "}],
        "claim_to_headers": caller_headers(environment, "email"),
    }
    either = [{"provider_name": "api"}, {"allow_missing": {}}]
    return jwt_filter("api", provider, {"requires_any": {"requirements": either}})


def _rights(environment: Environment, guarded: GuardedApi) -> dict[str, Any]:
    policies = {}
    if guarded.trusted_cidrs:
        policies["trusted"] = policy([ANYTHING], [_network(cidr) for cidr in guarded.trusted_cidrs])
    if guarded.tokens is not None:
        viewers = principals(guarded.tokens.viewers, guarded.tokens.groups_claim)
        editors = principals(guarded.tokens.editors, guarded.tokens.groups_claim)
        if viewers:
            policies["viewers"] = policy(_looking(environment), viewers)
        if editors:
            policies["editors"] = policy([ANYTHING], editors)
    if guarded.certificates is not None:
        viewers = certified(guarded.certificates.viewers)
        editors = certified(guarded.certificates.editors)
        if viewers:
            policies["certified-viewers"] = policy(_looking(environment), viewers)
        if editors:
            policies["certified-editors"] = policy([ANYTHING], editors)
    return rights_filter(policies)


def _looking(environment: Environment) -> list[Matcher]:
    return exactly((*reading(environment.release), *REFLECTION))


def _network(cidr: str) -> Matcher:
    network = ipaddress.ip_network(cidr)
    return {"remote_ip": {"address_prefix": str(network.network_address), "prefix_len": network.prefixlen}}


def listener_fields(guarded: GuardedApi) -> dict[str, Any]:
    """Name, address and, where the front door speaks it, the PROXY protocol."""
    fields: dict[str, Any] = {"name": "api", "address": address("0.0.0.0", ENVOY_API_PORT)}
    if guarded.client_address == "proxyProtocol":
        fields["listener_filters"] = [
            typed(
                "envoy.filters.listener.proxy_protocol",
                "extensions.filters.listener.proxy_protocol.v3.ProxyProtocol",
            )
        ]
    return fields


def clusters(guarded: GuardedApi) -> list[dict[str, Any]]:
    """Where the keys of tokens are read."""
    if guarded.tokens is None:
        return []
    return [provider_cluster(_KEYS, guarded.tokens.keys, guarded.tokens.authorities)]
