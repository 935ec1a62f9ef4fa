"""ACME authorities by their directory's address: what they are called, and whether they know their customers.

Sources: each authority's documentation of its ACME service; RFC 8555, 7.3.4 (external account binding).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from madeploy.settings.tls import AcmeTls, InternalCaTls


@dataclass(frozen=True)
class Authority:
    """An ACME authority."""

    title: str
    issuer_name: str
    """Name of the ClusterIssuer where the settings give none."""

    binds_accounts: bool
    """Whether it registers an account only with a key of the customer's."""

    where: str = ""
    """Where a customer gets that key."""

    @property
    def is_public(self) -> bool:
        """Whether it is one that browsers trust, and so signs public names only."""
        return self is not _UNKNOWN


_UNKNOWN: Final = Authority("an ACME authority", "acme", False)
_GOOGLE: Final = Authority(
    "Google Trust Services",
    "google-trust-services",
    True,
    "gcloud publicca external-account-keys create",
)
_AUTHORITIES: Final[dict[str, Authority]] = {
    # Its staging directory too: a name that is there already stays.
    "letsencrypt.org": Authority("Let's Encrypt", "letsencrypt-prod", False),
    "zerossl.com": Authority("ZeroSSL", "zerossl", True, "ZeroSSL's dashboard, Developer"),
    "pki.goog": _GOOGLE,
    "sectigo.com": Authority("Sectigo", "sectigo", True, "Sectigo Certificate Manager, Enrollment, ACME"),
    "ssl.com": Authority("SSL.com", "ssl-com", True, "SSL.com's dashboard, API credentials"),
    "digicert.com": Authority("DigiCert", "digicert", True, "CertCentral, Automation, ACME directory URLs"),
    "globalsign.com": Authority("GlobalSign", "globalsign", True, "GlobalSign Atlas, API credentials"),
    "entrust.net": Authority("Entrust", "entrust", True, "Entrust Certificate Services, ACME"),
    "actalis.com": Authority("Actalis", "actalis", True, "Actalis' customer area, ACME"),
    "harica.gr": Authority("HARICA", "harica", True, "HARICA's CertManager, ACME"),
    "starfieldtech.com": Authority("GoDaddy", "godaddy", True, "GoDaddy's certificate settings, ACME"),
    "buypass.com": Authority("Buypass", "buypass", False),
}
"""By the zone of the directory's host."""


def authority(server: str) -> Authority:
    """What is known of the authority behind a directory's address."""
    labels = (urlsplit(server).hostname or "").lower().rstrip(".").split(".")
    zones = (".".join(labels[start:]) for start in range(len(labels)))
    return next((_AUTHORITIES[zone] for zone in zones if zone in _AUTHORITIES), _UNKNOWN)


def issuer_name(tls: AcmeTls | InternalCaTls) -> str:
    """Name of the ClusterIssuer, and of the Secret with its account key: as the settings say, else after the
    authority."""
    if isinstance(tls, AcmeTls) and tls.issuer_name is None:
        return authority(tls.server).issuer_name
    return str(tls.issuer_name)
