"""HTTP servers of tests: each in a thread, ended with the test."""

from __future__ import annotations

import contextlib
import ssl
import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from socketserver import BaseServer, ThreadingTCPServer

ACCEPT_SECONDS = 1.0


class TcpServer(ThreadingTCPServer):
    """A server that no caller brings to a standstill: one may be gone between the moment it is seen and that
    in which it is taken (accept(2)), which without a limit waits for the next one, and `shutdown` with it."""

    daemon_threads = True

    def server_activate(self) -> None:
        super().server_activate()
        self.socket.settimeout(ACCEPT_SECONDS)


class HttpServer(TcpServer, ThreadingHTTPServer):
    """Such a server of HTTP."""

    def secure(self, certificate: Path, key: Path) -> None:
        """Serve by TLS, with these PEM files; each connection's handshake is its own thread's."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)


@contextlib.contextmanager
def served(server: BaseServer) -> Iterator[None]:
    """Serve in a thread until the end."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
