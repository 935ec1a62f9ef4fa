"""Descriptor sets: what of the platform's API a `FileDescriptorSet` describes, and of which release it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Final

from madeploy.releases.model import DescriptorMark

if TYPE_CHECKING:
    from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

PACKAGE: Final = "michelangelo.api.v2"
"""Package of the platform's services and messages."""

MAX_BYTES: Final = 1024 * 1024 - 4096
"""Size of a set that fits into a ConfigMap: 1 MiB for all of its values (Kubernetes, ConfigMap)."""


class DescriptorError(ValueError):
    """Bytes that are no usable descriptor set; `str()` says why."""


@dataclass(frozen=True)
class Descriptors:
    """Services and fields of a descriptor set."""

    services: frozenset[str]
    """Full names of services."""

    fields: frozenset[tuple[str, str]]
    """Message within `PACKAGE`, and field."""

    def missing(self, kinds: Iterable[str]) -> tuple[str, ...]:
        """Full names of the services of these kinds that are not in it."""
        wanted = [f"{PACKAGE}.{kind}Service" for kind in kinds]
        return tuple(name for name in wanted if name not in self.services)

    def contradicts(self, marks: Iterable[DescriptorMark]) -> DescriptorMark | None:
        """The first mark of a release that it does not show; None when it shows all."""
        return next(
            (mark for mark in marks if ((mark.message, mark.field) in self.fields) != mark.present), None
        )


def read(content: bytes) -> Descriptors:
    """What a serialized `FileDescriptorSet` describes. Raises DescriptorError when it is none, or when a file
    is missing that another one imports, or comes after it: Envoy stops at each."""
    # Imported here, because only this needs it and every command would wait for it.
    from google.protobuf import descriptor_pool
    from google.protobuf.descriptor_pb2 import FileDescriptorSet
    from google.protobuf.message import DecodeError

    try:
        found = FileDescriptorSet.FromString(content)
    except DecodeError:
        raise DescriptorError("is no descriptor set: it does not decode as one") from None
    if not found.file:
        raise DescriptorError("is no descriptor set: no file is described in it")
    names = {file.name for file in found.file}
    lacking = sorted({name for file in found.file for name in file.dependency if name not in names})
    if lacking:
        raise DescriptorError(f"lacks {', '.join(lacking[:3])}, which its other files import")
    seen: set[str] = set()
    for file in found.file:
        early = next((name for name in file.dependency if name not in seen), None)
        if early is not None:
            raise DescriptorError(f"has {file.name} before {early}, which it imports")
        seen.add(file.name)
    pool = descriptor_pool.DescriptorPool()
    try:
        for file in found.file:
            pool.AddSerializedFile(file.SerializeToString())
    except (TypeError, ValueError) as error:
        raise DescriptorError(f"contradicts itself: {str(error).splitlines()[0][:200]}") from None
    services = {
        f"{file.package}.{service.name}" if file.package else service.name
        for file in found.file
        for service in file.service
    }
    fields = {
        (message.name, field.name)
        for file in found.file
        if file.package == PACKAGE
        for message in file.message_type
        for field in message.field
    }
    return Descriptors(frozenset(services), frozenset(fields))


def in_order(found: FileDescriptorSet) -> Iterator[FileDescriptorProto]:
    """Files of a set, each after those it imports. Raises DescriptorError where some import each other."""
    by_name = {file.name: file for file in found.file}
    imports = {
        name: [other for other in file.dependency if other in by_name] for name, file in by_name.items()
    }
    try:
        order = list(TopologicalSorter(imports).static_order())
    except CycleError as error:
        raise DescriptorError(f"has files that import each other: {', '.join(error.args[1][1:])}") from None
    for name in order:
        yield by_name[name]
