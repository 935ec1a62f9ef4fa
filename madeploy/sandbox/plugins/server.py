"""The frame of a provider plugin: the gRPC server, the engine's log, errors, cancellation.

The protocol is `pulumirpc.ResourceProvider` of the Pulumi SDK. The engine starts the plugin with its own
address as the only argument, reads the plugin's port from standard output, and sends SIGKILL when it is
done."""

from __future__ import annotations

import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, TypeVar

import grpc
from google.protobuf import any_pb2, empty_pb2
from google.rpc import status_pb2  # type: ignore[import-untyped]
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, plugin_pb2, provider_pb2, provider_pb2_grpc

from madeploy.sandbox.plugins import properties
from madeploy.sandbox.plugins.endpoints import EndpointError

# A wait occupies a thread, and Cancel must still find one: the engine runs at most `--parallel` operations.
THREADS = 256
MESSAGE_BYTES = 400 * 1024 * 1024
ORPHAN_CHECK_SECONDS = 1.0

DEBUG, INFO, WARNING, ERROR = 0, 1, 2, 3


class PluginError(Exception):
    """An operation failed; the text is for the person at the terminal and free of secrets."""


@dataclass
class InitializationError(Exception):
    """The object exists, but is not ready. The engine keeps its state and marks it.

    Args:
        message: what happened.
        id: the object's id.
        state: its outputs as they are now.
        inputs: its inputs where a read found them, else empty.
        reasons: why it is not ready, one sentence each.
    """

    message: str
    id: str
    state: properties.Properties
    inputs: properties.Properties = field(default_factory=dict)
    reasons: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.message


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """What every plugin answers alike. A plugin adds Configure, Check, Diff, Create, Read, Update and Delete.

    Args:
        package: the Pulumi package it serves ("kubernetes").
        version: the version of that package's SDK and official plugin.
    """

    def __init__(self, package: str, version: str) -> None:
        self.package = package
        self.version = version
        self.cancelled = threading.Event()
        self._engine: engine_pb2_grpc.EngineStub | None = None

    def connect(self, address: str) -> None:
        """Send log lines to the engine at `address`."""
        channel = grpc.insecure_channel(address, options=[("grpc.max_send_message_length", MESSAGE_BYTES)])
        self._engine = engine_pb2_grpc.EngineStub(channel)

    def log(self, severity: int, message: str, urn: str = "", status: bool = False) -> None:
        """A line for the person at the terminal; with `status`, one that the next line replaces."""
        if self._engine is None:
            return
        request = engine_pb2.LogRequest(severity=severity, message=message, urn=urn, ephemeral=status)  # type: ignore[arg-type]
        try:
            self._engine.Log(request, timeout=5)
        except grpc.RpcError:
            # The engine is going away; what it would have shown is no reason to fail.
            return

    def Handshake(self, request: Any, context: grpc.ServicerContext) -> Any:
        if request.engine_address and self._engine is None:
            self.connect(request.engine_address)
        return provider_pb2.ProviderHandshakeResponse(
            accept_secrets=True,
            accept_resources=False,
            accept_outputs=False,
            supports_autonaming_configuration=True,
        )

    def configured(self) -> provider_pb2.ConfigureResponse:
        """The answer to a successful Configure."""
        return provider_pb2.ConfigureResponse(
            acceptSecrets=True,
            supportsPreview=True,
            acceptResources=False,
            acceptOutputs=False,
            supports_autonaming_configuration=True,
        )

    def Attach(self, request: Any, context: grpc.ServicerContext) -> empty_pb2.Empty:
        self.connect(request.address)
        return empty_pb2.Empty()

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:
        return plugin_pb2.PluginInfo(version=self.version)

    def GetMapping(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.GetMappingResponse:
        return provider_pb2.GetMappingResponse()

    def GetMappings(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.GetMappingsResponse:
        return provider_pb2.GetMappingsResponse()

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> empty_pb2.Empty:
        self.cancelled.set()
        return empty_pb2.Empty()


Method = TypeVar("Method", bound=Callable[..., Any])


def answering(method: Method) -> Method:
    """Turn exceptions of an RPC method into the errors that the engine understands, without a traceback."""

    @wraps(method)
    def guarded(self: Provider, request: Any, context: grpc.ServicerContext) -> Any:
        try:
            return method(self, request, context)
        except InitializationError as failure:
            context.abort_with_status(_init_failed(failure))
        except (PluginError, EndpointError, properties.UnsupportedValueError) as error:
            context.abort(grpc.StatusCode.UNKNOWN, str(error))
        except Exception as error:
            # The text of an unforeseen exception may quote an input, so only its type and place are told.
            where = traceback.extract_tb(error.__traceback__)[-1]
            context.abort(
                grpc.StatusCode.INTERNAL,
                f"the offline {self.package} plugin failed in {method.__name__}: {type(error).__name__} at "
                f"{os.path.basename(where.filename)}:{where.lineno}. "
                "This is a defect of the sandbox's plugin.",
            )

    return guarded  # type: ignore[return-value]


class _Status(grpc.Status):  # type: ignore[misc]
    def __init__(self, code: grpc.StatusCode, details: str, trailing_metadata: Any) -> None:
        self.code = code
        self.details = details
        self.trailing_metadata = trailing_metadata


def _init_failed(failure: InitializationError) -> grpc.Status:
    detail = provider_pb2.ErrorResourceInitFailed(
        id=failure.id,
        properties=properties.encode(failure.state),
        reasons=[failure.message, *failure.reasons],
        inputs=properties.encode(failure.inputs) if failure.inputs else None,
    )
    packed = any_pb2.Any()
    packed.Pack(detail)
    status = status_pb2.Status(
        code=grpc.StatusCode.UNKNOWN.value[0], message=failure.message, details=[packed]
    )
    return _Status(
        grpc.StatusCode.UNKNOWN,
        failure.message,
        (("grpc-status-details-bin", status.SerializeToString()),),
    )


def serve(provider: Provider, argv: list[str]) -> None:
    """Serve `provider` to the engine whose address is in `argv` until the engine goes away."""
    options = [
        ("grpc.max_receive_message_length", MESSAGE_BYTES),
        ("grpc.max_send_message_length", MESSAGE_BYTES),
    ]
    server = grpc.server(ThreadPoolExecutor(THREADS), options=options)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server)
    port = server.add_insecure_port("127.0.0.1:0")
    if addresses := [argument for argument in argv[1:] if not argument.startswith("-")]:
        provider.connect(addresses[0])
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    _exit_with_parent(os.getppid())


def _exit_with_parent(parent: int) -> None:
    # A killed engine cannot tell its plugins to stop, and an orphan would hold the terminal's pipes open.
    while os.getppid() == parent:
        time.sleep(ORPHAN_CHECK_SECONDS)
    os._exit(0)


def as_text(variables: Mapping[str, str], package: str) -> dict[str, str]:
    """Configuration `variables` of `package` without their prefix (`kubernetes:config:`)."""
    prefix = f"{package}:config:"
    return {key.removeprefix(prefix): value for key, value in variables.items() if key.startswith(prefix)}
