"""gRPC-Web as a browser speaks it: binary frames over HTTP/1.1 (gRPC-Web protocol specification)."""

from __future__ import annotations

import http.client
import socket
import ssl
import struct
from collections.abc import Mapping
from dataclasses import dataclass

UI_HEADERS = {
    "content-type": "application/grpc-web+proto",
    "x-grpc-web": "1",
    "context-ttl-ms": "10000",
    "grpc-timeout": "1000000m",
    "rpc-caller": "ma-studio",
    "rpc-encoding": "proto",
    "rpc-service": "ma-apiserver",
}
"""What the browser application sends with every call (facts 1.1)."""


@dataclass(frozen=True)
class Answer:
    """An answered call."""

    status: int
    headers: Mapping[str, str]
    messages: tuple[bytes, ...]
    trailers: Mapping[str, str]

    def grpc_status(self) -> str | None:
        """`grpc-status`, from the trailers or, of an answer that is nothing but trailers, the headers."""
        return self.trailers.get("grpc-status", self.headers.get("grpc-status"))


def connect(
    port: int, tls: ssl.SSLContext | None = None, host: str = "localhost"
) -> http.client.HTTPConnection:
    """A connection to this machine; with TLS its certificate has to be `host`'s."""
    connection = http.client.HTTPConnection(host, port, timeout=30)
    plain = socket.create_connection(("127.0.0.1", port), timeout=30)
    # As `http.client` does for its own: head and body are two writes.
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.sock = plain if tls is None else tls.wrap_socket(plain, server_hostname=host)
    return connection


def call(
    connection: http.client.HTTPConnection,
    method: str,
    message: bytes,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """POST one message to `/michelangelo.api.v2.<method>` and read the answer to its end. An answer that is
    not gRPC-Web, such as a proxy's own, has neither messages nor trailers."""
    frame = b"\0" + struct.pack(">I", len(message)) + message
    connection.request("POST", f"/michelangelo.api.v2.{method}", frame, {**UI_HEADERS, **(headers or {})})
    response = connection.getresponse()
    body = response.read()
    found = {key.lower(): value for key, value in response.getheaders()}
    is_grpc_web = found.get("content-type", "").startswith("application/grpc-web")
    messages, trailers = _frames(body if is_grpc_web else b"")
    return Answer(response.status, found, messages, trailers)


def preflight(connection: http.client.HTTPConnection, origin: str) -> tuple[int, dict[str, str]]:
    """Ask, as a browser does for a page of `origin`, whether a call is allowed: status and headers."""
    asked = ",".join(sorted({*UI_HEADERS, "x-user-agent"}))
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": asked,
    }
    connection.request("OPTIONS", "/michelangelo.api.v2.ProjectService/ListProject", headers=headers)
    response = connection.getresponse()
    response.read()
    return response.status, {key.lower(): value for key, value in response.getheaders()}


def _frames(body: bytes) -> tuple[tuple[bytes, ...], dict[str, str]]:
    messages, trailers = [], {}
    while body:
        kind, length = struct.unpack(">BI", body[:5])
        data, body = body[5 : 5 + length], body[5 + length :]
        assert len(data) == length, "the last frame is cut off"
        if kind & 0x80:
            lines = data.decode().strip().split("\r\n")
            trailers = dict(line.lower().split(":", 1) for line in lines)
        else:
            messages.append(data)
    return tuple(messages), trailers
