"""Certificates of one embedded cluster: an authority of its own and what it signs.

Elliptic-curve keys (P-256): making the dozen a cluster needs takes milliseconds.
"""

from __future__ import annotations

import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from madeploy.sandbox.state import write_private

VALID_DAYS = 365
RENEW_DAYS = 30
"""Certificates with less than this left are made anew at the next start."""


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, as files in PEM."""

    certificate: Path
    key: Path


class Authority:
    """A certificate authority kept in a directory as `<name>.crt` and `<name>.key`."""

    def __init__(self, directory: Path, name: str, common_name: str) -> None:
        self.pair = Pair(directory / f"{name}.crt", directory / f"{name}.key")
        self._directory = directory
        if not _is_current(self.pair.certificate):
            key = ec.generate_private_key(ec.SECP256R1())
            subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
            usage = x509.KeyUsage(
                digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False,
                key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False,
                decipher_only=False,
            )  # fmt: skip
            certificate = (
                _builder(subject, subject, key)
                .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
                .add_extension(usage, critical=True)
                .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
                .sign(key, hashes.SHA256())
            )
            _write(self.pair, certificate, key)
            # What an earlier authority of this directory signed is worth nothing now.
            for stale in directory.glob("*.signed-by"):
                if stale.read_text(encoding="utf-8") == name:
                    stale.with_suffix(".crt").unlink(missing_ok=True)
        self._name = name
        self._certificate = x509.load_pem_x509_certificate(self.pair.certificate.read_bytes())
        loaded = serialization.load_pem_private_key(self.pair.key.read_bytes(), None)
        assert isinstance(loaded, ec.EllipticCurvePrivateKey)
        self._key = loaded

    def client(self, file: str, user: str, groups: tuple[str, ...] = ()) -> Pair:
        """A certificate by which `user` of `groups` authenticates (Kubernetes reads CN and O)."""
        return self._issue(file, user, groups, (), (ExtendedKeyUsageOID.CLIENT_AUTH,))

    def server(self, file: str, name: str, hosts: tuple[str, ...], also_client: bool = False) -> Pair:
        """A serving certificate for DNS names and IP addresses; etcd's peers also use theirs as clients."""
        usages = (ExtendedKeyUsageOID.SERVER_AUTH,) + (
            (ExtendedKeyUsageOID.CLIENT_AUTH,) if also_client else ()
        )
        return self._issue(file, name, (), hosts, usages)

    def _issue(
        self,
        file: str,
        name: str,
        groups: tuple[str, ...],
        hosts: tuple[str, ...],
        usages: tuple[x509.ObjectIdentifier, ...],
    ) -> Pair:
        pair = Pair(self._directory / f"{file}.crt", self._directory / f"{file}.key")
        if _is_current(pair.certificate):
            return pair
        key = ec.generate_private_key(ec.SECP256R1())
        organisations = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
        subject = x509.Name([*organisations, x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = (
            _builder(subject, self._certificate.subject, key)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False
            )
        )
        if hosts:
            names = x509.SubjectAlternativeName([_general_name(host) for host in hosts])
            builder = builder.add_extension(names, critical=False)
        _write(pair, builder.sign(self._key, hashes.SHA256()), key)
        write_private(self._directory / f"{file}.signed-by", self._name)
        return pair


def signing_key(directory: Path, name: str) -> tuple[Path, Path]:
    """A key pair without a certificate (ServiceAccount tokens): paths of the private and of the public
    key."""
    private, public = directory / f"{name}.key", directory / f"{name}.pub"
    if not (private.exists() and public.exists()):
        key = ec.generate_private_key(ec.SECP256R1())
        write_private(private, _private_pem(key))
        write_private(
            public,
            key.public_key().public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            ),
        )
    return private, public


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # A clock set back a little must not make a fresh certificate invalid.
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=VALID_DAYS))
    )


def _is_current(certificate: Path) -> bool:
    try:
        expires = x509.load_pem_x509_certificate(certificate.read_bytes()).not_valid_after_utc
    except (OSError, ValueError):
        return False
    return expires - datetime.datetime.now(datetime.timezone.utc) > datetime.timedelta(days=RENEW_DAYS)


def _private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(pair: Pair, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
    # The key first: a crash between the two leaves no certificate, and both are made anew.
    pair.certificate.unlink(missing_ok=True)
    write_private(pair.key, _private_pem(key))
    write_private(pair.certificate, certificate.public_bytes(serialization.Encoding.PEM))
