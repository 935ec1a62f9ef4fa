"""TLS sockets with one time limit for a whole answer."""

from __future__ import annotations

import ssl
import time
from typing import Any


class DeadlineSocket(ssl.SSLSocket):
    """A TLS socket whose time-out counts from when it is set, however many pieces an answer comes in.

    A plain time-out starts anew with every byte: a server that sends one a second is waited for without
    end. Clients set the time-out once before each request.
    """

    _deadline: float | None = None

    def settimeout(self, value: float | None) -> None:
        """Seconds from now until which reads are possible."""
        self._deadline = None if value is None else time.monotonic() + value
        super().settimeout(value)

    def recv_into(self, *arguments: Any, **named: Any) -> int:
        """Read what is there, within what is left of the time. Raises TimeoutError."""
        if self._deadline is not None:
            left = self._deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("timed out")
            super().settimeout(left)
        return super().recv_into(*arguments, **named)


def client_context(certificate_authority: str | None = None) -> ssl.SSLContext:
    """What a client trusts: authorities in PEM, else the system's; judged as Go's TLS does, which is what
    the platform is written in. Names must be in the certificate's subjectAltName, any given certificate is
    an anchor, and certificates need no more extensions than they did in the past.

    Raises ssl.SSLError when the text holds no certificate.
    """
    text = certificate_authority
    if text:
        # What stands around certificates (openssl's own description, say) is not part of them.
        text = text.encode("ascii", "ignore").decode()
        if "-----BEGIN CERTIFICATE-----" not in text:
            raise ssl.SSLError("no certificate")
    context = ssl.create_default_context(cadata=text)
    context.hostname_checks_common_name = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.sslsocket_class = DeadlineSocket
    return context
