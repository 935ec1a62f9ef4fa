"""Sets of fields of Kubernetes objects, as `managedFields` has them (Kubernetes API, FieldsV1)."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final

Path = tuple[str, ...]
"""Steps to one field: `f:` and its name, `k:` and the keys of an item of a list, `v:` and its value."""

_ANNOTATIONS: Final = ("f:metadata", "f:annotations")


def leaves(fields: Mapping[str, Any], path: Path = ()) -> Iterator[Path]:
    """Every field of a set; the annotations that kubectl keeps for itself are left out, of objects and of pod
    templates, where it writes down restarts."""
    for key, inner in fields.items():
        if key == ".":
            continue
        here = (*path, key)
        if inner:
            yield from leaves(inner, here)
        elif not (path[-2:] == _ANNOTATIONS and key.startswith("f:kubectl")):
            yield here


def name(path: Path) -> str:
    """A field as people call it, such as `spec.replicas`."""
    return ".".join(step.partition(":")[2] for step in path)


def places(added: Iterable[Path], declared: Collection[Path], live: Mapping[str, Any]) -> list[str]:
    """Where added fields stand in a live object, as JSON pointers (RFC 6901): an item of a list of which
    nothing is declared as a whole. Later items come first, so that one can be removed after the other. Fields
    that the object does not have are left out."""
    whole = {_whole(path, declared) for path in added}
    found = {steps for path in whole if (steps := _steps(path, live)) is not None}
    ordered = sorted(found, key=lambda steps: [(isinstance(step, int), step) for step in steps], reverse=True)
    return ["".join(f"/{_escaped(str(step))}" for step in steps) for steps in ordered]


def _whole(path: Path, declared: Collection[Path]) -> Path:
    for end, step in enumerate(path, 1):
        start = path[:end]
        if step.startswith("k:") and not any(other[:end] == start for other in declared):
            return start
    return path


def _escaped(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1")


def _steps(path: Path, node: Any) -> tuple[str | int, ...] | None:
    found: list[str | int] = []
    for step in path:
        kind, _, said = step.partition(":")
        if kind == "f" and isinstance(node, Mapping) and said in node:
            at: str | int = said
        elif kind in ("k", "v") and isinstance(node, list):
            wanted = json.loads(said)
            at = next((number for number, item in enumerate(node) if _is_item(item, wanted)), -1)
        else:
            return None
        if at == -1:
            return None
        found.append(at)
        node = node[at]
    return tuple(found)


def _is_item(item: Any, wanted: Any) -> bool:
    if isinstance(item, Mapping) and isinstance(wanted, Mapping):
        return all(item.get(key) == value for key, value in wanted.items())
    return bool(item == wanted)
