"""Servers of gRPC on this machine."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import grpc


@contextlib.contextmanager
def listening(server: grpc.Server) -> Iterator[int]:
    """Start a server on a free port, plaintext HTTP/2 as the API server's; gives the port."""
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield port
    finally:
        server.stop(grace=0).wait()
