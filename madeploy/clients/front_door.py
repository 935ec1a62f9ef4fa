"""The platform's front door as its clients meet it: TLS, HTTP/1.1 as browsers speak it, gRPC as SDKs do."""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from madeploy.clients.deadline import client_context
from madeploy.clients.errors import ClientError, cause_of_exception

SECONDS: Final = 8.0
_GRPC_WEB: Final = "application/grpc-web+proto"


@dataclass(frozen=True)
class Door:
    """One public host, and where it is asked."""

    host: str
    """Name in the certificate, in HTTP's Host and in gRPC's authority."""

    address: tuple[str, int]
    """Where connections go: the host itself and 443, unless somebody says otherwise."""

    authorities: str = ""
    """PEM text of authorities that are trusted besides the system's."""

    def __str__(self) -> str:
        address, port = self.address
        return f"https://{self.host}" + ("" if self.address == (self.host, 443) else f" at {address}:{port}")


@dataclass(frozen=True)
class Shown:
    """Result of a TLS handshake with a front door."""

    certificate: bytes
    """DER of its certificate."""

    protocol: str
    """What was agreed on by ALPN: `h2`, `http/1.1` or nothing."""

    distrust: str
    """Why a client does not trust it; empty where one does."""


@dataclass(frozen=True)
class Response:
    """An answer over HTTP/1.1."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""

    body: bytes


def greet(door: Door) -> Shown:
    """Greet a door by TLS, once as a client that trusts nobody blindly, and once more to see what it shows if
    that one hangs up. Raises ClientError where there is no TLS at all."""
    try:
        with _secured(door, _context(door)) as connection:
            return Shown(_certificate(connection), connection.selected_alpn_protocol() or "", "")
    except ssl.SSLCertVerificationError as error:
        distrust = error.verify_message or "its certificate is not trusted"
    except OSError as error:
        raise ClientError(str(door), cause_of_exception(error)) from None
    context = _context(door)
    context.check_hostname = False
    # Only looked at: nothing is sent, and nothing that it says is believed.
    context.verify_mode = ssl.CERT_NONE
    try:
        with _secured(door, context) as connection:
            return Shown(_certificate(connection), connection.selected_alpn_protocol() or "", distrust)
    except OSError as error:
        raise ClientError(str(door), cause_of_exception(error)) from None


def ask(
    door: Door, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes = b""
) -> Response:
    """One request over HTTP/1.1. Raises ClientError."""
    host, port = door.address
    connection = http.client.HTTPSConnection(host, port, timeout=SECONDS)
    try:
        connection.sock = _secured(door, _context(door, ("http/1.1",)))
        connection.request(method, path, body or None, {"Host": door.host, **(headers or {})})
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return Response(answer.status, found, answer.read())
    except (OSError, http.client.HTTPException) as error:
        raise ClientError(str(door), cause_of_exception(error)) from None
    finally:
        connection.close()


def grpc_web(door: Door, path: str, message: bytes, headers: Mapping[str, str]) -> tuple[int, str]:
    """A unary call as a browser makes it: HTTP status and gRPC's, with its message; -1 where the answer is no
    gRPC-Web (gRPC-Web protocol specification). Raises ClientError."""
    frame = b"\0" + struct.pack(">I", len(message)) + message
    sent = {"Content-Type": _GRPC_WEB, "X-Grpc-Web": "1", **headers}
    answer = ask(door, "POST", path, sent, frame)
    trailers = dict(answer.headers)
    if answer.headers.get("content-type", "").startswith("application/grpc-web"):
        trailers |= _trailers(answer.body)
    status = trailers.get("grpc-status", "")
    if not status.isdigit():
        return -1, f"HTTP {answer.status} without a gRPC status"
    return int(status), trailers.get("grpc-message", "")


def grpc_call(door: Door, path: str, message: bytes, headers: Mapping[str, str]) -> tuple[str, str]:
    """A unary call as an SDK makes it: name of its status, and its message."""
    # Half a second to import, which only who asks a front door should wait for.
    import grpc

    host, port = door.address
    roots = _authorities(door)
    options = [
        ("grpc.ssl_target_name_override", door.host),
        ("grpc.default_authority", door.host),
        ("grpc.enable_http_proxy", 0),
    ]
    credentials = grpc.ssl_channel_credentials(roots)
    channel = grpc.secure_channel(f"{host}:{port}", credentials, options)
    with contextlib.closing(channel):
        try:
            channel.unary_unary(path)(message, timeout=SECONDS, metadata=tuple(headers.items()))
        except grpc.RpcError as error:
            return error.code().name, " ".join(str(error.details() or "").split())
    return "OK", ""


def _authorities(door: Door) -> bytes | None:
    """PEM of the system's authorities and those given besides; None for gRPC's own where none are given."""
    if not door.authorities:
        return None
    context = ssl.create_default_context()
    system = [ssl.DER_cert_to_PEM_cert(der) for der in context.get_ca_certs(binary_form=True)]
    return "".join([*system, door.authorities]).encode()


def _context(door: Door, protocols: tuple[str, ...] = ("h2", "http/1.1")) -> ssl.SSLContext:
    context = client_context()
    if door.authorities:
        context.load_verify_locations(cadata=door.authorities)
    context.set_alpn_protocols(list(protocols))
    return context


def _secured(door: Door, context: ssl.SSLContext) -> ssl.SSLSocket:
    plain = socket.create_connection(door.address, timeout=SECONDS)
    try:
        return context.wrap_socket(plain, server_hostname=door.host)
    except OSError:
        plain.close()
        raise


def _certificate(connection: ssl.SSLSocket) -> bytes:
    return connection.getpeercert(binary_form=True) or b""


def _trailers(body: bytes) -> dict[str, str]:
    """Trailers in the last frame of an answer."""
    while len(body) >= 5:
        kind, length = struct.unpack(">BI", body[:5])
        data, body = body[5 : 5 + length], body[5 + length :]
        if kind & 0x80:
            lines = data.decode("utf-8", "replace").split("\r\n")
            pairs = (line.partition(":") for line in lines if ":" in line)
            return {name.strip().lower(): value.strip() for name, _, value in pairs}
    return {}
