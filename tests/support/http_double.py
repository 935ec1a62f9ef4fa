"""A plain HTTP server whose answers are a function: what a registry or AWS says on the wire."""

from __future__ import annotations

import contextlib
import http.server
from collections.abc import Callable, Iterator
from typing import Any

from tests.support.http_servers import HttpServer, served

Answer = tuple[int, dict[str, str], bytes]
"""Status, headers and body."""

Answering = Callable[[str, str, dict[str, str], bytes], Answer]
"""Gives the answer to a method, a path with its query, headers in lower case, and a body."""


class AnyMethod(http.server.BaseHTTPRequestHandler):
    """A handler of HTTP/1.1 that answers every method alike, by `_any`, and logs nothing."""

    protocol_version = "HTTP/1.1"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self._any
        raise AttributeError(name)

    def _any(self) -> None:
        raise NotImplementedError

    def body(self) -> bytes:
        """What came with the request."""
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


@contextlib.contextmanager
def http_double(answer: Answering) -> Iterator[str]:
    """Start it on a free port of this machine; gives `127.0.0.1:port`."""

    class Handler(AnyMethod):
        def _any(self) -> None:
            given = {name.lower(): value for name, value in self.headers.items()}
            status, headers, data = answer(self.command, self.path, given, self.body())
            self.send_response_only(status)
            for name, value in {"Content-Length": str(len(data)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)

    class Server(HttpServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that goes away in the middle is none of the server's business."""

    server = Server(("127.0.0.1", 0), Handler)
    with served(server):
        yield f"127.0.0.1:{server.server_address[1]}"
