"""Servers that misbehave: in front of a real API server, with a certificate of its own authority, or all by
themselves."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import urllib3

from madeploy.sandbox.pki import Authority, Pair
from tests.support.http_double import AnyMethod
from tests.support.http_servers import HttpServer, served

Fault = Literal["none", "throttled", "error", "slow", "drip", "silent"]
"""What a proxy does with a request: pass it on, answer 429, answer 500, wait, answer a byte at a time, never
answer."""

BYTE_SECONDS = 0.2
HOST = "127.0.0.1"


@dataclass
class Proxy:
    """A proxy under way; `fault` may be changed at any time."""

    port: int
    fault: Fault = "none"
    times: int = -1
    """Requests the fault is still for; without end when negative."""

    served: list[str] = field(default_factory=list)
    """Method and path of every request, in order."""

    @property
    def server(self) -> str:
        """Its address."""
        return f"https://{HOST}:{self.port}"

    def next(self) -> Fault:
        """The fault for one more request."""
        if self.times == 0:
            return "none"
        self.times -= 1
        return self.fault


def serving_pair(pki: Path, *hosts: str) -> Pair:
    """A serving certificate for `hosts`, signed by the authority of an embedded cluster."""
    authority = Authority(pki, "ca", "not made anew")
    return authority.server("fault-" + "-".join(hosts).replace(":", "-"), "faults", hosts)


@contextlib.contextmanager
def fault_proxy(backend: str, pki: Path, fault: Fault = "none", *hosts: str) -> Iterator[Proxy]:
    """An HTTPS server before the API server at `backend`, with a certificate of the same authority for
    `hosts` (127.0.0.1)."""
    authority = pki / "ca.crt"
    pool = urllib3.PoolManager(ca_certs=str(authority), retries=False, maxsize=8)
    pair = serving_pair(pki, *(hosts or (HOST,)))

    class Handler(AnyMethod):
        def _any(self) -> None:
            body = self.body() or None
            proxy.served.append(f"{self.command} {self.path}")
            chosen = proxy.next()
            if chosen == "throttled":
                self._answer(429, b'{"kind":"Status","message":"too many requests"}', [("Retry-After", "0")])
            elif chosen == "error":
                self._answer(500, b'{"kind":"Status","message":"etcd is gone"}', [("Retry-After", "0")])
            elif chosen == "silent":
                ended.wait(60)
            else:
                self._pass_on(body, chosen)

        def _pass_on(self, body: bytes | None, chosen: Fault) -> None:
            kept = {
                name: value
                for name, value in self.headers.items()
                if name in ("Authorization", "Content-Type", "Accept")
            }
            if chosen == "slow":
                ended.wait(1)
            answer = pool.request(self.command, backend + self.path, body=body, headers=kept)
            passed = [name for name in ("Date", "Content-Type") if name in answer.headers]
            headers = [(name, answer.headers[name]) for name in passed]
            self._answer(answer.status, answer.data, headers, drip=chosen == "drip")

        def _answer(
            self, status: int, data: bytes, headers: list[tuple[str, str]], drip: bool = False
        ) -> None:
            self.send_response_only(status)
            for name, value in [*headers, ("Content-Length", str(len(data)))]:
                self.send_header(name, value)
            self.end_headers()
            if not drip:
                self.wfile.write(data)
                return
            for byte in data:
                if ended.wait(BYTE_SECONDS):
                    return
                try:
                    self.wfile.write(bytes([byte]))
                    self.wfile.flush()
                except OSError:
                    return

    ended = threading.Event()
    server = HttpServer((HOST, 0), Handler)
    server.secure(pair.certificate, pair.key)
    proxy = Proxy(server.server_address[1], fault)
    with served(server):
        try:
            yield proxy
        finally:
            ended.set()


@contextlib.contextmanager
def bare_server(habit: Literal["silent", "reset", "text"]) -> Iterator[int]:
    """A TCP server that is no API server: accepts and says nothing, ends every connection, or greets in
    plain text. Gives its port."""
    listener = socket.create_server((HOST, 0))
    ended = threading.Event()
    held: list[socket.socket] = []

    def serve() -> None:
        while not ended.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            if habit == "reset":
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                time.sleep(0.01)
                connection.close()
            else:
                if habit == "text":
                    with contextlib.suppress(OSError):
                        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\nplain text only\r\n")
                held.append(connection)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        ended.set()
        listener.close()
        for connection in held:
            connection.close()


@contextlib.contextmanager
def black_hole() -> Iterator[int]:
    """A port that takes no connection and refuses none: its queue is full. Gives the port."""
    listener = socket.socket()
    listener.bind((HOST, 0))
    listener.listen(0)
    filling = []
    for _ in range(4):
        one = socket.socket()
        one.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            one.connect(listener.getsockname())
        filling.append(one)
    try:
        yield listener.getsockname()[1]
    finally:
        for one in filling:
            one.close()
        listener.close()
