"""Why a call to a live system failed, as one of a few kinds that a person can act on."""

from __future__ import annotations

import socket
import ssl
from typing import Literal

import urllib3

Cause = Literal[
    "dns",
    "refused",
    "timeout",
    "reset",
    "tlsAuthority",
    "tlsName",
    "tls",
    "unauthorized",
    "forbidden",
    "notFound",
    "conflict",
    "invalid",
    "throttled",
    "server",
]
"""`dns` to `tls`: there was no answer, and where it ended. The rest: what the server answered (401, 403,
404, 409, 400/422 and other client errors, 429, 5xx)."""

UNREACHABLE: frozenset[Cause] = frozenset(
    {"dns", "refused", "timeout", "reset", "tlsAuthority", "tlsName", "tls"}
)
"""Causes for which nothing is known of the server but that it cannot be talked to."""

_TEXT: dict[Cause, str] = {
    "dns": "its host name does not resolve",
    "refused": "nothing listens at its port",
    "timeout": "it does not answer in time",
    "reset": "it ended the connection",
    "tlsAuthority": "its certificate is not signed by the given authority",
    "tlsName": "its certificate is for another name",
    "tls": "no TLS connection came about",
    "unauthorized": "the credential is not accepted (401)",
    "forbidden": "the credential's holder may not do this (403)",
    "notFound": "there is no such thing (404)",
    "conflict": "another writer was there first (409)",
    "invalid": "the request was refused",
    "throttled": "it asks for fewer requests (429)",
    "server": "it failed by itself (5xx)",
}


class ClientError(Exception):
    """A call that failed. Its text names the server and the kind of failure, never a credential.

    Attributes:
        server: what was called, `https://host:port`.
        cause: the kind of failure.
        status: HTTP status; None when there was no answer.
        message: what the server said, "" when it said nothing.
        reason: the kind of failure and the message, as a phrase about the server.
    """

    def __init__(self, server: str, cause: Cause, message: str = "", status: int | None = None) -> None:
        self.reason = _TEXT[cause] + (f": {message}" if message else "")
        super().__init__(f"{server}: {self.reason}")
        self.server = server
        self.cause: Cause = cause
        self.message = message
        self.status = status

    @property
    def is_unreachable(self) -> bool:
        """Whether the server could not be talked to at all."""
        return self.cause in UNREACHABLE


def cause_of_status(status: int) -> Cause:
    """The kind of failure that an HTTP status of 400 or more stands for."""
    known: dict[int, Cause] = {401: "unauthorized", 403: "forbidden", 404: "notFound", 409: "conflict"}
    if status in known:
        return known[status]
    if status == 429:
        return "throttled"
    return "server" if status >= 500 else "invalid"


def cause_of_exception(error: BaseException) -> Cause:
    """The kind of failure behind an exception of urllib3, looked for down its chain of causes."""
    seen: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in seen:
        seen.append(current)
        if isinstance(current, urllib3.exceptions.MaxRetryError) and current.reason is not None:
            current = current.reason
        else:
            current = current.__cause__ or current.__context__ or _argument(current)
    for item in reversed(seen):
        if isinstance(item, ssl.SSLCertVerificationError):
            # 62: hostname mismatch, 64: IP address mismatch (OpenSSL, x509_vfy.h).
            return "tlsName" if item.verify_code in (62, 64) else "tlsAuthority"
    for item in reversed(seen):
        if isinstance(item, (socket.gaierror, urllib3.exceptions.NameResolutionError)):
            return "dns"
        if isinstance(item, ConnectionRefusedError):
            return "refused"
        if isinstance(item, (TimeoutError, urllib3.exceptions.TimeoutError)):
            return "timeout"
        if isinstance(item, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
            return "reset"
        if isinstance(item, (ssl.SSLError, urllib3.exceptions.SSLError)):
            return "tls"
    return "reset"


def _argument(error: BaseException) -> BaseException | None:
    inner = error.args[-1] if error.args else None
    return inner if isinstance(inner, BaseException) else None
