"""Certificates for kubeconfigs in tests, made when they are needed; nothing that is kept anywhere."""

from __future__ import annotations

import base64
import functools
from datetime import datetime, timedelta, timezone
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=timezone.utc)
"""The time that certificates and tokens of these tests are judged by."""


@functools.cache
def _key(name: str) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@functools.cache
def certificate(
    name: str = "authority",
    *,
    ca: bool | None = True,
    begins: int = -30,
    ends: int = 900,
    issuer: str = "",
    organisation: str = "",
) -> x509.Certificate:
    """A certificate of the key `name`, signed by the key `issuer` or itself; valid from and to days from
    NOW; `ca` None leaves the extension out."""
    subject = x509.Name(
        [
            *([x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation)] if organisation else []),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )
    signed_by = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer or name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signed_by)
        .public_key(_key(name).public_key())
        .serial_number(7)
        .not_valid_before(NOW + timedelta(days=begins))
        .not_valid_after(NOW + timedelta(days=ends))
    )
    if ca is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    return builder.sign(_key(issuer or name), hashes.SHA256())


def pem(**given: Any) -> bytes:
    """The same in PEM."""
    return certificate(**given).public_bytes(serialization.Encoding.PEM)


def der(**given: Any) -> bytes:
    """The same in DER."""
    return certificate(**given).public_bytes(serialization.Encoding.DER)


def key_pem(name: str = "authority", passphrase: bytes = b"") -> bytes:
    """A private key in PEM."""
    form: Any = serialization.NoEncryption()
    if passphrase:
        form = serialization.BestAvailableEncryption(passphrase)
    return _key(name).private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, form)


def encoded(content: bytes) -> str:
    """Base64 on one line."""
    return base64.b64encode(content).decode("ascii")
