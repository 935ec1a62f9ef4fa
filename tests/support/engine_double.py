"""A stand-in for the engine that a Pulumi program talks to over gRPC: it takes whatever is registered, makes
nothing, and keeps count of what it was told."""

from __future__ import annotations

import base64
import contextlib
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, resource_pb2, resource_pb2_grpc

from tests.support.grpc_servers import listening
from tests.support.recording import TOKEN

PROJECT, STACK = "michelangelo", "test"


class EngineDouble(resource_pb2_grpc.ResourceMonitorServicer, engine_pb2_grpc.EngineServicer):
    """Answers of an engine for which everything has been there, as it is, before."""

    def __init__(self) -> None:
        self.address = ""
        self.calls: Counter[str] = Counter()
        """Calls by method; of `Log`, by severity: `Log DEBUG`."""

        self.registered: dict[str, dict[str, Any]] = {}
        """Type, parent and options of each registration by URN; its inputs as they were sent."""

        self._lock = threading.Lock()

    def _count(self, what: str) -> None:
        with self._lock:
            self.calls[what] += 1

    def SupportsFeature(self, request: Any, context: Any) -> Any:
        self._count("SupportsFeature")
        return resource_pb2.SupportsFeatureResponse(hasSupport=True)

    def RegisterResource(self, request: Any, context: Any) -> Any:
        self._count("RegisterResource")
        above = request.parent.rpartition("::")[0].rpartition("::")[2]
        inside = f"{above}$" if above and above != "pulumi:pulumi:Stack" else ""
        urn = f"urn:pulumi:{STACK}::{PROJECT}::{inside}{request.type}::{request.name}"
        answer = resource_pb2.RegisterResourceResponse(
            urn=urn, id=f"{request.name}-id" if request.custom else "", object=request.object
        )
        if request.type == "kubernetes:core/v1:Secret" and "data" not in answer.object:
            answer.object.update({"data": {"token": base64.b64encode(TOKEN.encode()).decode()}})
        if request.type.startswith("aws:"):
            answer.object.update({"arn": f"arn:aws:double:::{request.name}", "keyId": request.name})
        with self._lock:
            self.registered[urn] = {
                "inputs": request.object.SerializeToString(deterministic=True),
                "provider": request.provider.rpartition("::")[0],
                "dependencies": sorted(request.dependencies),
                "protect": request.protect,
                "retain": request.retainOnDelete,
            }
        return answer

    def RegisterResourceOutputs(self, request: Any, context: Any) -> Any:
        self._count("RegisterResourceOutputs")
        return empty_pb2.Empty()

    def RegisterResourceHook(self, request: Any, context: Any) -> Any:
        self._count("RegisterResourceHook")
        return empty_pb2.Empty()

    def RegisterErrorHook(self, request: Any, context: Any) -> Any:
        self._count("RegisterErrorHook")
        return empty_pb2.Empty()

    def SignalAndWaitForShutdown(self, request: Any, context: Any) -> Any:
        self._count("SignalAndWaitForShutdown")
        return empty_pb2.Empty()

    def Log(self, request: Any, context: Any) -> Any:
        self._count(f"Log {engine_pb2.LogSeverity.Name(request.severity)}")
        return empty_pb2.Empty()

    def SetRootResource(self, request: Any, context: Any) -> Any:
        self._count("SetRootResource")
        return engine_pb2.SetRootResourceResponse()

    def GetRootResource(self, request: Any, context: Any) -> Any:
        self._count("GetRootResource")
        return engine_pb2.GetRootResourceResponse()


@contextlib.contextmanager
def engine_double() -> Iterator[EngineDouble]:
    """One that listens."""
    double = EngineDouble()
    server = grpc.server(ThreadPoolExecutor(16), options=[("grpc.max_receive_message_length", -1)])
    resource_pb2_grpc.add_ResourceMonitorServicer_to_server(double, server)
    engine_pb2_grpc.add_EngineServicer_to_server(double, server)
    with listening(server) as port:
        double.address = f"127.0.0.1:{port}"
        yield double
