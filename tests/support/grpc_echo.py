"""A gRPC server that answers any method with what it was sent, in the place of the API server."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc

from tests.support.grpc_servers import listening

MAX_MESSAGE = 8 * 1024 * 1024


class _Echo(grpc.GenericRpcHandler):
    """By the method's last part: `Metadata` answers the request's headers as JSON, `Fail` ends with
    PERMISSION_DENIED, `Slow` sleeps for 5 s first, `Stream` sends the message three times; everything else
    sends it back."""

    def service(self, handler_call_details: Any) -> Any:
        method = handler_call_details.method.rpartition("/")[2]
        if method == "Stream":
            return grpc.unary_stream_rpc_method_handler(_stream)
        known = {"Metadata": _metadata, "Fail": _fail, "Slow": _slow}
        return grpc.unary_unary_rpc_method_handler(known.get(method, _echo))


def _echo(request: bytes, context: grpc.ServicerContext) -> bytes:
    return request


def _metadata(request: bytes, context: grpc.ServicerContext) -> bytes:
    pairs = {key: value for key, value in context.invocation_metadata() if isinstance(value, str)}
    return json.dumps(pairs).encode()


def _fail(request: bytes, context: grpc.ServicerContext) -> bytes:
    context.abort(grpc.StatusCode.PERMISSION_DENIED, "not for you")
    raise AssertionError("abort does not return")


def _slow(request: bytes, context: grpc.ServicerContext) -> bytes:
    deadline = time.monotonic() + 5
    while context.is_active() and time.monotonic() < deadline:
        time.sleep(0.05)
    return request


def _stream(request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
    for _ in range(3):
        yield request


@contextlib.contextmanager
def echo_server() -> Iterator[int]:
    """Start the server on a free port of this machine, plaintext HTTP/2 as the API server's; gives the
    port."""
    options = [
        ("grpc.max_receive_message_length", MAX_MESSAGE),
        ("grpc.max_send_message_length", MAX_MESSAGE),
    ]
    server = grpc.server(ThreadPoolExecutor(max_workers=8), handlers=[_Echo()], options=options)
    with listening(server) as port:
        yield port
