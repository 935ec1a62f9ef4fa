"""The platform's own kinds as JSON Schema: what its API server keeps of them, and what its services need.

The files are the only ones that know these shapes. The embedded clusters define the kinds by them, `lint` and
the policies look fields up in them, and rendered objects are checked by them.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Final

from madeploy.schemas.files import FOLDER, Schema, read, schema
from madeploy.schemas.kinds import KindSchema, closed

DEFINITIONS: Final = FOLDER / "platform"
"""A CustomResourceDefinition a kind, by its name in lower case."""

SERVICES: Final = FOLDER / "services"
"""What services need beyond the definition: a JSON Schema a kind, for those of which something is known."""


def definitions() -> Iterator[Schema]:
    """The CustomResourceDefinitions, in a fixed order."""
    for path in sorted(DEFINITIONS.glob("*.yaml")):
        yield read(path)


@cache
def shape(kind: str) -> Schema:
    """Schema of a whole object as the API server keeps it, closed: any other field would be dropped."""
    definition = read(DEFINITIONS / f"{kind.lower()}.yaml")
    made: Schema = closed(definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"])
    head = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}}
    metadata = closed(schema("objectmeta"))
    made["properties"] = {**head, "metadata": metadata, **made["properties"]}
    return made


@cache
def needs(kind: str) -> Schema:
    """Schema of what services need of an object that has the kind's shape; other fields are free."""
    return read(SERVICES / f"{kind.lower()}.yaml")


def written() -> Iterator[KindSchema]:
    """Schemas of the kinds that this project writes itself."""
    for kind in ("Cluster",):
        definition = read(DEFINITIONS / f"{kind.lower()}.yaml")["spec"]
        version = definition["versions"][0]["name"]
        yield KindSchema(definition["group"], version, kind, {"allOf": [shape(kind), needs(kind)]})
