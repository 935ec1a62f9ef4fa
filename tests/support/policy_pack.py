"""The policy pack as the engine runs it: a process that is spoken to by gRPC."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc

from policies.rules.model import Resource

ROOT = Path(__file__).resolve().parents[2]
NOBODY = "127.0.0.1:1"
"""The engine's address: the pack never calls it."""

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""How the engine writes text that is known only after the update."""


@dataclass(frozen=True)
class Said:
    """One violation as the engine hears it."""

    policy: str
    mandatory: bool
    message: str
    urn: str


class Pack:
    """A running policy pack."""

    def __init__(self, port: int) -> None:
        self._stub = analyzer_pb2_grpc.AnalyzerStub(grpc.insecure_channel(f"127.0.0.1:{port}"))

    def policies(self) -> dict[str, bool]:
        """Names of its policies, and whether each is mandatory."""
        info = self._stub.GetAnalyzerInfo(empty_pb2.Empty())
        return {item.name: item.enforcementLevel == analyzer_pb2.MANDATORY for item in info.policies}

    def one(self, resource: Resource) -> list[Said]:
        """What it says of one resource."""
        request = analyzer_pb2.AnalyzeRequest(
            type=resource.token,
            properties=_struct(resource.properties),
            urn=resource.identity,
            name=resource.name,
            provider=analyzer_pb2.AnalyzerProviderResource(name=resource.cluster),
        )
        return _said(self._stub.Analyze(request))

    def together(self, resources: Iterable[Resource]) -> list[Said]:
        """What it says of all resources of a stack."""
        request = analyzer_pb2.AnalyzeStackRequest(
            resources=[
                analyzer_pb2.AnalyzerResource(
                    type=item.token,
                    properties=_struct(item.properties),
                    urn=item.identity,
                    name=item.name,
                    dependencies=sorted(item.depends_on),
                    provider=analyzer_pb2.AnalyzerProviderResource(name=item.cluster),
                )
                for item in resources
            ]
        )
        return _said(self._stub.AnalyzeStack(request))


def _struct(properties: Mapping[str, Any]) -> struct_pb2.Struct:
    struct = struct_pb2.Struct()
    json_format.ParseDict(json.loads(json.dumps(properties)), struct)
    return struct


def _said(response: Any) -> list[Said]:
    return [
        Said(item.policyName, item.enforcementLevel == analyzer_pb2.MANDATORY, item.message, item.urn)
        for item in response.diagnostics
    ]


@contextmanager
def running(folder: Path, environ: Mapping[str, str]) -> Iterator[Pack]:
    """The pack in a process with that environment, started as the language host starts it."""
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "pulumi.policy", NOBODY, str(ROOT / "policies")],
        cwd=folder,
        env=dict(environ),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield Pack(int(process.stdout.readline()))
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
