"""What an issuer says of itself, as settings of `access.browser`, and whether Envoy can sign people in there.

Sources: OpenID Connect Discovery 1.0, 3 and 4; RFC 7517; RFC 7636; Envoy's oauth2 and jwt_authn filters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, get_args

from pydantic import TypeAdapter, ValidationError

from madeploy.clients.errors import ClientError
from madeploy.clients.identity_provider import document
from madeploy.findings import Finding, find
from madeploy.names.oidc import endpoints, scopes
from madeploy.settings.access import Access, Endpoints, HttpsUrl, KnownProvider, OtherProvider, Provider

WELL_KNOWN: Final = "/.well-known/openid-configuration"

ALGORITHMS: Final = frozenset(
    [f"{family}{bits}" for family in ("RS", "PS", "ES") for bits in (256, 384, 512)] + ["EdDSA"]
)
"""Signatures that Envoy checks by a public key (jwt_authn)."""

_KINDS: Final = ("RSA", "EC", "OKP")
"""Kinds of public keys of those (RFC 7518, 6.1; RFC 8037)."""

_FIELDS: Final = {
    "authorization": "authorization_endpoint",
    "token": "token_endpoint",
    "keys": "jwks_uri",
    "end_session": "end_session_endpoint",
}
"""Fields of `access.browser.endpoints` and those of the document."""

_URL: Final = TypeAdapter(HttpsUrl)


@dataclass(frozen=True)
class Discovered:
    """Result of an issuer's discovery."""

    issuer: str
    settings: Mapping[str, Any]
    """`access` as a stack file writes it; empty where it cannot be written."""

    findings: tuple[Finding, ...]


def is_issuer(text: str) -> bool:
    """Whether this is a URL that settings take as an issuer."""
    try:
        _URL.validate_python(text)
    except ValidationError:
        return False
    return True


def discover(
    issuer: str,
    client_id: str,
    viewers: Sequence[str] = (),
    editors: Sequence[str] = (),
    authorities: str | None = None,
    audiences: Sequence[str] = (),
) -> Discovered:
    """Ask an issuer (`is_issuer`) for its configuration and its keys: settings of the browsers' door and,
    where there are `audiences` for tokens, of the API's.

    Raises ClientError where it gives no configuration, ValidationError for names that settings do not take.
    """
    said = document(f"{issuer.rstrip('/')}{WELL_KNOWN}", authorities)
    found = list(_unfit(issuer, said))
    urls = _urls(said)
    if "keys" in urls:
        found += _keys(issuer, urls["keys"], authorities)
    if not {"authorization", "token", "keys"} <= urls.keys() or said.get("issuer") != issuer:
        return Discovered(issuer, {}, tuple(found))
    people: dict[str, Any] = {
        key: {"groups": list(groups)}
        for key, groups in (("viewers", viewers), ("editors", editors))
        if groups
    }
    if authorities is not None:
        people["authorities"] = "bundle"
    login = {"issuer": issuer, "clientId": client_id, **people}
    access: dict[str, Any] = {"browser": _section(login, Endpoints(**urls), said)}
    if audiences:
        tokens = {"issuer": issuer, "keys": urls["keys"], "audiences": list(audiences), **people}
        access["api"] = {"kind": "guarded", "tokens": tokens}
    Access.model_validate(access)
    return Discovered(issuer, access, tuple(found))


def _section(common: Mapping[str, Any], given: Endpoints, said: Mapping[str, Any]) -> dict[str, Any]:
    for provider in get_args(Provider):
        known = {"kind": "oidc", "provider": provider, **common}
        if endpoints(KnownProvider.model_validate(known)) == given:
            return known
    section = {"kind": "oidcEndpoints", **common, "endpoints": given.to_yaml_data()}
    usual = scopes(OtherProvider.model_validate(section))
    offered = said.get("scopes_supported")
    # Sessions end with the ID token where no refresh token is given, which this scope asks for.
    if isinstance(offered, list) and "offline_access" in offered:
        section["scopes"] = [*usual, "offline_access"]
    return section


def _urls(said: Mapping[str, Any]) -> dict[str, str]:
    """Endpoints that settings can take, by their names there."""
    named = {name: said.get(field) for name, field in _FIELDS.items()}
    return {name: url for name, url in named.items() if isinstance(url, str) and is_issuer(url)}


def _unfit(issuer: str, said: Mapping[str, Any]) -> Iterator[Finding]:
    """What of the document stands in the way, or is missing."""
    named = said.get("issuer")
    if named != issuer:
        fix = ""
        if isinstance(named, str) and is_issuer(named) and named.rstrip("/") == issuer.rstrip("/"):
            fix = f"Tokens say it exactly so: bin/madeploy access discover {named}"
        yield find("MA253", issuer, f"calls itself {_shown(named)}", fix=fix)
    usable = _urls(said)
    for name, field in _FIELDS.items():
        if name in usable:
            continue
        if field in said:
            yield find("MA253", issuer, f"{field} is {_shown(said[field])}, no https:// URL without a query")
        elif name == "end_session":
            evidence = f"names no {field}: signing out leaves people signed in there"
            yield find("MA254", issuer, evidence, fix="See that its own sessions are short.")
        else:
            yield find("MA253", issuer, f"names no {field}")
    yield from _lists(issuer, said)


def _lists(issuer: str, said: Mapping[str, Any]) -> Iterator[Finding]:
    def offered(field: str) -> set[str] | None:
        given = said.get(field)
        return {str(item) for item in given} if isinstance(given, list) else None

    signed = offered("id_token_signing_alg_values_supported")
    if signed is not None and not signed & ALGORITHMS:
        evidence = f"signs by {', '.join(sorted(signed)) or 'nothing'}, none of which Envoy checks"
        yield find("MA253", issuer, evidence, accepted=", ".join(sorted(ALGORITHMS)))
    needed = (
        ("response_types_supported", "code", "the authorization code flow"),
        ("token_endpoint_auth_methods_supported", "client_secret_basic", "a client's secret by HTTP Basic"),
        ("code_challenge_methods_supported", "S256", "PKCE by S256"),
        ("scopes_supported", "openid", "the scope openid"),
    )
    for field, value, words in needed:
        given = offered(field)
        if given is not None and value not in given:
            yield find("MA253", issuer, f"{field} has no {value}: {words} is what Envoy uses")
    asked = offered("scopes_supported")
    for scope in ("profile", "email"):
        if asked is not None and "openid" in asked and scope not in asked:
            evidence = f"does not offer the scope {scope}, which is asked for"
            yield find("MA254", issuer, evidence, fix="Set access.browser.scopes to what it offers.")
    claims = offered("claims_supported")
    if claims is not None and "groups" not in claims:
        fix = "Add groups to its ID tokens, set access.browser.groupsClaim, or name people by claims."
        yield find("MA254", issuer, "does not name the claim groups among its claims", fix=fix)


def _keys(issuer: str, url: str, authorities: str | None) -> Iterator[Finding]:
    try:
        given = document(url, authorities).get("keys")
    except ClientError as error:
        yield find("MA253", issuer, f"its keys cannot be read: {error}")
        return
    keys = [key for key in given if isinstance(key, Mapping)] if isinstance(given, list) else []
    fit = [
        key
        for key in keys
        if key.get("kty") in _KINDS
        and key.get("use") in (None, "sig")
        and key.get("alg") in (None, *ALGORITHMS)
    ]
    if not fit:
        yield find(
            "MA253", issuer, f"none of its {len(keys)} keys is a public one that Envoy checks tokens by"
        )


def _shown(value: object) -> str:
    """What somebody else wrote, short and without what a terminal would act on."""
    return ascii(value)[:120]
