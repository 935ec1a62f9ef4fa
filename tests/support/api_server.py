"""What the platform's API server shows on the wire, and no more of it (facts 7.1)."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc

from tests.support.grpc_servers import listening

LIST_CLUSTERS = "/michelangelo.api.v2.ClusterService/ListCluster"
GET_CLUSTER = "/michelangelo.api.v2.ClusterService/GetCluster"
REFLECTION = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"

HEADERS = (("rpc-caller", "grpcurl"), ("rpc-service", "ma-apiserver"), ("rpc-encoding", "proto"))
"""What every call has to carry; values as the platform's command line sends them (facts 7.2)."""

_NO_DEADLINE = 10 * 365 * 24 * 3600.0


def _field(number: int, value: bytes) -> bytes:
    """A field of a protobuf message, shorter than 128 bytes."""
    return bytes([number << 3 | 2, len(value)]) + value


IN_NAMESPACE = _field(1, b"ma-system")
"""A request, in protobuf's encoding."""

CLUSTERS = _field(1, b"".join(_field(2, _field(1, name)) for name in (b"cpu-east", b"gpu-west")))
"""An answer: names in lists in a message. Nothing on the way reads it; it has to arrive as it is."""


class _ApiServer(grpc.GenericRpcHandler):
    """Lists clusters; `GetCluster` answers after as many seconds of silence as its request says; reflection
    answers each message with itself. Nothing else is implemented."""

    def service(self, handler_call_details: Any) -> Any:
        method = handler_call_details.method
        if method == REFLECTION:
            return grpc.stream_stream_rpc_method_handler(_reflect)
        known = {LIST_CLUSTERS: _list, GET_CLUSTER: _get}
        return grpc.unary_unary_rpc_method_handler(known[method]) if method in known else None


def _admit(context: grpc.ServicerContext) -> None:
    """Refuse a call as YARPC does: for a header that is missing or empty, or for want of a deadline."""
    given = dict(context.invocation_metadata())
    missing = [key for key, _ in HEADERS if not given.get(key)]
    if missing:
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"missing {', '.join(missing)}")
    if context.time_remaining() > _NO_DEADLINE:
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, "missing TTL")


def _list(request: bytes, context: grpc.ServicerContext) -> bytes:
    _admit(context)
    return CLUSTERS


def _get(request: bytes, context: grpc.ServicerContext) -> bytes:
    _admit(context)
    end = time.monotonic() + float(request)
    while context.is_active() and time.monotonic() < end:
        time.sleep(0.02)
    return request


def _reflect(requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
    _admit(context)
    yield from requests


@contextlib.contextmanager
def api_server() -> Iterator[int]:
    """Start the server on a free port of this machine, plaintext HTTP/2; gives the port."""
    server = grpc.server(ThreadPoolExecutor(max_workers=8), handlers=[_ApiServer()])
    with listening(server) as port:
        yield port
