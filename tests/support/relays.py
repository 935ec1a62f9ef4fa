"""Addresses of one API server that may each die by themselves: bytes are passed on, TLS and all."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
from collections.abc import Iterator

from tests.support.http_servers import TcpServer

HOST = "127.0.0.1"
_CHUNK = 65536


class Relay(TcpServer):
    """One address that leads to a server, until it refuses, or takes connections and says nothing.

    Args:
        backend: host and port of the server.
    """

    block_on_close = False
    request_queue_size = 64

    def __init__(self, backend: tuple[str, int]) -> None:
        super().__init__((HOST, 0), _Passed)
        self.backend = backend
        self.is_silent = False
        self.over = threading.Event()
        self._held: set[socket.socket] = set()
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def url(self) -> str:
        """Its address, as a kubeconfig has it."""
        return f"https://{HOST}:{self.server_address[1]}"

    def hold(self, connection: socket.socket) -> None:
        """Remember a connection, to be ended with the address."""
        self._held.add(connection)

    def silence(self) -> None:
        """Say nothing any more; connections that there are end."""
        self.is_silent = True
        self._end_connections()

    def speak(self) -> None:
        """Pass everything on again."""
        self.is_silent = False

    def refuse(self) -> None:
        """Take no connection any more; those that there are end."""
        self.over.set()
        self.shutdown()
        self.server_close()
        self._end_connections()

    def _end_connections(self) -> None:
        for connection in [*self._held]:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Passed(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        relay = self.server
        assert isinstance(relay, Relay)
        if relay.is_silent:
            relay.over.wait()
            return
        with socket.create_connection(relay.backend) as there:
            relay.hold(self.request)
            back = threading.Thread(target=_pass, args=(there, self.request), daemon=True)
            back.start()
            _pass(self.request, there)
            back.join()


def _pass(source: socket.socket, target: socket.socket) -> None:
    """Pass everything on until one of them ends."""
    with contextlib.suppress(OSError):
        while data := source.recv(_CHUNK):
            target.sendall(data)
    for each in (source, target):
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def relays(backend: tuple[str, int], count: int) -> Iterator[list[Relay]]:
    """So many addresses of one server."""
    made = [Relay(backend) for _ in range(count)]
    try:
        yield made
    finally:
        for each in made:
            each.refuse()
