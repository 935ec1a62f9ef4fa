"""JSON Schemas for kubeconform, made from what a real API server publishes and from definitions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Schema = dict[str, Any]

LOCATION = "{{ .Group }}/{{ .ResourceAPIVersion }}/{{ .ResourceKind }}.json"
"""Where kubeconform looks for a kind's schema below the folder (its template's own words)."""

_PREFIX = "#/components/schemas/"


@dataclass(frozen=True)
class KindSchema:
    """Schema of one kind."""

    group: str
    """Empty for the core group."""

    version: str
    kind: str
    schema: Schema


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


def defined(definition: Schema) -> Iterator[KindSchema]:
    """Schemas of every version of a CustomResourceDefinition."""
    spec = definition["spec"]
    for version in spec["versions"]:
        schema = _strict(version["schema"]["openAPIV3Schema"])
        schema["properties"] |= {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "status": {"type": "object"},
        }
        yield KindSchema(spec["group"], version["name"], spec["names"]["kind"], schema)


def write(folder: Path, schema: KindSchema) -> None:
    """Put a schema where kubeconform looks for it; the core group's `Group` is its version there."""
    path = folder / (schema.group or schema.version) / schema.version / f"{schema.kind.lower()}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(schema.schema))


def _collect(name: str, schemas: dict[str, Schema], used: dict[str, Schema]) -> None:
    if name in used:
        return
    used[name] = _strict(schemas[name])
    for reference in _references(schemas[name]):
        _collect(reference.removeprefix(_PREFIX), schemas, used)


def _references(data: Any) -> Iterator[str]:
    if isinstance(data, dict):
        if isinstance(data.get("$ref"), str):
            yield data["$ref"]
        for value in data.values():
            yield from _references(value)
    elif isinstance(data, list):
        for value in data:
            yield from _references(value)


def _strict(data: Any) -> Any:
    """The schema with every object closed that names its properties: an unknown field is an error,
    where the API server would drop it without a word."""
    if isinstance(data, list):
        return [_strict(value) for value in data]
    if not isinstance(data, dict):
        return data
    made = {key: _strict(value) for key, value in data.items()}
    is_open = made.get("x-kubernetes-preserve-unknown-fields") or "additionalProperties" in made
    if isinstance(made.get("properties"), dict) and "type" in made and not is_open:
        made["additionalProperties"] = False
    if made.pop("x-kubernetes-int-or-string", False):
        made.pop("type", None)
        made.setdefault("anyOf", [{"type": "integer"}, {"type": "string"}])
    return made
