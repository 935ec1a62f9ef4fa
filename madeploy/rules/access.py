"""Rules about who may come in."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Final

from madeploy.documents.paths import Path
from madeploy.findings.codes.code import Code
from madeploy.rules.model import SecretNames, Violation, rule
from madeploy.settings.access import Callers, KnownProvider, Login, Provider
from madeploy.settings.environment import Environment
from madeploy.settings.front_door import IngressFrontDoor

BROWSER: Final[Path] = ("access", "browser")
API: Final[Path] = ("access", "api")
TOKENS: Final[Path] = (*API, "tokens")
CERTIFICATES: Final[Path] = (*API, "certificates")

_ISSUERS: Final[dict[Provider, tuple[re.Pattern[str], str]]] = {
    "google": (re.compile(r"https://accounts\.google\.com"), "https://accounts.google.com"),
    "entra": (
        re.compile(r"https://[^/]+/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/v2\.0"),
        "https://login.microsoftonline.com/<tenant id>/v2.0",
    ),
    "okta": (re.compile(r"https://[^/]+(/oauth2/[A-Za-z0-9]+)?"), "https://<org>.okta.com"),
    "keycloak": (re.compile(r"https://[^/]+(/[^/]+)*/realms/[^/]+"), "https://<host>/realms/<realm>"),
}
"""What a provider's tokens say as their issuer. Of Entra ID the tenant's own: `common` and `organizations`
would be everybody's, and no token says them."""

_NARROW: Final = {4: 8, 6: 32}
"""Shortest prefix of a network that somebody can trust: the largest private one (RFC 1918), and what an
internet registry gives to one organisation."""

_ENVOY: Final = re.compile(r"^v?([0-9]+)\.([0-9]+)\.")
_NEEDED: Final = (1, 40)
"""Envoy that authentication was made and tried with. An Envoy stops at fields it does not know."""


@rule(
    {
        "MA240": Code(
            "Nobody has chosen who may come in",
            "The platform authenticates nobody: whoever reaches the host may create and delete everything.",
            "Choose: `kind: oidc` (browsers) or `kind: guarded` (API), or `kind: open` with the reason no "
            "authentication is needed (docs/access.md).",
        ),
    },
    reads=("access", "platform"),
)
def production_has_chosen_who_comes_in(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """ACC-1, ACC-2: nothing is open by default."""
    if env.platform.tier != "production":
        return
    if env.access.browser is None:
        yield Violation("MA240", BROWSER, "nothing is chosen for the application's host")
    if env.access.api is None:
        yield Violation("MA240", API, "nothing is chosen for the API's host")


@rule(
    {
        "MA241": Code(
            "Sign-in that lets nobody in",
            "People sign in at the provider and are then refused, all of them.",
            "Name groups, claims or names in `viewers` or `editors`.",
        ),
    },
    reads=("access",),
)
def somebody_may_come_in(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """ACC-1: a door that nobody can open is a mistake."""
    login, guarded = env.access.login, env.access.guarded
    tokens = guarded.tokens if guarded is not None else None
    for path, known in ((BROWSER, login), (TOKENS, tokens)):
        if known is not None and known.viewers.nobody and known.editors.nobody:
            yield Violation("MA241", path, "neither viewers nor editors name a group or a claim")
    shown = guarded.certificates if guarded is not None else None
    if shown is not None and shown.viewers.nobody and shown.editors.nobody:
        yield Violation("MA241", CERTIFICATES, "neither viewers nor editors name a group or a name")


@rule(
    {
        "MA242": Code(
            "Issuer that the provider's tokens do not say",
            "Every token is refused, or tokens of tenants that are not yours are looked at.",
            "Copy `issuer` from the provider's /.well-known/openid-configuration.",
        ),
    },
    reads=("access",),
)
def providers_have_their_issuers(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """ACC-1: a token's issuer is compared letter by letter."""
    login = env.access.login
    if not isinstance(login, KnownProvider):
        return
    pattern, example = _ISSUERS[login.provider]
    if not pattern.fullmatch(login.issuer):
        accepted = f"{example}, without a slash at its end"
        evidence = f"is not the issuer of {login.provider}"
        yield Violation("MA242", (*BROWSER, "issuer"), evidence, accepted=accepted)


@rule(
    {
        "MA243": Code(
            "Authorities that Envoy cannot see",
            "It cannot check the provider's certificate, and nobody can sign in.",
            "Put the authorities into the ConfigMap controlPlane.caBundleConfigMap and set `bundle`.",
        ),
    },
    reads=("access", "tls", "control_plane"),
)
def envoy_sees_the_providers_authorities(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """ACC-1, NET-4: the certificate for Envoy's own TLS lies over the authorities of its image."""
    login, guarded = env.access.login, env.access.guarded
    tokens = guarded.tokens if guarded is not None else None
    for where, known in ((BROWSER, login), (TOKENS, tokens)):
        if known is None:
            continue
        path = (*where, "authorities")
        if known.authorities == "bundle" and env.control_plane.ca_bundle_config_map is None:
            yield Violation("MA243", path, "is bundle, and controlPlane.caBundleConfigMap names none")
        if known.authorities == "system" and env.tls.envoy.enabled:
            yield Violation("MA243", path, "is system, whose folder tls.envoy puts its certificate over")


@rule(
    {
        "MA244": Code(
            "Authentication that can be gone around",
            "Whoever runs a pod in the cluster reaches the API server, which authenticates nobody, beside "
            "Envoy.",
            "Leave network.policies on, in a cluster whose network plugin enforces NetworkPolicies.",
        ),
    },
    reads=("access", "network"),
)
def nothing_goes_around_authentication(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """ACC-2, NET-13: the services behind authenticate nobody (facts 0.5)."""
    if (env.access.login or env.access.guarded) and not env.network.policies:
        yield Violation("MA244", ("network", "policies"), "is false, with authentication at Envoy")


def _listed(login: Login) -> Iterator[tuple[Path, Callers]]:
    yield (*BROWSER, "viewers"), login.viewers
    yield (*BROWSER, "editors"), login.editors


@rule(
    {
        "MA245": Code(
            "Right that hangs on a claim people can change",
            "Whoever changes it in their account, or in a tenant of their own, takes over the rights of "
            "others.",
            "Use groups, or the claim `oid`, which never changes.",
        ),
    },
    reads=("access",),
)
def people_do_not_choose_their_claims(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """ACC-1, ACC-3: in Entra ID these are not checked, and tokens do not say so (Microsoft
    identity platform, claims validation)."""
    login = env.access.login
    if not isinstance(login, KnownProvider) or login.provider != "entra":
        return
    for path, callers in _listed(login):
        for claim in ("email", "preferred_username", "upn", "name"):
            if claim in callers.claims:
                yield Violation(
                    "MA245", (*path, "claims", claim), f"decides by {claim}, which can be changed"
                )


@rule(
    {
        "MA246": Code(
            "Envoy that is too old to authenticate",
            "It does not start with configuration that it does not know.",
            "Take a newer tag of Envoy's image.",
        ),
    },
    reads=("access", "control_plane", "images"),
)
def envoy_is_new_enough(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """ACC-1: an older Envoy stops at fields it does not know."""
    tag = env.image_of("envoy").tag
    found = _ENVOY.match(tag or "")
    if (env.access.login or env.access.guarded) and found and (int(found[1]), int(found[2])) < _NEEDED:
        path = ("controlPlane", "envoy", "image", "tag")
        yield Violation("MA246", path, f"is {tag}, older than the v1.40 that authentication is made for")


@rule(
    {
        "MA247": Code(
            "Callers that can send no token are refused",
            "The platform's own clients have no setting for a token: tasks and workflows fail at their first "
            "call.",
            "List the addresses they come from (NAT) in access.api.trustedCidrs.",
            "warning",
        ),
    },
    reads=("access", "clusters", "control_plane"),
)
def callers_without_tokens_come_in(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """ACC-2: `ma`, the Python client, task pods and the worker can send none (facts 7.2)."""
    guarded = env.access.guarded
    if guarded is None or guarded.trusted_cidrs:
        return
    path = (*API, "trustedCidrs")
    if env.clusters:
        yield Violation("MA247", path, "is empty, and tasks on compute clusters call the API")
    if env.control_plane.worker.api_access == "public":
        yield Violation("MA247", path, "is empty, and the worker calls the API by its public address")


@rule(
    {
        "MA248": Code(
            "Trusted network that is half the internet",
            "Everybody there may do everything without a token.",
            "List the addresses that your clusters and offices come from.",
        ),
    },
    reads=("access",),
)
def trusted_networks_are_not_everybodys(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """ACC-2: a network that is everybody's."""
    guarded = env.access.guarded
    for index, cidr in enumerate(guarded.trusted_cidrs if guarded is not None else ()):
        network = ipaddress.ip_network(cidr)
        if network.prefixlen < _NARROW[network.version]:
            evidence = f"{network} has {network.num_addresses:,} addresses"
            yield Violation("MA248", (*API, "trustedCidrs", index), evidence)


@rule(
    {
        "MA250": Code(
            "Client certificates that never reach Envoy",
            "The front door ends TLS, and what it hands on of a caller's certificate is a header of its own "
            "that callers could write too.",
            "Let it pass TLS through (frontDoor.apiTls: passthrough), or give callers tokens.",
        ),
        "MA251": Code(
            "TLS that nobody ends",
            "The front door passes TLS through, and the API server behind it speaks plaintext only.",
            "Have Envoy authenticate callers there (access.api.kind: guarded), which ends TLS too, or set "
            "frontDoor.apiTls: terminate.",
        ),
        "MA252": Code(
            "Trusted networks that Envoy cannot see",
            "Connections that are passed through have no header of the door's: every caller would come from "
            "the address of the door's own pods.",
            "Let the door speak the PROXY protocol to Envoy and set access.api.clientAddress: proxyProtocol "
            "(ingress-nginx cannot for connections it passes through), or take the networks away.",
        ),
    },
    reads=("access", "front_door"),
)
def tls_is_ended_where_it_is_looked_at(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """ACC-2: a certificate is seen by whoever ends TLS, an address by whoever takes the connection."""
    guarded, door = env.access.guarded, env.front_door
    where: Path = ("frontDoor", "apiTls")
    if door.api_tls == "terminate":
        if guarded is not None and guarded.certificates is not None:
            yield Violation("MA250", CERTIFICATES, "are set, and frontDoor.apiTls is terminate")
        return
    if guarded is None:
        yield Violation("MA251", where, "is passthrough, and access.api is open")
        return
    if isinstance(door, IngressFrontDoor) and door.api_annotations is not None:
        passing = (value for key, value in door.api_annotations.items() if key.endswith("ssl-passthrough"))
        if "true" not in passing:
            evidence = "none of them ends with ssl-passthrough and is true, with frontDoor.apiTls passthrough"
            yield Violation("MA250", ("frontDoor", "apiAnnotations"), evidence)
    nginx = isinstance(door, IngressFrontDoor) and door.api_annotations is None
    if nginx and guarded.client_address == "proxyProtocol":
        # Its proxy for such connections writes none, whatever `use-proxy-protocol` says.
        evidence = "is proxyProtocol, which ingress-nginx does not speak where it passes TLS through"
        yield Violation("MA252", (*API, "clientAddress"), evidence)
    if guarded.trusted_cidrs and guarded.client_address != "proxyProtocol":
        evidence = "are set, and callers' addresses are lost where TLS is passed through"
        yield Violation("MA252", (*API, "trustedCidrs"), evidence)
