"""Certificates of the front door: in their Secrets, on the wire, and in cert-manager's own words."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from madeploy.clients.kubernetes import Kubernetes
from madeploy.clients.objects import condition, is_ready, secret_value
from madeploy.doctor.checks import Seen
from madeploy.doctor.provided import PAIR_HERE
from madeploy.doctor.site import Site
from madeploy.findings import Finding, find

SOON_DAYS: Final = 14
"""A certificate that ends earlier is late: cert-manager renews after two thirds of a lifetime, ACME's are of
90 days (cert-manager, Certificate resource)."""
_API: Final = "/apis/cert-manager.io/v1"


@dataclass(frozen=True)
class Wanted:
    """One Secret with a certificate, and the name it is for."""

    secret: str
    host: str


def wanted(site: Site) -> tuple[Wanted, ...]:
    """The certificates of an environment's front door."""
    tls, domains = site.environment.tls, site.environment.domains
    return (Wanted(tls.api_secret_name, domains.api), Wanted(tls.app_secret_name, domains.app))


def certificates(site: Site) -> Seen:
    """Whether each certificate is there, is for its domain, has its key and is valid for a while; where one
    is not, what cert-manager says. Raises ClientError."""
    client = site.client()
    found: list[Finding] = []
    seen = []
    for item in wanted(site):
        outcome = list(_of_secret(site, client, item))
        found += outcome
        if not outcome:
            certificate = read(client, site.namespace, item.secret)
            assert certificate is not None
            seen.append(f"{item.host} until {certificate.not_valid_after_utc:%Y-%m-%d}")
    return found or "; ".join(seen)


def read(client: Kubernetes, namespace: str, secret: str) -> x509.Certificate | None:
    """The certificate in a Secret, None where there is none to be read. Raises ClientError."""
    live = client.find(f"/api/v1/namespaces/{namespace}/secrets/{secret}")
    try:
        return x509.load_pem_x509_certificates(secret_value(live, "tls.crt"))[0]
    except (ValueError, IndexError):
        return None


def authorities(site: Site) -> str:
    """PEM of the authorities that cert-manager put beside the certificates: an internal CA's, which clients
    have been given. Raises ClientError."""
    client = site.client()
    texts = []
    for item in wanted(site):
        live = client.find(f"/api/v1/namespaces/{site.namespace}/secrets/{item.secret}")
        text = secret_value(live, "ca.crt").decode("ascii", "ignore")
        if "-----BEGIN CERTIFICATE-----" in text:
            texts.append(text)
    return "".join(dict.fromkeys(texts))


def covers(certificate: x509.Certificate, host: str) -> bool:
    """Whether a certificate names a host (RFC 6125: subjectAltName, a wildcard for one label)."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    parent = host.partition(".")[2]
    return any(name.lower() in (host, f"*.{parent}") for name in names.get_values_for_type(x509.DNSName))


def names_of(certificate: x509.Certificate) -> str:
    """The names a certificate is for, in words."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return "no name"
    return ", ".join(names.get_values_for_type(x509.DNSName)) or "no name"


def validity(subject: str, certificate: x509.Certificate, fix: str = "") -> Iterator[Finding]:
    """A finding where a certificate is not valid now, or not for long."""
    now = datetime.datetime.now(datetime.timezone.utc)
    ends = certificate.not_valid_after_utc
    if certificate.not_valid_before_utc > now:
        yield find(
            "MA947", subject, f"is valid from {certificate.not_valid_before_utc:%Y-%m-%d %H:%M} only", fix=fix
        )
    elif ends <= now:
        yield find("MA947", subject, f"expired on {ends:%Y-%m-%d %H:%M}", fix=fix)
    elif ends - now < min(datetime.timedelta(days=SOON_DAYS), (ends - certificate.not_valid_before_utc) / 4):
        evidence = f"expires on {ends:%Y-%m-%d %H:%M}, and was not renewed"
        yield find("MA947", subject, evidence, severity="warning", fix=fix)


def _of_secret(site: Site, client: Kubernetes, item: Wanted) -> Iterator[Finding]:
    where = f"Secret {site.namespace}/{item.secret}"
    unissued = list(_unissued(site, client, item.secret))
    live = client.find(f"/api/v1/namespaces/{site.namespace}/secrets/{item.secret}")
    look = site.kubectl(f"-n {site.namespace} describe secret {item.secret}")
    if live is None:
        # Without a certificate cert-manager's own reason is the one to read.
        yield from unissued or [find("MA945", where, f"is not there ({item.host})", fix=_make(site, item))]
        return
    try:
        certificate = x509.load_pem_x509_certificates(secret_value(live, "tls.crt"))[0]
        key = load_pem_private_key(secret_value(live, "tls.key"), None)
    except (ValueError, TypeError, IndexError):
        yield find("MA945", where, "holds no certificate with its key", fix=f"See its keys:\n{look}")
        return
    if not covers(certificate, item.host):
        yield find(
            "MA946", where, f"is for {names_of(certificate)}, not for {item.host}", fix=_make(site, item)
        )
    yield from validity(where, certificate, _make(site, item))
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if key.public_key().public_bytes(*form) != certificate.public_key().public_bytes(*form):
        yield find("MA968", where, "its key is not the certificate's", fix=_make(site, item))
    yield from unissued


def _make(site: Site, item: Wanted) -> str:
    if site.environment.tls.mode != "provided":
        look = site.kubectl(f"-n {site.namespace} describe certificate {item.secret}")
        return f"cert-manager makes it; see what it says:\n{look}"
    make = site.kubectl(
        f"-n {site.namespace} create secret tls {item.secret} {PAIR_HERE} --dry-run=client -o yaml"
    )
    write = site.kubectl("apply --server-side --force-conflicts -f -")
    return (
        f"Write it again, a certificate for {item.host} and its key lying here as tls.crt and tls.key:\n"
        f"{make} | {write}"
    )


def _unissued(site: Site, client: Kubernetes, name: str) -> Iterator[Finding]:
    """What cert-manager says of a Certificate that is not ready: down to the challenge that is not met."""
    if site.environment.tls.mode == "provided":
        return
    path = f"{_API}/namespaces/{site.namespace}/certificates/{name}"
    certificate = client.find(path)
    if certificate is None or is_ready(certificate):
        return
    said = condition(certificate, "Ready").get("message") or "cert-manager has not looked at it"
    reasons = [
        f"challenge for {item['spec'].get('dnsName')}: {status['reason']}"
        for item in client.items(f"/apis/acme.cert-manager.io/v1/namespaces/{site.namespace}/challenges")
        if (status := item.get("status") or {}).get("reason")
    ]
    issuer = certificate["spec"].get("issuerRef") or {}
    if issuer.get("kind") == "ClusterIssuer":
        found = client.find(f"{_API}/clusterissuers/{issuer['name']}")
        if found is None:
            reasons.append(f"ClusterIssuer {issuer['name']} is not there")
        elif not is_ready(found):
            why = condition(found, "Ready").get("message") or "is not ready"
            reasons.append(f"ClusterIssuer {issuer['name']}: {why}")
    look = site.kubectl(f"-n {site.namespace} describe certificate,certificaterequest,order,challenge")
    evidence = "; ".join([" ".join(str(text).split()) for text in (said, *reasons)])
    subject = f"Certificate {site.namespace}/{name}"
    yield find("MA949", subject, evidence, fix=f"See the whole chain of its requests:\n{look}")
