"""`michelangelo:access`: who may come in from outside. The platform authenticates nobody (facts 0.5):
sign-in and authentication are Envoy's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from madeploy.settings.base import Accepts, Cidr, DnsSubdomain, Name, Section

HttpsUrl = Annotated[
    str,
    Field(
        pattern=r"^https://[a-z0-9]([-a-z0-9.]*[a-z0-9])?(:[0-9]{1,5})?(/[!$&->@-\[\]-~]*)?$", max_length=500
    ),
    Accepts(
        "an https:// URL in lower case up to its path, without query", "https://login.example.com/realms/ml"
    ),
]
"""URL of an endpoint: what a template of Envoy's could read as its own (`%`) is not accepted."""

Claim = Annotated[
    str,
    Field(pattern=r"^[!-~]+$", max_length=200),
    Accepts("name of a claim at the top of the token, no blanks", "groups"),
]

Why = Annotated[
    str,
    Field(min_length=10, max_length=500),
    Accepts("a sentence", "Only reachable through the company's VPN."),
]

Authorities = Literal["system", "bundle"]
Provider = Literal["okta", "google", "entra", "keycloak"]


class Open(Section):
    """No authentication: whoever reaches the host may do everything."""

    kind: Literal["open"]
    """Chooses to let everybody in."""

    reason: Why
    """Why that is right here, for whoever looks at it again."""


class Callers(Section):
    """Callers by what their token says. One group or one claim's value is enough."""

    groups: tuple[Name, ...] = Field(default=(), examples=[["ml-platform"]])
    """Values of the claim with groups, of which one must be in the token, exactly so."""

    claims: Mapping[Claim, tuple[Name, ...]] = Field(
        default_factory=dict, examples=[{"email": ["someone@example.com"]}]
    )
    """Other claims and their values, of which one must be in the token: `email` with addresses, for example,
    which then must be verified ones (`email_verified`)."""

    @property
    def nobody(self) -> bool:
        """Whether no token can fit."""
        return not self.groups and not any(self.claims.values())


class Endpoints(Section):
    """Endpoints of a provider, as its `/.well-known/openid-configuration` has them."""

    authorization: HttpsUrl
    """Where browsers are sent to sign in (`authorization_endpoint`)."""

    token: HttpsUrl
    """Where Envoy turns a code into tokens (`token_endpoint`)."""

    keys: HttpsUrl
    """The provider's public keys (`jwks_uri`)."""

    end_session: HttpsUrl | None = None
    """Where signing out ends the provider's own session (`end_session_endpoint`). Default: it goes on."""


class _Login(Section):
    issuer: HttpsUrl = Field(examples=["https://example.okta.com"])
    """Issuer, exactly as its tokens say it (`iss`): `https://<org>.okta.com`, `https://accounts.google.com`,
    `https://login.microsoftonline.com/<tenant>/v2.0`, `https://<host>/realms/<realm>`."""

    client_id: Name = Field(examples=["michelangelo"])
    """Client's id at the provider; only tokens made for it are accepted (`aud`)."""

    credentials_secret: DnsSubdomain = "michelangelo-oidc"
    """Existing Secret in the control plane's namespace with `client-secret`, the provider's, and
    `cookie-secret`, 32 random bytes or more that sign and encrypt cookies. Default `michelangelo-oidc`."""

    scopes: tuple[Name, ...] = ()
    """Scopes asked for. Default: `openid profile email`, and what the provider wants for the rest."""

    groups_claim: Claim | None = None
    """Claim with groups. Default `groups`; of Google, whose tokens have none, the customer's domain, `hd`."""

    session_hours: int = Field(default=8, ge=1, le=168)
    """Hours without use after which one signs in again, where the provider gives refresh tokens; without them
    sessions last as long as its tokens. The provider's own session ends them earlier. Default 8."""

    viewers: Callers = Callers()
    """Who may use the application and call what reads (`Get…`, `List…`). Default: nobody but editors."""

    editors: Callers = Callers()
    """Who may call everything. Default: nobody."""

    authorities: Authorities = "system"
    """Which authorities the provider's certificate is checked against: those of Envoy's image, or those of
    `controlPlane.caBundleConfigMap`. Default `system`."""


class KnownProvider(_Login):
    """Sign-in by OpenID Connect at Envoy, which then carries the application's files as well. Register
    `https://<domains.app>/oauth2/callback` with the provider, and `https://<domains.app>/` to return to after
    signing out."""

    kind: Literal["oidc"]
    """Chooses OpenID Connect with a provider whose endpoints follow from its issuer."""

    provider: Provider
    """Whose endpoints, scopes and claims are used."""


class OtherProvider(_Login):
    """Sign-in by OpenID Connect with any other provider, by its endpoints."""

    kind: Literal["oidcEndpoints"]
    """Chooses OpenID Connect with given endpoints."""

    endpoints: Endpoints
    """The provider's endpoints."""


Login = KnownProvider | OtherProvider
Browser = Annotated[KnownProvider | OtherProvider | Open, Field(discriminator="kind")]


class Tokens(Section):
    """Tokens (JWT) of automation, sent as `Authorization: Bearer`, and what they give rights to."""

    issuer: HttpsUrl
    """Issuer, exactly as the tokens say it (`iss`)."""

    keys: HttpsUrl = Field(examples=["https://login.example.com/realms/ml/protocol/openid-connect/certs"])
    """The issuer's public keys (`jwks_uri`)."""

    audiences: tuple[Name, ...] = Field(min_length=1, max_length=20, examples=[["michelangelo-api"]])
    """Audiences of which a token must name one (`aud`). One of its own: tokens of the application or of other
    services are then none here."""

    groups_claim: Claim = "groups"
    """Claim with groups. Default `groups`."""

    viewers: Callers = Callers()
    """Who may call what reads (`Get…`, `List…`) and ask which services there are."""

    editors: Callers = Callers()
    """Who may call everything."""

    authorities: Authorities = "system"
    """Which authorities the issuer's certificate is checked against, as in `browser`. Default `system`."""


Organization = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9._:/@-]([A-Za-z0-9 ._:/@-]*[A-Za-z0-9._:/@-])?$", max_length=64),
    Accepts("letters, digits, blanks inside and . _ : / @ -, at most 64", "ml-platform"),
]

SubjectName = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9*._:/@-]+$", max_length=500),
    Accepts("a DNS name, or a URI with its scheme", "spiffe://example.com/ns/ci/sa/deployer"),
]


class CertifiedCallers(Section):
    """Callers by what their certificate says. One group or one name is enough."""

    groups: tuple[Organization, ...] = Field(default=(), examples=[["deployers"]])
    """Organizations (`O`) of which the certificate's subject must have one, exactly so: what Kubernetes reads
    as groups."""

    names: tuple[SubjectName, ...] = Field(default=(), examples=[["deployer.ci.example.com"]])
    """Subject alternative names of which the certificate must have one, exactly so: DNS names and, with a
    scheme, URIs."""

    @property
    def nobody(self) -> bool:
        """Whether no certificate can fit."""
        return not self.groups and not self.names


class ClientCertificates(Section):
    """Certificates of callers, which Envoy sees where the front door passes TLS through
    (`frontDoor.apiTls`)."""

    authorities_secret: DnsSubdomain = "michelangelo-api-clients"
    """Existing Secret in the control plane's namespace whose `ca.crt` has the authorities that sign callers'
    certificates, for nobody else than callers. Default `michelangelo-api-clients`."""

    viewers: CertifiedCallers = CertifiedCallers()
    """Who may call what reads (`Get…`, `List…`) and ask which services there are."""

    editors: CertifiedCallers = CertifiedCallers()
    """Who may call everything."""


class GuardedApi(Section):
    """Authentication at the API's host, by Envoy: trusted networks without a token, because `ma`, the
    Python client and task pods can send none; everybody else by token or certificate. Without any, nobody."""

    kind: Literal["guarded"]
    """Chooses authentication."""

    trusted_cidrs: tuple[Cidr, ...] = Field(default=(), max_length=200)
    """Networks whose callers may do everything without a token: addresses that compute clusters and offices
    come from (NAT, VPN). Default: none."""

    client_address: Literal["forwardedFor", "proxyProtocol"] = "forwardedFor"
    """How Envoy learns a caller's address: from the end of `X-Forwarded-For`, which the front door writes,
    or from the PROXY protocol, which the front door then has to speak to Envoy. Default `forwardedFor`."""

    trusted_proxies: int = Field(default=1, ge=1, le=10)
    """How many proxies in a row write `X-Forwarded-For` in front of Envoy, the front door included: 2 with
    a load balancer that ends HTTP before it. Too many, and callers can choose their address. Default 1."""

    tokens: Tokens | None = None
    """Tokens that give rights to everybody else. Default: none do."""

    certificates: ClientCertificates | None = None
    """Client certificates that do. Default: none do."""


Api = Annotated[GuardedApi | Open, Field(discriminator="kind")]


class Access(Section):
    """Who may come in."""

    browser: Browser | None = None
    """The application's host. Default: everybody in development and staging; production must choose."""

    api: Api | None = None
    """The API's host. Default: everybody in development and staging; production must choose."""

    @property
    def login(self) -> Login | None:
        """How people sign in; None where nobody has to."""
        return None if isinstance(self.browser, Open) else self.browser

    @property
    def guarded(self) -> GuardedApi | None:
        """Who may call the API's host; None where everybody may."""
        return None if isinstance(self.api, Open) else self.api
