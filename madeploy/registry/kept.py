"""An object as the API server would keep it: fields that it would drop taken out, each one a finding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from madeploy.documents.nodes import Node
from madeploy.documents.paths import Path
from madeploy.documents.words import near
from madeploy.findings import Finding, find
from madeploy.registry.document import Document, respelt
from madeploy.schemas.files import Schema

_NO_MODEL: Final = (
    "An inference server names no model: a Deployment ties the two together.",
    "Remove it, and name the model in a Deployment's spec.desiredRevision.",
)
_MISTAKEN: Final[Mapping[tuple[str, str], tuple[str, str]]] = {
    ("InferenceServer", "modelVersion"): _NO_MODEL,
    ("InferenceServer", "model"): _NO_MODEL,
    ("InferenceServer", "replicas"): (
        "The number of instances has another name and place, and this one would be dropped without a word.",
        "Write spec.initSpec.numInstances.",
    ),
}
"""Fields that people write by analogy, by kind: why there are none, and what to do."""


@dataclass
class Kept:
    """Reads one object by its schema. Nulls are left out, as if the field were not there (Kubernetes
    documentation, custom resources)."""

    document: Document
    written: dict[Path, Path] = field(default_factory=dict)
    """Path in the file of every value, by its path in what is kept: a misspelt field is read as the one that
    was meant, so that its content is checked too."""

    findings: list[Finding] = field(default_factory=list)

    def read(self, node: Node, schema: Schema, path: Path = (), written: Path = ()) -> Any:
        """Plain data of a value; what has another type than the schema's stays as it is."""
        self.written[path] = written
        if node.kind == "mapping" and "properties" in schema:
            return self._object(node, schema["properties"], path, written)
        if node.kind == "mapping" and isinstance(schema.get("additionalProperties"), Mapping):
            inner = schema["additionalProperties"]
            return {
                name: self.read(value, inner, (*path, name), (*written, name))
                for name, (_, value) in node.value.items()
                if not _is_null(value)
            }
        if node.kind == "list" and "items" in schema:
            given = [(index, item) for index, item in enumerate(node.value) if not _is_null(item)]
            return [
                self.read(item, schema["items"], (*path, place), (*written, index))
                for place, (index, item) in enumerate(given)
            ]
        return node.data()

    def _object(self, node: Node, fields: Mapping[str, Schema], path: Path, written: Path) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        for name, (_, value) in node.value.items():
            meant = name if name in fields else respelt(name, fields)
            if name not in fields:
                self.findings.append(self._dropped(name, meant, fields, (*written, name)))
            if meant is not None and not _is_null(value):
                kept[meant] = self.read(value, fields[meant], (*path, meant), (*written, name))
        return kept

    def _dropped(self, name: str, meant: str | None, fields: Mapping[str, Schema], path: Path) -> Finding:
        place, about = self.document.at(path, key=True), self.document.subject(path)
        if meant is not None:
            evidence = f"the API server would drop it: the field is called {meant}"
            return find("MA353", about, evidence, fix=f"Write {meant}.", location=place)
        why, fix = _MISTAKEN.get((self.document.kind, name), ("", ""))
        if not fix:
            guess = near(name, fields)
            fix = f'Did you mean "{guess}"? Else remove it.' if guess else "Remove it."
        evidence = "the API server would drop it: there is no such field"
        return find("MA354", about, evidence, accepted=", ".join(fields), why=why, fix=fix, location=place)


def _is_null(node: Node) -> bool:
    return bool(node.kind == "scalar" and node.value is None)
