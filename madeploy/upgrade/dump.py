"""Every object of the platform's API as one file, from which `kubectl` can make them again."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from madeploy.clients.kubernetes import Kubernetes
from madeploy.names.kubernetes import API_VERSION, PLURALS, crd

_SERVERS_OWN: Final = (
    "creationTimestamp",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "selfLink",
    "uid",
)
"""Fields of `metadata` that an API server writes, and refuses or ignores in what it is given."""


def objects(control_plane: Kubernetes) -> list[dict[str, Any]]:
    """All objects of every kind that the API server has a definition of, by kind, namespace and name. Raises
    ClientError."""
    found = []
    for kind, plural in PLURALS.items():
        definition = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{crd(kind)}"
        if control_plane.find(definition) is not None:
            found += [
                {**item, "apiVersion": API_VERSION, "kind": kind}
                for item in control_plane.items(f"/apis/{API_VERSION}/{plural}")
            ]
    return sorted(
        found, key=lambda item: (item["kind"], item["metadata"]["namespace"], item["metadata"]["name"])
    )


def write(path: Path, found: Iterable[dict[str, Any]]) -> int:
    """Write objects as a `List`; whole or not at all, and for the owner's eyes only: specs hold what
    people put there. Gives their number. Raises OSError."""
    items = [_restorable(item) for item in found]
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": items}, indent=1, sort_keys=True)
    partial = path.with_name(f".{path.name}.part")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    partial.replace(path)
    return len(items)


def _restorable(item: dict[str, Any]) -> dict[str, Any]:
    metadata = {key: value for key, value in item["metadata"].items() if key not in _SERVERS_OWN}
    # Owners have other identities once they are made again: the garbage collector would take the object.
    metadata.pop("ownerReferences", None)
    return {**item, "metadata": metadata}
