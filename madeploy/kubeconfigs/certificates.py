"""Whether certificates can do what a kubeconfig wants them for. Imported only when one is added: loading
`cryptography` takes longer than most checks."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

SOON = timedelta(days=30)
"""How long before its end a certificate is pointed out."""

_TOLERANCE = timedelta(minutes=5)
"""Clocks differ by so much without anybody noticing."""


@dataclass(frozen=True)
class Judgement:
    """Findings about certificates."""

    error: str = ""
    """Why they cannot be used; empty when they can."""

    warnings: tuple[str, ...] = ()
    fingerprint: str = ""
    """SHA-256 of the first one that can be used, in hexadecimal digits."""

    expires: datetime | None = None
    """When the last one that can be used ends."""


def judge_authority(pem: str, now: datetime) -> Judgement:
    """Whether at least one certificate of a bundle is an authority's that is valid now."""
    try:
        bundle = x509.load_pem_x509_certificates(pem.encode())
        usable = [item for item in bundle if _is_authority(item)]
    except (ValueError, UnsupportedAlgorithm):
        return Judgement("holds a certificate that is damaged")
    if not usable:
        names = "is a server's own certificate" if len(bundle) == 1 else "holds servers' own certificates"
        return Judgement(f"{names}, not an authority's (CA:TRUE): it would end when that is renewed")
    valid = [
        item for item in usable if item.not_valid_before_utc - _TOLERANCE <= now < item.not_valid_after_utc
    ]
    if not valid:
        ended = max(item.not_valid_after_utc for item in usable)
        begins = min(item.not_valid_before_utc for item in usable)
        when = (
            f"has expired on {ended:%Y-%m-%d}"
            if ended <= now
            else f"is not valid before {begins:%Y-%m-%d %H:%M} UTC"
        )
        return Judgement(when)
    warnings = []
    if len(valid) < len(bundle):
        warnings.append(f"holds {len(bundle)} certificates of which {len(valid)} can be used")
    last = max(item.not_valid_after_utc for item in valid)
    if last - now < SOON:
        warnings.append(f"expires on {last:%Y-%m-%d}")
    digest = hashlib.sha256(valid[0].public_bytes(serialization.Encoding.DER)).hexdigest()
    return Judgement("", tuple(warnings), digest, last)


def _is_authority(certificate: x509.Certificate) -> bool:
    """Whether a certificate may sign others; one of version 1, which cannot say so, when it signed itself."""
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    except x509.ExtensionNotFound:
        return certificate.version is x509.Version.v1 and certificate.issuer == certificate.subject
    return constraints.value.ca


def judge_client(certificate_data: str, key_data: str, now: datetime) -> Judgement:
    """Whether a client certificate and a key, both PEM in base64, belong together and are valid now."""
    try:
        (certificate, *_) = x509.load_pem_x509_certificates(
            base64.b64decode("".join(certificate_data.split()))
        )
    except (ValueError, UnsupportedAlgorithm):
        return Judgement("client-certificate-data is no PEM certificate in base64")
    try:
        key = serialization.load_pem_private_key(base64.b64decode("".join(key_data.split())), None)
    except TypeError:
        return Judgement("client-key-data is protected by a passphrase, for which a kubeconfig has no place")
    except (ValueError, UnsupportedAlgorithm):
        return Judgement("client-key-data is no PEM private key in base64")
    form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    if key.public_key().public_bytes(*form) != certificate.public_key().public_bytes(*form):
        return Judgement("client-key-data belongs to another certificate than client-certificate-data")
    end = certificate.not_valid_after_utc
    if end <= now:
        return Judgement(f"the client certificate has expired on {end:%Y-%m-%d}")
    warnings = (f"the client certificate expires on {end:%Y-%m-%d}",) if end - now < SOON else ()
    return Judgement("", warnings, "", end)
