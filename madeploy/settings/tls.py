"""`michelangelo:tls`: where certificates come from and whether Envoy terminates TLS itself."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from madeploy.settings.base import Accepts, Arn, DnsSubdomain, Name, Region, Section


class Http01Solver(Section):
    """ACME HTTP-01: the certificate authority fetches a file over port 80 through the front door."""

    kind: Literal["http01"]
    """Chooses this solver."""


class Route53Solver(Section):
    """ACME DNS-01 through Amazon Route 53: no inbound port 80 needed, private clusters included."""

    kind: Literal["dns01Route53"]
    """Chooses this solver."""

    region: Region
    """AWS region of the API endpoint cert-manager calls, such as `eu-west-1`."""

    hosted_zone_id: Name | None = None
    """Zone to write into. Default: cert-manager finds it by name."""

    role_arn: Arn | None = None
    """IAM role cert-manager assumes. Default: its own ServiceAccount's role."""


Solver = Annotated[Http01Solver | Route53Solver, Field(discriminator="kind")]


class ExternalAccountBinding(Section):
    """A customer's account that the ACME account is bound to at its registration (RFC 8555, 7.3.4), for
    authorities that register no other: ZeroSSL, Google Trust Services, Sectigo, SSL.com, DigiCert."""

    key_id: Annotated[
        str,
        Field(pattern=r"^[\x21-\x7e]+$", max_length=500),
        Accepts("the key's id as the authority shows it, no blanks", "kid-1"),
    ]
    """Id of the key. It is no secret; the key itself, which is one, stands in no file of this project."""

    secret_name: DnsSubdomain = "acme-external-account"
    """Secret with the key (HMAC, in base64 for URLs, as the authority shows it). It must exist in
    cert-manager's own namespace."""

    secret_data_key: Annotated[
        str,
        Field(pattern=r"^[A-Za-z0-9._-]+$", max_length=253),
        Accepts("letters, digits, dots, underscores and hyphens", "secret"),
    ] = "secret"
    """Entry of that Secret's data that holds it. Default `secret`."""


class EnvoyTermination(Section):
    """TLS between the front door and Envoy, ended by Envoy itself (network guide, Envoy TLS
    termination)."""

    enabled: bool = False
    """Whether Envoy's listener speaks TLS. Default false: the front door ends TLS."""

    secret_name: DnsSubdomain = "michelangelo-envoy-tls"
    """Secret of type `kubernetes.io/tls` in the control plane's namespace."""


class _Tls(Section):
    api_secret_name: DnsSubdomain = "michelangelo-apiserver-tls"
    """Secret that holds the API host's certificate (key `tls.crt`, `tls.key`)."""

    app_secret_name: DnsSubdomain = "michelangelo-ui-tls"
    """Secret that holds the application host's certificate."""

    envoy: EnvoyTermination = EnvoyTermination()
    """TLS termination in Envoy."""


class AcmeTls(_Tls):
    """Certificates from an ACME authority, Let's Encrypt by default, through cert-manager."""

    mode: Literal["acme"]
    """Chooses ACME."""

    email: Annotated[
        str,
        Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", max_length=254),
        Accepts("an e-mail address", "platform@example.com"),
    ]
    """Address the authority writes to about expiring certificates."""

    server: Annotated[
        str,
        Field(pattern=r"^https://[^\s/@]+(/\S*)?$"),
        Accepts("an https:// URL", "https://acme.example.com/directory"),
    ] = "https://acme-v02.api.letsencrypt.org/directory"
    """ACME directory URL. Default: Let's Encrypt production."""

    external_account_binding: ExternalAccountBinding | None = None
    """Account with the authority that the ACME account is bound to. Default: none, as with Let's Encrypt."""

    issuer_name: DnsSubdomain | None = None
    """Name of the ClusterIssuer and of the Secret with its account key. Default: `letsencrypt-prod` for
    Let's Encrypt, else named after the authority; `acme` for one that is not known."""

    solver: Solver = Http01Solver(kind="http01")
    """How the authority checks that the domain is ours. Default HTTP-01 through the front door."""


class InternalCaTls(_Tls):
    """Certificates from an internal certificate authority, through cert-manager."""

    mode: Literal["internalCa"]
    """Chooses the internal CA."""

    issuer_name: DnsSubdomain = "internal-ca"
    """Name of the ClusterIssuer."""

    ca_secret_name: DnsSubdomain = "internal-ca-key-pair"
    """Secret with the CA's certificate and key; it must exist in cert-manager's own namespace."""


class ProvidedTls(_Tls):
    """Certificates made elsewhere: the two Secrets must exist in the control plane's namespace."""

    mode: Literal["provided"]
    """Chooses certificates provided by hand."""


Tls = Annotated[AcmeTls | InternalCaTls | ProvidedTls, Field(discriminator="mode")]
