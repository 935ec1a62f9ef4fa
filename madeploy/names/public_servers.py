"""API servers that show a certificate of a public authority instead of their cluster's own.

The control plane trusts exactly the authority it is told (facts 3.1): for these servers that is the public
authority's root, not the one in the cluster's kubeconfigs and ConfigMaps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class PublicServer:
    """A zone whose servers show a public authority's certificates."""

    what: str
    authorities: tuple[str, ...]
    """Organisations in the subjects of the roots that may have signed, one of them each; none when any public
    authority may."""

    roots: str
    """Where the roots are found."""

    besides: str = ""
    """What else is needed before the platform's token is taken there."""


_ISRG: Final = ("Internet Security Research Group", "Let's Encrypt")
_ISRG_ROOTS: Final = (
    "the root of Let's Encrypt: curl -fsSo roots.pem https://letsencrypt.org/certs/isrgrootx1.pem"
)
_TUNNEL: Final = (
    "the root that signs what it shows: openssl s_client -showcerts -connect HOST:443 < /dev/null names it "
    "on the last line that begins with i:, and its PEM file is in the system's store (/etc/ssl/certs)"
)
_ZONES: Final[dict[str, PublicServer]] = {
    "gke.goog": PublicServer(
        "GKE's DNS-based endpoint",
        ("Google Trust Services", "GlobalSign"),
        "the roots of Google Trust Services, GTS Root R1 to R4, in one PEM file: https://pki.goog/repository",
        "GKE takes a ServiceAccount's token there only where the cluster says so: gcloud container clusters "
        "update CLUSTER --enable-k8s-tokens-via-dns",
    ),
    "openshiftapps.com": PublicServer("an OpenShift cluster that Red Hat runs", _ISRG, _ISRG_ROOTS),
    "aroapp.io": PublicServer(
        "Azure Red Hat OpenShift",
        ("DigiCert", "Microsoft"),
        "the root of DigiCert or Microsoft that signs it",
    ),
    "ts.net": PublicServer("a Tailscale proxy", _ISRG, _ISRG_ROOTS),
    **dict.fromkeys(
        ("ngrok.app", "ngrok.dev", "ngrok.io", "ngrok-free.app", "ngrok-free.dev"),
        PublicServer("an ngrok tunnel", _ISRG, _ISRG_ROOTS),
    ),
    **dict.fromkeys(
        ("trycloudflare.com", "devtunnels.ms", "loca.lt", "app.github.dev", "azurefd.net", "cloudfront.net"),
        PublicServer("a tunnel or a content network", (), _TUNNEL),
    ),
}
_PUBLIC: Final = (
    *_ISRG, "Actalis", "Amazon", "Asseco", "Baltimore", "Buypass", "COMODO", "Certum", "D-Trust", "DigiCert",
    "Entrust", "GlobalSign", "GoDaddy", "Google Trust Services", "IdenTrust", "Microsoft", "QuoVadis",
    "SSL Corp", "Sectigo", "Starfield", "SwissSign", "T-Systems", "Unizeto", "USERTRUST", "ZeroSSL",
)  # fmt: skip
"""Organisations whose roots browsers and operating systems trust."""


def public_server(host: str) -> PublicServer | None:
    """What is known of a host, as `parse_server` gives it; None for one that shows its cluster's own."""
    labels = host.split(".")
    zones = (".".join(labels[start:]) for start in range(1, len(labels)))
    return next((_ZONES[zone] for zone in zones if zone in _ZONES), None)


def vouches_for(server: PublicServer, pem: str) -> bool:
    """Whether a bundle holds a certificate of an authority that signs such servers' certificates; also true
    of a bundle that cannot be read, of which others tell."""
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    try:
        bundle = x509.load_pem_x509_certificates(pem.encode())
        organisations = [
            str(attribute.value)
            for item in bundle
            for attribute in item.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
        ]
    except ValueError:
        return True
    wanted = server.authorities or _PUBLIC
    return any(name.lower() in found.lower() for found in organisations for name in wanted)


def how_to_trust(server: PublicServer) -> str:
    """The way to the right authority, in words and commands."""
    text = f"Give {server.roots}\nthen: --certificate-authority roots.pem"
    return f"{text}\n{server.besides}" if server.besides else text
