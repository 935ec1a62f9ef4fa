"""HTTP servers of tests: each in a thread, ended with the test."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from socketserver import BaseServer

ACCEPT_SECONDS = 1.0


class HttpServer(ThreadingHTTPServer):
    """A server that no caller brings to a standstill: one may be gone between the moment it is seen and that
    in which it is taken (accept(2)), which without a limit waits for the next one, and `shutdown` with it."""

    daemon_threads = True

    def server_activate(self) -> None:
        super().server_activate()
        self.socket.settimeout(ACCEPT_SECONDS)


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
