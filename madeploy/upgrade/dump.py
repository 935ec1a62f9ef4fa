"""Every object of the platform's API as one file, from which `kubectl create -f` can make them again."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from madeploy.clients.kubernetes import Kubernetes
from madeploy.errors import ToolkitError, UsageError
from madeploy.names.kubernetes import API_VERSION, PLURALS, crd
from manifests.definitions import DEFINITIONS

_SERVERS_OWN: Final = (
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
    "managedFields",
    "resourceVersion",
    "selfLink",
    "uid",
)
"""Fields of `metadata` that an API server writes, and refuses or ignores in what it is given."""

_OF: Final = "controlPlane"
"""Key beside the list's own: which control plane it is a dump of. `kubectl` passes over it."""

Item = dict[str, Any]
Key = tuple[str, str, str]


@dataclass(frozen=True)
class Written:
    """Numbers of objects in a dump."""

    objects: int
    """Objects of the platform's API."""

    gone: int
    """Of those, objects that an earlier dump in the same file had, and that are not there any more."""


def objects(control_plane: Kubernetes) -> list[Item]:
    """All objects of every kind that the API server has a definition of, by kind, namespace and name. Raises
    ClientError."""
    there = {item["metadata"]["name"] for item in control_plane.items(DEFINITIONS)}
    found = [
        {**item, "apiVersion": API_VERSION, "kind": kind}
        for kind, plural in PLURALS.items()
        if crd(kind) in there
        for item in control_plane.items(f"/apis/{API_VERSION}/{plural}")
    ]
    return sorted(found, key=_key)


def write(path: Path, found: Iterable[Item], control_plane: str) -> Written:
    """Write objects of the control plane of identity `control_plane` as a `List`, their namespaces first;
    whole or not at all, and for the owner's eyes only: specs hold what people put there.

    What an earlier dump in the same file has, and is gone, stays in it: a command that is run again after
    objects were deleted, as it may have asked for, must not lose them.

    Raises UsageError for a file that is no such dump, or cannot be written.
    """
    now = {_key(item): _restorable(item) for item in found}
    earlier = _read(path, control_plane)
    merged = {**earlier, **now}
    spaces = sorted({item["metadata"]["namespace"] for item in merged.values()})
    items = [
        *({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in spaces),
        *(merged[key] for key in sorted(merged)),
    ]
    text = json.dumps(
        {"apiVersion": "v1", "kind": "List", _OF: control_plane, "items": items}, indent=1, sort_keys=True
    )
    partial = path.with_name(f".{path.name}.part")
    try:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(path)
    except OSError as error:
        raise _unusable(path, f"it cannot be written: {error.strerror}") from None
    return Written(len(merged), len(earlier.keys() - now.keys()))


def _read(path: Path, control_plane: str) -> dict[Key, Item]:
    """Objects of the dump that is there already, of the same control plane."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        raise _unusable(path, "what is there already cannot be read as a dump") from None
    if not isinstance(content, dict) or _OF not in content:
        raise _unusable(path, "what is there already is no dump of this command")
    if content[_OF] != control_plane:
        raise _unusable(path, "what is there already is the dump of another control plane")
    return {_key(item): item for item in content["items"] if item["apiVersion"] == API_VERSION}


def _unusable(path: Path, why: str) -> ToolkitError:
    return UsageError(f"no dump is written to {path}", why, "Give another file with --dump.")


def _key(item: Item) -> Key:
    return item["kind"], item["metadata"]["namespace"], item["metadata"]["name"]


def _restorable(item: Item) -> Item:
    metadata = {key: value for key, value in item["metadata"].items() if key not in _SERVERS_OWN}
    # Owners have other identities once they are made again: the garbage collector would take the object.
    metadata.pop("ownerReferences", None)
    return {**item, "metadata": metadata}
