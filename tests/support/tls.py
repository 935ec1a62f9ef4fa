"""Certificates made for a test, as the kubelet lays a Secret out."""

from __future__ import annotations

import datetime
import os
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

_DAY: Final = datetime.timedelta(days=1)
_FORM: Final = (
    serialization.Encoding.PEM,
    serialization.PrivateFormat.PKCS8,
    serialization.NoEncryption(),
)


def certificate_pair(
    host: str,
    begins: datetime.timedelta = datetime.timedelta(minutes=-1),
    ends: datetime.timedelta = datetime.timedelta(hours=1),
) -> tuple[bytes, bytes]:
    """A new self-signed certificate for `host`, valid between two moments from now, and its key, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + begins)
        .not_valid_after(now + ends)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM), key.private_bytes(*_FORM)


def certificate_files(directory: Path, host: str) -> bytes:
    """Put `tls.crt` and `tls.key` of a new self-signed certificate for `host` into `directory`, replacing
    what is there in one step: files are links through `..data`, a link to a folder with a new name each
    time. Gives the certificate in PEM form."""
    pem, key = certificate_pair(host)
    directory.mkdir(parents=True, exist_ok=True)
    data = directory / f"..{x509.load_pem_x509_certificate(pem).serial_number}"
    data.mkdir()
    (data / "tls.crt").write_bytes(pem)
    (data / "tls.key").write_bytes(key)
    link = directory / "..data_tmp"
    link.symlink_to(data.name)
    os.replace(link, directory / "..data")
    for file in ("tls.crt", "tls.key"):
        if not (directory / file).is_symlink():
            (directory / file).symlink_to(Path("..data") / file)
    return pem


class Authority:
    """An authority that signs certificates of callers."""

    def __init__(self, name: str = "callers") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        limits = x509.BasicConstraints(ca=True, path_length=0)
        builder = self._builder(self._name, self._key, _DAY).add_extension(limits, critical=True)
        self.pem = builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def sign(
        self,
        *attributes: tuple[x509.ObjectIdentifier, str],
        names: Sequence[x509.GeneralName] = (),
        ends: datetime.timedelta = datetime.timedelta(hours=1),
        usage: x509.ObjectIdentifier = x509.ExtendedKeyUsageOID.CLIENT_AUTH,
    ) -> tuple[bytes, bytes]:
        """A certificate with these attributes of its subject, in order, and its key, as PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(*attribute) for attribute in attributes])
        builder = self._builder(subject, key, ends)
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=not attributes)
        certificate = builder.sign(self._key, hashes.SHA256())
        return certificate.public_bytes(serialization.Encoding.PEM), key.private_bytes(*_FORM)

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, ends: datetime.timedelta
    ) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.timezone.utc)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _DAY)
            .not_valid_after(now + ends)
        )


def trusting(pem: bytes) -> ssl.SSLContext:
    """A client's settings that trust this certificate and no other."""
    return ssl.create_default_context(cadata=pem.decode())
