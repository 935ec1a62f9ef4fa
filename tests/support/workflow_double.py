"""Temporal and Cadence on the wire, as far as they are asked for a namespace or domain."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from madeploy.sandbox.pki import Authority


@contextlib.contextmanager
def engine_double(known: Collection[bytes], tls: Path | None = None) -> Iterator[int]:
    """Start an engine that knows these names; by TLS with a certificate in the folder `tls`, if one is given.
    Gives its port."""
    import grpc

    class Handler(grpc.GenericRpcHandler):
        def service(self, details: Any) -> Any:
            def describe(request: bytes, context: Any) -> bytes:
                given = dict(context.invocation_metadata())
                if "DomainAPI" in details.method and given.get("rpc-service") != "cadence-frontend":
                    context.abort(grpc.StatusCode.INVALID_ARGUMENT, "missing headers")
                if request[2:] not in known:
                    context.abort(grpc.StatusCode.NOT_FOUND, "no such thing")
                return b""

            return grpc.unary_unary_rpc_method_handler(describe)

    server = grpc.server(ThreadPoolExecutor(2), handlers=[Handler()])
    if tls is None:
        port = server.add_insecure_port("127.0.0.1:0")
    else:
        pair = Authority(tls, "ca", "engine").server("engine", "engine", ("127.0.0.1",))
        secured = grpc.ssl_server_credentials([(pair.key.read_bytes(), pair.certificate.read_bytes())])
        port = server.add_secure_port("127.0.0.1:0", secured)
    server.start()
    try:
        yield port
    finally:
        server.stop(0).wait()
