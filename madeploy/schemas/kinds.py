"""Schemas of kinds as kubeconform reads them: closed, so that an unknown field is an error, where an API
server would drop it without a word."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from madeploy.schemas.files import FOLDER, Schema

LOCATION: Final = "{{ .Group }}/{{ .ResourceAPIVersion }}/{{ .ResourceKind }}.json"
"""Where kubeconform looks for a kind's schema below a folder (its template's own words)."""

DEFINITIONS: Final = FOLDER / "definitions"
"""Kinds that are not Kubernetes' own, each as far as this project writes it."""


@dataclass(frozen=True)
class KindSchema:
    """Schema of one kind."""

    group: str
    """Empty for the core group."""

    version: str
    kind: str
    schema: Schema


def defined(definition: Schema) -> Iterator[KindSchema]:
    """Schemas of every version of a CustomResourceDefinition, or of what is written like one."""
    spec = definition["spec"]
    for version in spec["versions"]:
        schema = closed(version["schema"]["openAPIV3Schema"])
        schema["properties"] |= {"apiVersion": {"type": "string"}, "kind": {"type": "string"}}
        for key in ("metadata", "status"):
            schema["properties"].setdefault(key, {"type": "object"})
        yield KindSchema(spec["group"], version["name"], spec["names"]["kind"], schema)


def write(folder: Path, schema: KindSchema) -> None:
    """Put a schema where kubeconform looks for it; the core group's `Group` is its version there."""
    path = folder / (schema.group or schema.version) / schema.version / f"{schema.kind.lower()}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(schema.schema), encoding="utf-8")


def closed(data: Any) -> Any:
    """The schema with every object closed that names its properties."""
    if isinstance(data, list):
        return [closed(value) for value in data]
    if not isinstance(data, dict):
        return data
    made = {key: closed(value) for key, value in data.items()}
    is_open = made.get("x-kubernetes-preserve-unknown-fields") or "additionalProperties" in made
    if isinstance(made.get("properties"), dict) and "type" in made and not is_open:
        made["additionalProperties"] = False
    if made.pop("x-kubernetes-int-or-string", False):
        made.pop("type", None)
        made.setdefault("anyOf", [{"type": "integer"}, {"type": "string"}])
    return made


def references(data: Any) -> Iterator[str]:
    """Every `$ref` in a schema."""
    if isinstance(data, dict):
        if isinstance(data.get("$ref"), str):
            yield data["$ref"]
        for value in data.values():
            yield from references(value)
    elif isinstance(data, list):
        for value in data:
            yield from references(value)
