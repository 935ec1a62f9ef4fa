"""What a program's new inputs change on an object.

As pulumi-kubernetes 4 does, new inputs are compared with the last known live object, cut to the shape of the
inputs that made it: fields a cluster adds are no change, and drift is one once a refresh has seen it.
    Different spellings of the same value (`1000m` and `1`) are told apart by the API server: a dry run says
    what the new inputs would become."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any

from madeploy.sandbox.plugins.comparing import DELETE, MISSING, Change, compared, value_at
from madeploy.sandbox.plugins.kubernetes.immutable import Pattern, touches
from madeploy.sandbox.plugins.properties import has_unknown


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
    found = list(compared(old, new, lambda path, value: touches(path, value, patterns)))
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


def _same_on_server(
    change: Change, new: dict[str, Any], outcome: dict[str, Any], live: dict[str, Any]
) -> bool:
    """Whether `change` is one of spelling only.

    That is so where the server would end with the value it has. Where it would end with nothing, only an
    empty value is no change: a field with contents that the server drops is a mistake, to be seen at every
    preview."""
    if change.kind == DELETE:
        return False
    before, after = value_at(live, change.path), value_at(outcome, change.path)
    if before is MISSING and after is MISSING:
        return not value_at(new, change.path)
    return before is not MISSING and after is not MISSING and bool(before == after)
