"""What a program's new inputs change on an object, told field by field.

As pulumi-kubernetes 4 does, new inputs are compared with the last known live object, cut to the shape of the inputs
that made it: fields a cluster adds are no change, and drift is one once a refresh has seen it. Different spellings of
the same value (`1000m` and `1`) are told apart by the API server: a dry run says what the new inputs would become.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from madeploy.sandbox.plugins.kubernetes.immutable import Path, Pattern, touches
from madeploy.sandbox.plugins.properties import UNKNOWN, has_unknown

ADD, DELETE, UPDATE = "add", "delete", "update"

_MISSING = object()


@dataclass(frozen=True)
class Change:
    """One changed field.

    Args:
        path: where, as keys and list positions.
        kind: `ADD`, `DELETE` or `UPDATE`.
        replaces: whether it can only be made by replacing the object.
    """

    path: Path
    kind: str
    replaces: bool

    @property
    def text(self) -> str:
        """The path in Pulumi's spelling: `spec.containers[0].image`, `metadata.labels["a/b"]`."""
        text = ""
        for step in self.path:
            if isinstance(step, int):
                text += f"[{step}]"
            elif any(character in step for character in '."[]'):
                escaped = step.replace('"', '\\"')
                text += f'["{escaped}"]'
            else:
                text += f".{step}" if text else step
        return text


def pruned(live: Any, shape: Any) -> Any:
    """`live` without what `shape` does not mention. Lists keep their live length."""
    if isinstance(live, dict) and isinstance(shape, dict):
        return {key: pruned(live[key], value) for key, value in shape.items() if key in live}
    if isinstance(live, list) and isinstance(shape, list):
        return [
            pruned(item, shape[position]) if position < len(shape) else item
            for position, item in enumerate(live)
        ]
    return live


def changes(
    old: dict[str, Any],
    new: dict[str, Any],
    patterns: tuple[Pattern, ...],
    expected: Callable[[], dict[str, Any] | None],
    live: dict[str, Any],
) -> list[Change]:
    """The fields that `new` changes.

    Args:
        old: the last known live object, cut to the shape of its inputs.
        new: the inputs now; may hold `UNKNOWN`.
        patterns: fields that cannot be changed in place.
        expected: asks the server what `new` would become; `None` where it cannot say.
        live: the last known live object, uncut.
    """
    found = list(_compared((), old, new, patterns))
    if not found or has_unknown(new):
        return found
    outcome = expected()
    if outcome is None:
        return found
    return [change for change in found if not _same_on_server(change, new, outcome, live)]


def with_readable_secret(target: dict[str, Any], inputs: dict[str, Any]) -> dict[str, Any]:
    """A live Secret with `stringData` for the keys that `inputs` gave so: the API only returns `data`."""
    given = inputs.get("stringData")
    if (
        target.get("kind") != "Secret"
        or not isinstance(given, dict)
        or not isinstance(target.get("data"), dict)
    ):
        return target
    decoded: dict[str, str] = {}
    for key in given:
        try:
            decoded[key] = base64.b64decode(target["data"][key], validate=True).decode()
        except (KeyError, TypeError, ValueError, binascii.Error):
            continue
    return {**target, "stringData": decoded}


def _compared(path: Path, old: Any, new: Any, patterns: tuple[Pattern, ...]) -> Iterator[Change]:
    if old is _MISSING:
        yield Change(path, ADD, touches(path, new, patterns))
    elif new is _MISSING:
        yield Change(path, DELETE, touches(path, None, patterns))
    elif isinstance(old, dict) and isinstance(new, dict):
        for key in (*old, *(key for key in new if key not in old)):
            yield from _compared((*path, key), old.get(key, _MISSING), new.get(key, _MISSING), patterns)
    elif isinstance(old, list) and isinstance(new, list):
        for position in range(max(len(old), len(new))):
            yield from _compared((*path, position), _at(old, position), _at(new, position), patterns)
    elif new is UNKNOWN or type(old) is not type(new) or old != new:
        if not (_is_number(old) and _is_number(new) and old == new):
            yield Change(path, UPDATE, touches(path, new, patterns))


def _same_on_server(
    change: Change, new: dict[str, Any], outcome: dict[str, Any], live: dict[str, Any]
) -> bool:
    """Whether `change` is one of spelling only.

    That is so where the server would end with the value it has; a list item too many may be another manager's.
    Where it would end with nothing, only an empty value is no change: a field with contents that the server drops is
    a mistake to be seen at every preview.
    """
    if change.kind == DELETE and not isinstance(change.path[-1], int):
        return False
    before, after = _lookup(live, change.path), _lookup(outcome, change.path)
    if before is _MISSING and after is _MISSING:
        return not _lookup(new, change.path)
    return before is not _MISSING and after is not _MISSING and bool(before == after)


def _lookup(value: Any, path: Path) -> Any:
    for step in path:
        if isinstance(step, int):
            value = _at(value, step) if isinstance(value, list) else _MISSING
        else:
            value = value.get(step, _MISSING) if isinstance(value, dict) else _MISSING
        if value is _MISSING:
            return _MISSING
    return value


def _at(items: list[Any], position: int) -> Any:
    return items[position] if position < len(items) else _MISSING


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
