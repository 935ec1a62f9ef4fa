"""A gRPC server built from nothing but a descriptor set, in the place of the API server."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from grpc_reflection.v1alpha import reflection

from madeploy.descriptors.sets import in_order
from tests.support.grpc_servers import listening

ERRORS = {
    "missing": (grpc.StatusCode.NOT_FOUND, "there is no such object"),
    "forbidden": (grpc.StatusCode.PERMISSION_DENIED, "not for you"),
    "broken": (grpc.StatusCode.INVALID_ARGUMENT, "spec is not valid"),
}
"""What a request for an object of this name is answered with."""


class _Described(grpc.GenericRpcHandler):
    """Answers every method of every service: with an error for the names above, else with what the request
    and the answer have in common, an object's `metadata` included."""

    def __init__(self, content: bytes) -> None:
        self.pool = descriptor_pool.DescriptorPool()
        found = FileDescriptorSet.FromString(content)
        for file in in_order(found):
            self.pool.AddSerializedFile(file.SerializeToString())
        self.services = [f"{file.package}.{service.name}" for file in found.file for service in file.service]
        self.calls: list[dict[str, str]] = []

    def service(self, details: Any) -> Any:
        service, _, name = details.method.strip("/").partition("/")
        if service not in self.services:
            return None
        method = self.pool.FindServiceByName(service).FindMethodByName(name)
        request = message_factory.GetMessageClass(method.input_type)
        answer = message_factory.GetMessageClass(method.output_type)

        def handle(message: Any, context: grpc.ServicerContext) -> Any:
            self.calls.append({key: str(value) for key, value in context.invocation_metadata()})
            given = getattr(message, "name", "")
            if given in ERRORS:
                context.abort(*ERRORS[given])
            return _filled(answer(), message)

        return grpc.unary_unary_rpc_method_handler(
            handle, request.FromString, lambda message: message.SerializeToString()
        )


def _filled(answer: Any, request: Any) -> Any:
    for field in answer.DESCRIPTOR.fields:
        if field.type == field.TYPE_STRING and field.label != field.LABEL_REPEATED:
            setattr(answer, field.name, getattr(request, field.name, f"the-{field.name}"))
        elif field.message_type is not None and "metadata" in field.message_type.fields_by_name:
            metadata = getattr(answer, field.name).metadata
            metadata.name, metadata.namespace = request.name, request.namespace
    return answer


@contextlib.contextmanager
def described_server(content: bytes, *, with_reflection: bool = False) -> Iterator[tuple[int, _Described]]:
    """Start the server on a free port of this machine, plaintext HTTP/2; gives the port and the handler,
    which notes each call's headers."""
    handler = _Described(content)
    server = grpc.server(ThreadPoolExecutor(max_workers=4), handlers=[handler])
    if with_reflection:
        reflection.enable_server_reflection(handler.services, server, handler.pool)
    with listening(server) as port:
        yield port, handler
