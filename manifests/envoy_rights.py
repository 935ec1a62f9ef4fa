"""Who may call which method: Envoy's RBAC filter, by claims of a verified token and by verified
certificates."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from madeploy.settings.access import Callers, CertifiedCallers
from manifests.envoy_typed import message, typed

CLAIMS: Final = "claims"
"""Key of a token's claims in the metadata that `jwt_authn` leaves for filters after it."""

_JWT: Final = "envoy.filters.http.jwt_authn"
_VERIFIED: Final = ("email", "email_verified")
"""A claim that people may fill in themselves, and the one that says that the provider has checked it."""

Matcher = dict[str, Any]


def rights_filter(policies: dict[str, Matcher]) -> Matcher:
    """The filter: what no policy admits is refused with 403, in gRPC with PERMISSION_DENIED."""
    return typed(
        "envoy.filters.http.rbac",
        "extensions.filters.http.rbac.v3.RBAC",
        rules={"action": "ALLOW", "policies": policies},
    )


ANYTHING: Final[Matcher] = {"any": True}
"""Permission for every request."""


def policy(permissions: Sequence[Matcher], principals: Sequence[Matcher]) -> Matcher:
    """Admits each of the principals to each of the permissions."""
    return {"permissions": list(permissions), "principals": list(principals)}


def exactly(paths: Iterable[str]) -> list[Matcher]:
    """Permissions for these paths and no others, letter by letter, whatever the query."""
    return [{"url_path": {"path": {"exact": path}}} for path in paths]


def below(prefix: str) -> Matcher:
    """Permission for every path that starts so."""
    return {"url_path": {"path": {"prefix": prefix}}}


def all_of(*permissions: Matcher) -> Matcher:
    """Permission for what each of them is for."""
    return {"and_rules": {"rules": list(permissions)}}


def without(permission: Matcher) -> Matcher:
    """Permission for everything else."""
    return {"not_rule": permission}


READING_HTTP: Final[Matcher] = {
    "or_rules": {
        "rules": [
            {"header": {"name": ":method", "string_match": {"exact": method}}} for method in ("GET", "HEAD")
        ]
    }
}
"""Permission for HTTP methods that change nothing."""


def principals(callers: Callers, groups_claim: str) -> list[Matcher]:
    """Tokens with one of the groups, or one value of one of the other claims."""
    found = [_claim(groups_claim, group) for group in callers.groups]
    for name, values in callers.claims.items():
        found += [_checked(name, value) for value in values]
    return found


def certified(callers: CertifiedCallers) -> list[Matcher]:
    """Certificates with one of the organizations in their subject, or one of the alternative names. Which
    authorities they are signed by is the connection's matter."""
    return [
        *({"authenticated": {"principal_name": _organization(group)}} for group in callers.groups),
        *(_alternative(name) for name in callers.names),
    ]


_ATTRIBUTE: Final = r"[A-Za-z0-9.]+=(?:\\.|[^,+\\])*"
"""One attribute of a subject as Envoy writes it (RFC 2253): what separates attributes is escaped inside."""


def _organization(name: str) -> Matcher:
    others = f"(?:{_ATTRIBUTE}[,+])*", f"(?:[,+]{_ATTRIBUTE})*"
    return {"safe_regex": {"regex": f"{others[0]}O={re.escape(name)}{others[1]}"}}


def _alternative(name: str) -> Matcher:
    config = message(
        "extensions.rbac.principals.mtls_authenticated.v3.Config",
        san_matcher={"san_type": "URI" if "://" in name else "DNS", "matcher": {"exact": name}},
    )
    return {"custom": {"name": "envoy.rbac.principals.mtls_authenticated", "typed_config": config}}


def _checked(name: str, value: str) -> Matcher:
    claim, verified = _VERIFIED
    if name != claim:
        return _claim(name, value)
    return {"and_ids": {"ids": [_claim(name, value), _metadata(verified, {"bool_match": True})]}}


def _claim(name: str, value: str) -> Matcher:
    """A claim that is this text, or a list with it."""
    text = {"string_match": {"exact": value}}
    return _metadata(name, {"or_match": {"value_matchers": [text, {"list_match": {"one_of": text}}]}})


def _metadata(claim: str, value: Matcher) -> Matcher:
    matcher = {"filter": _JWT, "path": [{"key": CLAIMS}, {"key": claim}], "value": value}
    return {"sourced_metadata": {"metadata_matcher": matcher}}
