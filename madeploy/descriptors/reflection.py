"""The descriptor set of a running API server, asked for by gRPC's server reflection."""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from madeploy.clients.deadline import client_context
from madeploy.descriptors.sets import DescriptorError, in_order
from madeploy.errors import ToolkitError, UsageError
from madeploy.settings.base import split_host_port

METADATA: Final = (
    ("rpc-caller", "madeploy"),
    ("rpc-service", "ma-apiserver"),
    ("rpc-encoding", "proto"),
)
"""Headers without which the platform's RPC layer refuses a call (facts 7.1)."""

TIMEOUT_SECONDS: Final = 30.0
_CAUSES: Final = (
    (
        "CERTIFICATE_VERIFY_FAILED",
        "its certificate is of no authority that is trusted here",
        "Name the authority with --ca FILE.",
    ),
    (
        "Hostname Verification Check failed",
        "its certificate is for another host",
        "Ask by the API's own host (domains.api), or name that with --server-name.",
    ),
    ("WRONG_VERSION_NUMBER", "it does not speak TLS", "Try --plaintext."),
    ("Cannot check peer", "it agrees to no HTTP/2, which gRPC needs", "See what its front door admits."),
    ("Connection refused", "nothing listens there", "Check the port; a front door's is 443."),
    ("Domain name not found", "there is no such host", "Check the name, and where it is resolved."),
    ("DNS resolution failed", "its name cannot be resolved", "Check the name, and where it is resolved."),
)
"""What gRPC's messages have in them, what they mean, and what to do."""

MAX_MESSAGE: Final = 8 * 1024 * 1024
MAX_FILES: Final = 2000
"""Files of a set; the platform's has about 60."""


def from_api(
    address: str,
    services: Iterable[str],
    *,
    plaintext: bool,
    authorities: Path | None = None,
    server_name: str | None = None,
) -> bytes:
    """Serialized set of every file that describes `services` (full names), with what those import.

    Args:
        address: `host:port` of the API server's front door, or of a forwarded port.
        plaintext: HTTP/2 without TLS, as the API server itself speaks.
        authorities: PEM file of authorities to trust; by default the system's.
        server_name: host the front door knows the API by, where `address` is a tunnel's; by default the one
            in `address`.

    Raises ToolkitError when the server does not answer, has no reflection, or does not know a service.
    """
    import grpc
    from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
    from google.protobuf.message import DecodeError

    try:
        split_host_port(address)
    except ValueError as error:
        raise UsageError(f"{address} {error}", "", "Write host:port.") from None
    options: list[tuple[str, Any]] = [("grpc.max_receive_message_length", MAX_MESSAGE)]
    if server_name is not None:
        options += [("grpc.ssl_target_name_override", server_name), ("grpc.default_authority", server_name)]
    if plaintext:
        channel = grpc.insecure_channel(address, options)
    else:
        credentials = grpc.ssl_channel_credentials(_trusted(authorities))
        channel = grpc.secure_channel(address, credentials, options)
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
        except DecodeError:
            why = "what it calls a description of a service is none"
            raise ToolkitError(f"{address} does not answer by gRPC reflection", why, "") from None
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


def _trusted(authorities: Path | None) -> bytes | None:
    """Certificates of a PEM file; None for the system's. Raises UsageError where there are none."""
    if authorities is None:
        return None
    try:
        content = authorities.read_bytes()
        # No text would stand for the system's authorities.
        client_context(content.decode("ascii") or "none")
    except OSError as error:
        why = error.strerror or ""
    except (ssl.SSLError, ValueError):
        why = "it holds no certificate in PEM form"
    else:
        return content
    raise UsageError(f"{authorities} cannot be used as --ca", why, "Name a PEM file.")


def _unreachable(address: str, error: Any, plaintext: bool) -> ToolkitError:
    """What gRPC says of a call that came to nothing, in words."""
    code, details = error.code().name, str(error.details())
    forward = (
        "Or forward a port:\n"
        "kubectl -n ma-system port-forward service/michelangelo-apiserver 15566:15566\n"
        "and ask 127.0.0.1:15566 with --plaintext."
    )
    what = f"{address} does not answer by gRPC reflection"
    if code == "UNIMPLEMENTED":
        fix = "Ask the API's own host (domains.api) or a forwarded port; the application's has no reflection."
        return ToolkitError(what, f"{code}: {details}", fix)
    for sign, why, fix in _CAUSES:
        if sign in details:
            return ToolkitError(what, why, f"{fix} {forward}")
    other = "without --plaintext" if plaintext else "with --plaintext"
    fix = f"Check the address; a front door speaks TLS on port 443. Try {other}. {forward}"
    return ToolkitError(what, f"{code}: {details}", fix)
