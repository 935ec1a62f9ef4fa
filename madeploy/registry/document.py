"""One object of a file of manifests: its nodes, their places, and how messages name it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from madeploy.documents.nodes import Node
from madeploy.documents.paths import Path, dotted
from madeploy.documents.source import Source
from madeploy.documents.words import printable
from madeploy.findings import Location


@dataclass(frozen=True)
class Document:
    """One object of a file. Paths start at the object."""

    source: Source
    root: Node
    base: Path
    """Where the object is in its document: empty, or an item of a list."""

    kind: str

    def at(self, path: Path, *, key: bool = False) -> Location:
        return self.source.at((*self.base, *path), key=key)

    def subject(self, path: Path = ()) -> str:
        """The object and a field of it: `Model team-a/churn spec.kind`."""
        meta = child(self.root, "metadata")
        names = [scalar(child(meta, "namespace")), scalar(child(meta, "name"))]
        name = "/".join(printable(str(part)) for part in names if part is not None)
        return " ".join(part for part in (self.kind, name, dotted(path)) if part)


def child(node: Node | None, name: str) -> Node | None:
    """Value of a mapping's key; None where there is neither."""
    if node is None or node.kind != "mapping" or name not in node.value:
        return None
    found: Node = node.value[name][1]
    return found


def scalar(node: Node | None) -> Any:
    return node.value if node is not None and node.kind == "scalar" else None


def respelt(name: str, fields: Iterable[str]) -> str | None:
    """The field of the same letters: snake_case, or other capitals."""
    return next((field for field in fields if _folded(field) == _folded(name)), None)


def _folded(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()
