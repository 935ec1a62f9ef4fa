"""Kubernetes' own kinds in each supported minor, from the schemas of the package kubernetes-validate."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from importlib import util
from pathlib import Path
from typing import Any, Final

from madeploy.errors import ToolkitError
from madeploy.schemas.files import Schema
from madeploy.schemas.kinds import KindSchema, references

MINORS: Final = ("1.30", "1.31", "1.32", "1.33", "1.34", "1.35", "1.36", "1.37")
"""Minors whose API the rendered objects are checked against: from the oldest that the pods need (`sleep`
hooks) to the newest there are schemas of."""

Kind = tuple[str, str, str]
"""Group (empty for the core group), version and kind."""

_DROPPED: Final = frozenset({"description", "x-kubernetes-group-version-kind"})


def schemas(minor: str, wanted: Collection[Kind]) -> Iterator[KindSchema]:
    """Closed schemas of those of the wanted kinds that a minor has.

    Raises ToolkitError (3) when the package is not installed.
    """
    path = _folder() / f"v{minor}.0-local-strict" / "_definitions.json"
    definitions: dict[str, Schema] = json.loads(path.read_bytes())["$defs"]
    for name, schema in definitions.items():
        for kind in schema.get("x-kubernetes-group-version-kind", ()):
            key = (kind["group"], kind["version"], kind["kind"])
            if key in wanted:
                used: dict[str, Schema] = {}
                _collect(name, definitions, used)
                yield KindSchema(*key, {"$ref": f"#/$defs/{name}", "$defs": used})


def _folder() -> Path:
    found = util.find_spec("kubernetes_validate")
    if found is None or found.origin is None:
        raise ToolkitError(
            "rendered objects cannot be checked",
            "the package kubernetes-validate, which holds Kubernetes' schemas, is not installed",
            "install it: pip install -r requirements-dev.txt, or use bin/madeploy, which does so by itself",
        )
    return Path(found.origin).parent / "kubernetes-json-schema"


def _collect(name: str, definitions: dict[str, Schema], used: dict[str, Schema]) -> None:
    if name in used:
        return
    used[name] = {}
    used[name] = _converted(definitions[name])
    for reference in references(used[name]):
        _collect(reference.rpartition("/")[2], definitions, used)


def _converted(data: Any) -> Any:
    """A schema of the package as one of ours: references within the document, no descriptions, and no null:
    the package allows it everywhere, because a client may send it; a file that holds one is a mistake."""
    if isinstance(data, list):
        return [_converted(value) for value in data]
    if not isinstance(data, dict):
        return data
    made: dict[str, Any] = {}
    for key, value in data.items():
        if key in _DROPPED and not isinstance(value, dict):
            continue
        if key == "$ref" and isinstance(value, str):
            made[key] = f"#/$defs/{value.rpartition('/')[2]}"
        elif key == "type" and isinstance(value, list):
            kinds = [kind for kind in value if kind != "null"]
            made[key] = kinds[0] if len(kinds) == 1 else kinds
        else:
            made[key] = _converted(value)
    return made
