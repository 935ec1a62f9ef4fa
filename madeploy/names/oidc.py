"""OpenID Connect: endpoints and claims of the providers the authentication guide names, and the application's
own paths and cookies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from madeploy.names.addresses import app_url
from madeploy.settings import Environment
from madeploy.settings.access import Access, Endpoints, KnownProvider, Login, OtherProvider, Provider

CALLBACK_PATH: Final = "/oauth2/callback"
"""Where a provider sends browsers back to, on the application's host."""

SIGN_OUT_PATH: Final = "/oauth2/sign_out"
"""Ends a session, on the application's host."""

COOKIE_PREFIX: Final = "__Host-michelangelo-"
"""Browsers take a cookie with `__Host-` only over TLS, from this very host and for all of it, so that no
neighbour in the same domain can set one (RFC 6265bis, 4.1.3.2)."""

CLIENT_SECRET_KEY: Final = "client-secret"
COOKIE_SECRET_KEY: Final = "cookie-secret"


@dataclass(frozen=True)
class _Usual:
    """Scopes and claims of a provider's tokens."""

    scopes: tuple[str, ...] = ("openid", "profile", "email")
    groups: str = "groups"
    email: str = "email"
    """Claim shown as the caller's address."""


_USUAL: Final[dict[Provider, _Usual]] = {
    # `offline_access` is what these two give refresh tokens for (their references of the token endpoint).
    "okta": _Usual(scopes=("openid", "profile", "email", "groups", "offline_access")),
    "entra": _Usual(
        scopes=("openid", "profile", "email", "offline_access"),
        # Always there with `profile`; `email` only where an administrator filled it in.
        email="preferred_username",
    ),
    # No groups at all; `hd` is the customer's domain (authentication guide, Google).
    "google": _Usual(groups="hd"),
    "keycloak": _Usual(),
}


def _usual(login: Login) -> _Usual:
    return _USUAL[login.provider] if isinstance(login, KnownProvider) else _Usual()


def endpoints(login: Login) -> Endpoints:
    """The provider's endpoints: given ones, or those that follow from its issuer."""
    if isinstance(login, OtherProvider):
        return login.endpoints
    issuer = login.issuer.rstrip("/")
    if login.provider == "okta":
        # An org's own authorization server has no path of its own in the issuer; a custom one has.
        base = f"{issuer}/v1" if "/oauth2/" in issuer else f"{issuer}/oauth2/v1"
        return _below(base, "authorize", "token", "keys", "logout")
    if login.provider == "google":
        return Endpoints(
            authorization="https://accounts.google.com/o/oauth2/v2/auth",
            token="https://oauth2.googleapis.com/token",
            keys="https://www.googleapis.com/oauth2/v3/certs",
        )
    if login.provider == "entra":
        tenant = issuer.removesuffix("/v2.0")
        return Endpoints(
            authorization=f"{tenant}/oauth2/v2.0/authorize",
            token=f"{tenant}/oauth2/v2.0/token",
            keys=f"{tenant}/discovery/v2.0/keys",
            end_session=f"{tenant}/oauth2/v2.0/logout",
        )
    return _below(f"{issuer}/protocol/openid-connect", "auth", "token", "certs", "logout")


def _below(base: str, authorization: str, token: str, keys: str, end_session: str) -> Endpoints:
    return Endpoints(
        authorization=f"{base}/{authorization}",
        token=f"{base}/{token}",
        keys=f"{base}/{keys}",
        end_session=f"{base}/{end_session}",
    )


def scopes(login: Login) -> tuple[str, ...]:
    """Scopes that are asked for."""
    return login.scopes or _usual(login).scopes


def groups_claim(login: Login) -> str:
    """Claim that holds groups."""
    return login.groups_claim or _usual(login).groups


def email_claim(login: Login) -> str:
    """Claim that holds what the platform shows as the caller's address."""
    return _usual(login).email


def callback_url(environment: Environment) -> str:
    """Where the provider sends browsers back to; registered there."""
    return f"{app_url(environment)}{CALLBACK_PATH}"


def provider_ports(access: Access) -> set[int]:
    """Ports on which Envoy reaches identity providers."""
    urls: list[str] = []
    if access.login is not None:
        found = endpoints(access.login)
        urls += [access.login.issuer, found.token, found.keys]
    if access.guarded is not None and access.guarded.tokens is not None:
        urls.append(access.guarded.tokens.keys)
    return {urlsplit(url).port or 443 for url in urls}
