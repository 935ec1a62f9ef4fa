"""Descriptor sets as small as Envoy and the checks allow: every kind's service with two methods, and the
fields by which releases are told apart."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable
from pathlib import Path

import yaml
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    MethodDescriptorProto,
    ServiceDescriptorProto,
)

from madeploy.descriptors.sets import PACKAGE
from madeploy.releases import RELEASES
from madeploy.settings.files import FileBeside

FIELDS = {
    "RevisionSpec": ("source", "git_commit"),
    "InferenceServerSpec": ("cluster_targets",),
    "ClusterSpec": ("region", "scheduler_type"),
}
"""Messages of release 0.12 that a set is recognised by, and their fields."""

OLD_FIELDS = {
    "RevisionSpec": ("git_ref", "git_branch"),
    "InferenceServerSpec": ("tenancy_type",),
    "ClusterSpec": ("region",),
}
"""The same of release 2026.04."""

KINDS = RELEASES["0.12"].envoy.transcoded


def message(name: str, *fields: str) -> DescriptorProto:
    """A message of text fields, numbered in order."""
    text = FieldDescriptorProto.TYPE_STRING
    optional = FieldDescriptorProto.LABEL_OPTIONAL
    return DescriptorProto(
        name=name,
        field=[
            FieldDescriptorProto(name=field, number=number, type=text, label=optional)
            for number, field in enumerate(fields, 1)
        ],
    )


def file(
    kinds: Iterable[str] = KINDS, fields: dict[str, tuple[str, ...]] | None = None
) -> FileDescriptorProto:
    """One file with a service for each kind: `Get` takes `name` and `namespace` and answers with both."""
    messages = [message(name, *names) for name, names in (FIELDS if fields is None else fields).items()]
    services = []
    for kind in kinds:
        messages.append(message(f"Get{kind}Request", "name", "namespace"))
        messages.append(message(f"Get{kind}Response", "name", "namespace", "resource_version"))
        method = MethodDescriptorProto(
            name=f"Get{kind}",
            input_type=f".{PACKAGE}.Get{kind}Request",
            output_type=f".{PACKAGE}.Get{kind}Response",
        )
        services.append(ServiceDescriptorProto(name=f"{kind}Service", method=[method]))
    return FileDescriptorProto(
        name="michelangelo/api/v2/example.proto",
        package=PACKAGE,
        syntax="proto3",
        message_type=messages,
        service=services,
    )


def descriptor_set(kinds: Iterable[str] = KINDS, fields: dict[str, tuple[str, ...]] | None = None) -> bytes:
    """Serialized set of that file."""
    return FileDescriptorSet(file=[file(kinds, fields)]).SerializeToString(deterministic=True)


def beside(content: bytes | None = None) -> FileBeside:
    """A set as a stack file's settings hold it after it was read."""
    return FileBeside("descriptors.pb", descriptor_set() if content is None else content)


FILES = {
    "descriptors.pb": descriptor_set(),
    "2026.04.pb": descriptor_set(fields=OLD_FIELDS),
    "0.11.pb": descriptor_set(fields=FIELDS | {"ClusterSpec": ("region",)}),
    "partial.pb": descriptor_set([kind for kind in KINDS if kind not in ("Model", "Revision")]),
    "text.pb": b'syntax = "proto3";\n',
    "empty.pb": b"",
    "large.pb": descriptor_set() + bytes(1024 * 1024),
}
"""Sets that are right and wrong, by the names of files."""


def chart(folder: Path, files: dict[str, bytes], version: str = "0.12.0") -> Path:
    """A chart as `helm pull` leaves it, with a sub-chart that has files of the same names."""
    path = folder / f"michelangelo-{version}.tgz"
    contents = {
        "michelangelo/Chart.yaml": yaml.safe_dump({"name": "michelangelo", "version": version}).encode(),
        "michelangelo/charts/other/Chart.yaml": b"version: 9.9.9\n",
        "michelangelo/charts/other/files/descriptors.pb": b"another chart's",
        **{f"michelangelo/{name}": content for name, content in files.items()},
    }
    with tarfile.open(path, "w:gz") as archive:
        for name, content in contents.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path
