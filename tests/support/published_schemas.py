"""JSON Schemas for kubeconform of what a real API server publishes."""

from __future__ import annotations

from collections.abc import Iterator

from madeploy.schemas.files import Schema
from madeploy.schemas.kinds import KindSchema, closed, references

_PREFIX = "#/components/schemas/"


def published(document: Schema) -> Iterator[KindSchema]:
    """Schemas of every kind in one document of `/openapi/v3` (OpenAPI 3.0)."""
    schemas = document["components"]["schemas"]
    for name, schema in schemas.items():
        for kind in schema.get("x-kubernetes-group-version-kind", ()):
            if kind["kind"].endswith(("List", "Options", "Event")):
                continue
            used: dict[str, Schema] = {}
            _collect(name, schemas, used)
            yield KindSchema(
                kind["group"],
                kind["version"],
                kind["kind"],
                {"$ref": f"{_PREFIX}{name}", "components": {"schemas": used}},
            )


def _collect(name: str, schemas: dict[str, Schema], used: dict[str, Schema]) -> None:
    if name in used:
        return
    used[name] = closed(schemas[name])
    for reference in references(schemas[name]):
        _collect(reference.removeprefix(_PREFIX), schemas, used)
