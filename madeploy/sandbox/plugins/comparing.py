"""What changed between two versions of a resource's properties, told field by field in Pulumi's spelling."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pulumi.runtime.proto import provider_pb2

from madeploy.sandbox.plugins.properties import UNKNOWN

Path = tuple[str | int, ...]

ADD, DELETE, UPDATE = "add", "delete", "update"

MISSING: Final = object()
"""The value of a field that is not there; `None` is a value."""

EVERY_ITEM = "*"

_STEP = re.compile(
    r'\.?(?P<field>[^.\[\]"*]+)|\[(?P<position>\d+)\]|\["(?P<quoted>(?:[^"\\]|\\.)*)"\]|\.?\[?(?P<every>\*)\]?'
)


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
        """The path as text: `spec.containers[0].image`, `metadata.labels["a/b"]`."""
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


def split_path(path: str) -> list[str | int]:
    """A property path as text (see `Change.text`) in its keys and positions; `*` stands for every item."""
    steps: list[str | int] = []
    for match in _STEP.finditer(path):
        if match["field"] is not None:
            steps.append(match["field"])
        elif match["position"] is not None:
            steps.append(int(match["position"]))
        elif match["quoted"] is not None:
            steps.append(match["quoted"].replace('\\"', '"'))
        else:
            steps.append(EVERY_ITEM)
    return steps


def compared(old: Any, new: Any, replaces: Callable[[Path, Any], bool], path: Path = ()) -> Iterator[Change]:
    """The fields in which `new` differs from `old`, as deep as both are maps or lists.

    Args:
        old, new: opened properties; `new` may hold `UNKNOWN`, which differs from everything.
        replaces: whether setting a path to a value (`None` where it is removed) replaces the object.
        path: where `old` and `new` are.
    """
    if old is MISSING:
        yield Change(path, ADD, replaces(path, new))
    elif new is MISSING:
        yield Change(path, DELETE, replaces(path, None))
    elif isinstance(old, dict) and isinstance(new, dict):
        for key in (*old, *(key for key in new if key not in old)):
            yield from compared(old.get(key, MISSING), new.get(key, MISSING), replaces, (*path, key))
    elif isinstance(old, list) and isinstance(new, list):
        for position in range(max(len(old), len(new))):
            yield from compared(item_at(old, position), item_at(new, position), replaces, (*path, position))
    elif new is UNKNOWN or not _equal(old, new):
        yield Change(path, UPDATE, replaces(path, new))


def pruned(live: Any, shape: Any, whole_lists: bool = False) -> Any:
    """`live` without what `shape` does not mention.

    Args:
        whole_lists: keep the items of a list that `shape` has fewer of.
    """
    if isinstance(live, dict) and isinstance(shape, dict):
        return {key: pruned(live[key], value, whole_lists) for key, value in shape.items() if key in live}
    if isinstance(live, list) and isinstance(shape, list):
        kept = [pruned(item, stated, whole_lists) for item, stated in zip(live, shape, strict=False)]
        return kept + live[len(shape) :] if whole_lists else kept
    return live


def value_at(value: Any, path: Sequence[str | int]) -> Any:
    """The field at `path`, or `MISSING`."""
    for step in path:
        if isinstance(step, int):
            value = item_at(value, step) if isinstance(value, list) else MISSING
        else:
            value = value.get(step, MISSING) if isinstance(value, dict) else MISSING
        if value is MISSING:
            return MISSING
    return value


def item_at(items: list[Any], position: int) -> Any:
    """The item, or `MISSING` past the end."""
    return items[position] if position < len(items) else MISSING


def is_ignored(change: Change, ignored: Sequence[str]) -> bool:
    """Whether one of the paths in `ignored` (the resource option `ignoreChanges`) holds the change."""
    return any(_covers(split_path(path), change.path) for path in ignored)


def as_response(found: Sequence[Change], delete_first: bool = False) -> provider_pb2.DiffResponse:
    """The engine's form of `found`.

    Args:
        delete_first: whether a replacement has to delete the old object before it makes the new one.
    """
    replaces = [change.text for change in found if change.replaces]
    return provider_pb2.DiffResponse(
        changes=provider_pb2.DiffResponse.DIFF_SOME if found else provider_pb2.DiffResponse.DIFF_NONE,
        replaces=replaces,
        deleteBeforeReplace=bool(replaces) and delete_first,
        detailedDiff={change.text: _detail(change) for change in found},
        hasDetailedDiff=True,
    )


def _detail(change: Change) -> provider_pb2.PropertyDiff:
    kinds = provider_pb2.PropertyDiff
    pairs = {ADD: (kinds.ADD, kinds.ADD_REPLACE), DELETE: (kinds.DELETE, kinds.DELETE_REPLACE)}
    in_place, replacing = pairs.get(change.kind, (kinds.UPDATE, kinds.UPDATE_REPLACE))
    return provider_pb2.PropertyDiff(
        kind=replacing if change.replaces else in_place, inputDiff=change.kind == DELETE
    )


def _covers(ignored: list[str | int], path: Path) -> bool:
    return len(path) >= len(ignored) and all(
        expected in (step, EVERY_ITEM) for expected, step in zip(ignored, path, strict=False)
    )


def _equal(old: Any, new: Any) -> bool:
    # Python holds True == 1, an API does not.
    return isinstance(old, bool) == isinstance(new, bool) and bool(old == new)
