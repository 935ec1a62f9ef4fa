"""The way to a registered address: name, connection, TLS with the registered authority."""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from typing import Final

from cryptography import x509

from madeploy.clients.deadline import client_context
from madeploy.clients.errors import ClientError, cause_of_exception
from madeploy.clients.kubernetes import CONNECT_SECONDS
from madeploy.clusters.failures import finding_of
from madeploy.clusters.registration import Registered
from madeploy.clusters.remedies import Remedies, steps
from madeploy.findings import Finding, find
from madeploy.names.servers import split_server

_DATES: Final = (9, 10)
"""OpenSSL's verdicts on a certificate that is not valid yet, or has expired (x509_vfy.h)."""


def resolve(registered: Registered, remedies: Remedies) -> tuple[str, Finding | None]:
    """Addresses of the registered host, as text; a finding when it has none."""
    host, port = _dialled(registered)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        evidence = f"{host} does not resolve from this machine"
        return "", find("MA430", registered.server, evidence, fix=_address_fix(remedies))
    return f"{host}: {', '.join(dict.fromkeys(str(item[4][0]) for item in found))}", None


def connect(registered: Registered, remedies: Remedies) -> tuple[str, Finding | None]:
    """Whether a TCP connection comes about."""
    began = time.monotonic()
    try:
        socket.create_connection(_dialled(registered), timeout=CONNECT_SECONDS).close()
    except OSError as error:
        failure = ClientError(registered.server, cause_of_exception(error))
        return "", finding_of(failure, registered.server, fix=_address_fix(remedies))
    return f"connected in {(time.monotonic() - began) * 1000:.0f} ms", None


def handshake(registered: Registered, remedies: Remedies) -> tuple[str, Finding | None]:
    """Whether the registered authority vouches for the server, under the registered host."""
    host, _ = _dialled(registered)
    try:
        context = client_context(registered.certificate_authority)
    except (ssl.SSLError, ValueError):
        fix = remedies.take_back_and_roll
        return "", find("MA442", registered.secret_names["ca"], "holds no PEM certificate", fix=fix)
    try:
        with _secured(registered, context) as connection:
            version = connection.version() or "TLS"
    except OSError as error:
        return "", _tls_finding(error, registered, remedies)
    return f"{version}; its certificate is for {host} and signed by the registered authority", None


def _dialled(registered: Registered) -> tuple[str, int]:
    host, port = split_server(registered.server)
    return host.removeprefix("https://").strip("[]"), int(port)


def _secured(registered: Registered, context: ssl.SSLContext) -> ssl.SSLSocket:
    host, port = _dialled(registered)
    plain = socket.create_connection((host, port), timeout=CONNECT_SECONDS)
    try:
        return context.wrap_socket(plain, server_hostname=host)
    except OSError:
        plain.close()
        raise


def _address_fix(remedies: Remedies) -> str:
    return steps(
        f"Set clusters.{remedies.name}.server to the address at which the control plane's pods reach the "
        "API server (where it is right and only this machine does not reach it, ask from their network), "
        "then:",
        remedies.up,
    )


def _tls_finding(error: OSError, registered: Registered, remedies: Remedies) -> Finding:
    failure = ClientError(registered.server, cause_of_exception(error))
    if failure.cause == "tlsAuthority":
        if isinstance(error, ssl.SSLCertVerificationError) and error.verify_code in _DATES:
            evidence = f"its certificate, or one that signed it: {error.verify_message}"
            fix = "Renew the certificate of the API server; where it is right, set the clock of this machine."
            return find("MA434", registered.server, evidence, fix=fix)
        fix = steps(
            f"Set clusters.{remedies.name}.certificateAuthorityData to the authority of this address (or "
            "correct its kubeconfig), then write it and let the controller manager read it:",
            remedies.up,
            remedies.roll,
        )
        return finding_of(failure, registered.server, evidence=_issuers(registered), fix=fix)
    if failure.cause in ("tlsName", "tls"):
        return finding_of(failure, registered.server, fix=_address_fix(remedies))
    return finding_of(failure, registered.server)


def _issuers(registered: Registered) -> str:
    """Who signed the server's certificate, and who is registered; "" when the server does not show it."""
    context = ssl.create_default_context()
    context.check_hostname = False
    # Only looked at: nothing is sent, and nothing that it says is believed.
    context.verify_mode = ssl.CERT_NONE
    with contextlib.suppress(OSError, ValueError):
        with _secured(registered, context) as connection:
            shown = connection.getpeercert(binary_form=True)
        if shown is not None:
            issuer = x509.load_der_x509_certificate(shown).issuer.rfc4514_string()
            trusted = x509.load_pem_x509_certificates(registered.certificate_authority.encode())
            names = "; ".join(item.subject.rfc4514_string() for item in trusted)
            same = " (the names are equal, the keys are not)" if issuer == names else ""
            return f"its certificate is signed by {issuer}; the registered authority is {names}{same}"
    return ""
