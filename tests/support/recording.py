"""The one recording mock: runs a Pulumi program in this process and returns what it registered."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import pulumi
from google.protobuf import json_format
from pulumi.runtime import mocks, rpc, settings
from pulumi.runtime.proto import source_pb2
from pulumi.runtime.stack import wait_for_rpcs

TOKEN = ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (b"{}", b"{}", b"example"))
"""Shaped like a token, and nothing else."""


@dataclass(frozen=True)
class Registration:
    """One registered resource as the engine would see it, its secrets taken out of their wrapping."""

    urn: str
    type: str
    name: str
    inputs: dict[str, Any]
    secret_inputs: frozenset[str]
    """Top-level inputs that hold a secret somewhere."""
    parent: str
    provider: str
    """Name of the provider instance, empty for components."""
    dependencies: frozenset[str]
    """Names of the resources it waits for."""
    protect: bool
    retain_on_delete: bool
    delete_before_replace: bool | None
    """Whether a replacement comes after the old one is gone; None where the plugin decides."""
    hooks: tuple[str, ...]
    """Names of the hooks before its creation."""
    update_hooks: tuple[str, ...]
    """The same before an update of it."""
    error_hooks: tuple[str, ...]
    timeouts: dict[str, str]
    """Limits of its own, by operation."""

    @property
    def identity(self) -> str:
        """Type and name, unique in a program."""
        return f"{self.type}::{self.name}"


@dataclass
class Recording:
    """Everything one run of a program registered, in order."""

    resources: list[Registration] = field(default_factory=list)

    def of_type(self, type_: str) -> list[Registration]:
        """Registrations of one type token."""
        return [resource for resource in self.resources if resource.type == type_]

    def one(self, type_: str, name: str) -> Registration:
        """The registration of this type and name; fails unless there is exactly one."""
        (found,) = [resource for resource in self.of_type(type_) if resource.name == name]
        return found

    def waits_for(self, resource: Registration) -> set[str]:
        """Identities of everything a resource waits for, directly or through others."""
        known = {item.urn: item for item in self.resources}
        seen: set[str] = set()
        queue = list(resource.dependencies)
        while queue:
            urn = queue.pop()
            if urn in seen or urn not in known:
                continue
            seen.add(urn)
            queue += known[urn].dependencies
        return {known[urn].identity for urn in seen}


def _holds_secret(value: Any) -> bool:
    if isinstance(value, dict):
        return rpc._special_sig_key in value or any(_holds_secret(item) for item in value.values())
    return isinstance(value, list) and any(_holds_secret(item) for item in value)


def _plain(value: Any) -> Any:
    """A value without its marks of secrecy."""
    if isinstance(value, dict):
        if rpc._special_sig_key in value:
            return _plain(value["value"])
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def registration(request: Any, urn: str) -> Registration:
    """What a request to the engine says, and the URN it was answered with."""
    raw = json_format.MessageToDict(request.object)
    return Registration(
        urn=urn,
        type=request.type,
        name=request.name,
        inputs=_plain(rpc.deserialize_properties(request.object)),
        secret_inputs=frozenset(key for key, value in raw.items() if _holds_secret(value)),
        parent=request.parent,
        provider=request.provider.rpartition("::")[0].rpartition("::")[2],
        dependencies=frozenset(request.dependencies),
        protect=request.protect,
        retain_on_delete=request.retainOnDelete,
        delete_before_replace=request.deleteBeforeReplace if request.deleteBeforeReplaceDefined else None,
        hooks=tuple(request.hooks.before_create),
        update_hooks=tuple(request.hooks.before_update),
        error_hooks=tuple(request.hooks.on_error),
        timeouts={field.name: limit for field, limit in request.customTimeouts.ListFields() if limit},
    )


class _Answers(mocks.Mocks):
    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        outputs = dict(args.inputs)
        if args.typ == "kubernetes:core/v1:Secret" and not (outputs.get("data") or outputs.get("stringData")):
            outputs["data"] = {"token": base64.b64encode(TOKEN.encode()).decode()}
        outputs.setdefault("arn", f"arn:aws:mock:::{args.name}")
        return f"{args.name}-id", outputs

    def call(self, args: mocks.MockCallArgs) -> dict[str, Any]:
        assert args.token == "aws:index/getCallerIdentity:getCallerIdentity", args.token
        return {"accountId": "123456789012", "arn": "", "id": "", "userId": ""}


class _Monitor(mocks.MockMonitor):
    def __init__(self, recording: Recording) -> None:
        super().__init__(_Answers())
        self.recording = recording

    def RegisterResource(self, request: Any) -> Any:
        response = super().RegisterResource(request)
        if request.type != "pulumi:pulumi:Stack":
            self.recording.resources.append(registration(request, response.urn))
        return response


class _Callbacks:
    def register_resource_hook(self, hook: pulumi.ResourceHook) -> None:
        """Mocks have no server to register hooks with; their names arrive with the resources."""

    def register_error_hook(self, hook: pulumi.ErrorHook) -> None:
        """Nor these."""


def record(program: Callable[[], Any], preview: bool = False, stack: str = "test") -> Recording:
    """Run `program` against the recording mock and return what it registered."""
    recording = Recording()
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)

    async def run() -> None:
        program()
        await wait_for_rpcs()

    mocks.set_mocks(
        _Answers(), project="michelangelo", stack=stack, preview=preview, monitor=_Monitor(recording)
    )
    settings.SETTINGS.callbacks = _Callbacks()  # type: ignore[assignment]
    # A program that failed leaves work behind, which belongs to the loop of its own run.
    settings.SETTINGS.outputs.clear()
    settings.SETTINGS.rpc_manager.clear()
    # Where in the source a resource is made stands in the engine's messages, which the mock has none of;
    # finding it out for each is a quarter of a program's time.
    no_position = patch("pulumi.runtime.resource._get_stack_trace", source_pb2.StackTrace)
    try:
        with no_position:
            loop.run_until_complete(run())
    finally:
        asyncio.set_event_loop(None)
        loop.close()
    return recording
