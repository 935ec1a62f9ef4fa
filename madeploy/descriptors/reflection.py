"""The descriptor set of a running API server, asked for by gRPC's server reflection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from madeploy.descriptors.sets import DescriptorError, in_order
from madeploy.errors import ToolkitError
from madeploy.settings.base import split_host_port

METADATA: Final = (
    ("rpc-caller", "madeploy"),
    ("rpc-service", "ma-apiserver"),
    ("rpc-encoding", "proto"),
)
"""Headers without which the platform's RPC layer refuses a call (facts 7.1)."""

TIMEOUT_SECONDS: Final = 30.0
MAX_MESSAGE: Final = 8 * 1024 * 1024
MAX_FILES: Final = 2000
"""Files of a set; the platform's has about 60."""


def from_api(
    address: str, services: Iterable[str], *, plaintext: bool, authorities: Path | None = None
) -> bytes:
    """Serialized set of every file that describes `services` (full names), with what those import.

    Args:
        address: `host:port` of the API server's front door, or of a forwarded port.
        plaintext: HTTP/2 without TLS, as the API server itself speaks.
        authorities: PEM file of authorities to trust; by default the system's.

    Raises ToolkitError when the server does not answer, has no reflection, or does not know a service.
    """
    import grpc
    from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

    try:
        split_host_port(address)
    except ValueError as error:
        raise ToolkitError(f"{address} {error}", "", "Write host:port.", exit_code=2) from None
    options = [("grpc.max_receive_message_length", MAX_MESSAGE)]
    if plaintext:
        channel = grpc.insecure_channel(address, options)
    else:
        trusted = authorities.read_bytes() if authorities is not None else None
        channel = grpc.secure_channel(address, grpc.ssl_channel_credentials(trusted), options)
    files: dict[str, Any] = {}
    with channel:
        try:
            pending = [("symbol", name) for name in services]
            while pending:
                before = len(files)
                for content in _ask(channel, pending):
                    file = FileDescriptorProto.FromString(content)
                    files.setdefault(file.name, file)
                lacking = {name for file in files.values() for name in file.dependency} - files.keys()
                pending = [("file", name) for name in sorted(lacking)]
                if len(files) > MAX_FILES or (pending and len(files) == before):
                    why = f"{len(files)} files so far, and {len(pending)} more that they import"
                    raise ToolkitError(f"{address} describes its services without an end", why, "")
        except grpc.RpcError as error:
            raise _unreachable(address, error, plaintext) from None
    found = FileDescriptorSet(file=[files[name] for name in sorted(files)])
    try:
        # Envoy takes the files as they come, and stops at one before those it imports.
        ordered = FileDescriptorSet(file=list(in_order(found)))
    except DescriptorError as error:
        raise ToolkitError(f"what {address} describes cannot be used", f"it {error}", "") from None
    return bytes(ordered.SerializeToString(deterministic=True))


def _ask(channel: Any, wanted: Iterable[tuple[str, str]]) -> Iterator[bytes]:
    """Serialized files for symbols and names, in one stream of requests."""
    from grpc_reflection.v1alpha import reflection_pb2 as wire
    from grpc_reflection.v1alpha import reflection_pb2_grpc

    requests = [
        wire.ServerReflectionRequest(file_containing_symbol=name)
        if kind == "symbol"
        else wire.ServerReflectionRequest(file_by_filename=name)
        for kind, name in wanted
    ]
    stub = reflection_pb2_grpc.ServerReflectionStub(channel)
    answers = stub.ServerReflectionInfo(iter(requests), metadata=METADATA, timeout=TIMEOUT_SECONDS)
    for request, answer in zip(requests, answers, strict=False):
        if answer.HasField("error_response"):
            name = request.file_containing_symbol or request.file_by_filename
            raise ToolkitError(
                f"the API server does not describe {name}",
                answer.error_response.error_message,
                "Ask the API server of the deployed release; an earlier one does not serve all of them.",
            )
        yield from answer.file_descriptor_response.file_descriptor_proto


def _unreachable(address: str, error: Any, plaintext: bool) -> ToolkitError:
    code = error.code().name
    if code == "UNIMPLEMENTED":
        fix = "Ask the API's own host (domains.api) or a forwarded port; the application's has no reflection."
    else:
        other = "without --plaintext" if plaintext else "with --plaintext"
        fix = (
            f"Check the address; a front door speaks TLS on port 443. Or try {other}, or forward a port:\n"
            "kubectl -n ma-system port-forward service/michelangelo-apiserver 15566:15566\n"
            "and ask 127.0.0.1:15566 with --plaintext."
        )
    return ToolkitError(f"{address} does not answer by gRPC reflection", f"{code}: {error.details()}", fix)
