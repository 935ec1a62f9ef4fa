"""The platform's own kinds as JSON Schema: what its API server keeps of them, and what its services need.

The files are the only ones that know these shapes. The embedded clusters define the kinds by them, `lint` and
the policies look fields up in them, and rendered objects are checked by them. What only some releases have
says so: `x-releases: ["0.12"]`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, Final

from madeploy.releases import DEFAULT, ReleaseName
from madeploy.schemas.files import FOLDER, Schema, read, schema
from madeploy.schemas.kinds import KindSchema, closed

DEFINITIONS: Final = FOLDER / "platform"
"""A CustomResourceDefinition a kind, by its name in lower case."""

SERVICES: Final = FOLDER / "services"
"""What services need beyond the definition: a JSON Schema a kind, for those of which something is known."""


_RELEASES: Final = "x-releases"
"""Key of a schema: releases that have it; left out, all do."""


def of_release(schema: Any, release: ReleaseName) -> Any:
    """What a release has of a schema."""
    if isinstance(schema, dict):
        there = {name: inner for name, inner in schema.items() if _has(inner, release) and name != _RELEASES}
        return {name: of_release(inner, release) for name, inner in there.items()}
    if isinstance(schema, list):
        return [of_release(inner, release) for inner in schema if _has(inner, release)]
    return schema


def _has(schema: Any, release: ReleaseName) -> bool:
    return not isinstance(schema, dict) or release in schema.get(_RELEASES, (release,))


def definitions(release: ReleaseName = DEFAULT) -> Iterator[Schema]:
    """The CustomResourceDefinitions, in a fixed order."""
    for path in sorted(DEFINITIONS.glob("*.yaml")):
        yield of_release(read(path), release)


@cache
def shape(kind: str, release: ReleaseName = DEFAULT) -> Schema:
    """Schema of a whole object as the API server keeps it, closed: any other field would be dropped."""
    definition = of_release(read(DEFINITIONS / f"{kind.lower()}.yaml"), release)
    made: Schema = closed(definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"])
    head = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}}
    metadata = closed(schema("objectmeta"))
    made["properties"] = {**head, "metadata": metadata, **made["properties"]}
    return made


@cache
def needs(kind: str, release: ReleaseName = DEFAULT) -> Schema:
    """Schema of what services need of an object that has the kind's shape; other fields are free, and all are
    where nothing is known of it."""
    path = SERVICES / f"{kind.lower()}.yaml"
    made: Schema = of_release(read(path), release) if path.is_file() else {}
    return made


def written() -> Iterator[KindSchema]:
    """Schemas of the kinds that this project writes itself."""
    for kind in ("Cluster", "Project"):
        definition = read(DEFINITIONS / f"{kind.lower()}.yaml")["spec"]
        version = definition["versions"][0]["name"]
        yield KindSchema(definition["group"], version, kind, {"allOf": [shape(kind), needs(kind)]})
