"""Creating, changing and deleting objects the way pulumi-kubernetes 4.32 does.

A creation is a POST, so that what exists already is never taken over unnoticed; from then on objects change
by server-side apply without force, so that another manager's fields are a conflict, told by name."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from madeploy.sandbox.plugins.kubernetes.client import ApiError, Client, NoSuchKindError, Object
from madeploy.sandbox.plugins.kubernetes.objects import annotation

PATCH_FORCE = "pulumi.com/patchForce"
PROPAGATION = "pulumi.com/deletionPropagationPolicy"

RETRY_PAUSES = (0.2, 0.4, 0.8, 1.6, 3.2, 6.4)
"""Seconds between attempts while a namespace or a definition that the object needs is still missing."""

# Managers whose fields an update takes over: this object's own creation, kubectl's edits, older Pulumi
# versions.
_TAKEN_OVER = (
    ("kubectl", "Apply"),
    ("kubectl", "Update"),
    ("before-first-apply", "Update"),
    ("pulumi-kubernetes", "Update"),
    ("pulumi-resource-kubernetes", "Update"),
)

Result = TypeVar("Result")


class ConflictError(Exception):
    """Another manager owns a field that the program sets. The text names it."""


class Applier:
    """Writes objects to one API server.

    Args:
        client: the server.
        cancelled: set when the user interrupts.
        force: whether conflicts are overridden (`enablePatchForce`).
        upsert: whether a creation takes over what exists (`upsertExistingObjects`).
    """

    def __init__(self, client: Client, cancelled: threading.Event, force: bool, upsert: bool) -> None:
        self._client = client
        self._cancelled = cancelled
        self._force = force
        self._upsert = upsert

    def create(
        self, target: Object, manager: str, say: Callable[[str], None], only_patch: bool = False
    ) -> Object:
        """Make `target`; with `only_patch`, set its fields on an object that is someone else's.

        Raises:
            ApiError: the server refused; reason `AlreadyExists` where the object is there.
            NoSuchKindError: its definition did not appear in time.
            ConflictError: with `upsert` or `only_patch`, a field belongs to another manager.
        """

        def attempt() -> Object:
            if only_patch or self._upsert:
                return self._apply(target, manager)
            return self._client.create(target, manager)

        return self._retried(attempt, say)

    def preview_create(self, target: Object, manager: str) -> Object:
        """What the server would make of a creation, without doing it.

        Raises:
            ApiError, NoSuchKindError: it would refuse.
        """
        if self._upsert:
            return self._client.apply(target, manager, force=True, dry_run=True)
        return self._client.create(target, manager, dry_run=True)

    def update(self, target: Object, name: str, manager: str, ignored: Sequence[Sequence[str]]) -> Object:
        """Change the object called `name` into `target`.

        Args:
            ignored: paths whose live values are kept.

        Raises:
            ApiError: the server refused.
            ConflictError: a field belongs to another manager.
        """
        live = self._client.get(target, name)
        if target["kind"] == "CustomResourceDefinition":
            # An apply would leave versions behind that the new definition drops.
            versioned = {**target["metadata"], "resourceVersion": live["metadata"]["resourceVersion"]}
            return self._client.replace({**target, "metadata": versioned}, manager)
        live = self._taken_over(live, manager)
        return self._apply(keeping(target, live, manager, ignored), manager)

    def preview_update(
        self, target: Object, name: str, manager: str, ignored: Sequence[Sequence[str]]
    ) -> Object:
        """What the server would make of an update.

        Raises:
            ApiError: it would refuse.
            ConflictError: a field belongs to another manager.
        """
        live = self._client.get(target, name)
        ours = any(
            _matches(entry, manager) and entry["operation"] == "Update" for entry in _managed_fields(live)
        )
        return self._apply(keeping(target, live, manager, ignored), manager, dry_run=True, force=ours)

    def expected(self, target: Object, manager: str) -> Object | None:
        """`target` as the server would spell it, or `None` where it would refuse."""
        try:
            return self._client.apply(target, manager, force=True, dry_run=True)
        except (ApiError, NoSuchKindError):
            return None

    def release(self, target: Object, manager: str) -> None:
        """Give up every field that `manager` set, leaving the object to its owner."""
        identity = {
            key: target["metadata"][key] for key in ("name", "namespace") if key in target["metadata"]
        }
        empty = {"apiVersion": target["apiVersion"], "kind": target["kind"], "metadata": identity}
        self._client.apply(empty, manager)

    def delete(self, target: Object, name: str, inputs: Object) -> None:
        """Ask for the deletion of the object called `name`, in the way that an annotation in `inputs` says.

        Raises:
            ApiError: the server refused; status 404 where it is gone.
        """
        wanted = annotation(inputs, PROPAGATION).lower()
        self._client.delete(
            target, name, {"orphan": "Orphan", "background": "Background"}.get(wanted, "Foreground")
        )

    def _apply(self, target: Object, manager: str, dry_run: bool = False, force: bool = False) -> Object:
        wanted = annotation(target, PATCH_FORCE)
        forced = force or (wanted == "true" if wanted else self._force)
        try:
            return self._client.apply(target, manager, force=forced, dry_run=dry_run)
        except ApiError as error:
            if error.reason != "Conflict":
                raise
            raise ConflictError(
                "Server-Side Apply field conflict detected.\n"
                f'The resource managed by field manager "{manager}" had an apply conflict: {error.message}'
            ) from None

    def _taken_over(self, live: Object, manager: str) -> Object:
        entries = _managed_fields(live)
        taken = [entry for entry in entries if _matches(entry, manager)]
        if not taken:
            return live
        fields: dict[str, Any] = {}
        kept = []
        for entry in entries:
            mine = (
                entry.get("manager") == manager
                and entry["operation"] == "Apply"
                and not entry.get("subresource")
            )
            if mine or entry in taken:
                fields = _union(fields, entry.get("fieldsV1", {}))
            else:
                kept.append(entry)
        own = {**taken[0], "manager": manager, "operation": "Apply", "fieldsV1": fields}
        return self._client.patch(
            live,
            [
                {"op": "replace", "path": "/metadata/managedFields", "value": [*kept, own]},
                {
                    "op": "replace",
                    "path": "/metadata/resourceVersion",
                    "value": live["metadata"]["resourceVersion"],
                },
            ],
        )

    def _retried(self, attempt: Callable[[], Result], say: Callable[[str], None]) -> Result:
        for number, pause in enumerate(RETRY_PAUSES, start=1):
            try:
                return attempt()
            except NoSuchKindError as error:
                reason = str(error)
            except ApiError as error:
                if error.status != 404:
                    raise
                reason = error.message
            say(f"Retry #{number}; creation failed: {reason}")
            if self._cancelled.wait(pause):
                break
        return attempt()


def keeping(target: Object, live: Object, manager: str, ignored: Sequence[Sequence[str]]) -> Object:
    """`target` with the fields at the `ignored` paths left as they are in `live`.

    A field that another manager owns is left out, so that it does not become ours as well.
    """
    ours = _owned(entry for entry in _managed_fields(live) if entry.get("manager") == manager)
    theirs = _owned(entry for entry in _managed_fields(live) if entry.get("manager") != manager)
    for path in ignored:
        if _owns(theirs, path) and not _owns(ours, path):
            target = _replaced(target, path, None)
        elif (value := _value_at(live, path)) is not None:
            target = _replaced(target, path, value)
    return target


def _managed_fields(live: Object) -> list[dict[str, Any]]:
    return list(live["metadata"].get("managedFields") or [])


def _matches(entry: dict[str, Any], manager: str) -> bool:
    if entry.get("subresource"):
        return False
    name, operation = str(entry.get("manager", "")), entry.get("operation")
    if name == manager:
        return operation == "Update"
    # Another resource of ours applies under a name of its own: that is a conflict, and stays one.
    if name.startswith("pulumi-kubernetes-"):
        return False
    return any(name.startswith(prefix) and operation == wanted for prefix, wanted in _TAKEN_OVER)


def _union(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    return {
        key: _union(one.get(key, {}), other.get(key, {}))
        for key in (*one, *(key for key in other if key not in one))
    }


def _owned(entries: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for entry in entries:
        fields = _union(fields, entry.get("fieldsV1", {}))
    return fields


def _owns(fields: dict[str, Any], path: Sequence[str]) -> bool:
    for step in path:
        if f"f:{step}" not in fields:
            return False
        fields = fields[f"f:{step}"]
    return True


def _value_at(target: Any, path: Sequence[str]) -> Any:
    for step in path:
        if not isinstance(target, dict) or step not in target:
            return None
        target = target[step]
    return target


def _replaced(target: Object, path: Sequence[str], value: Any) -> Object:
    """A copy of `target` with `value` at `path`, or without the field where `value` is `None`."""
    step, rest = path[0], path[1:]
    if rest:
        inner = target.get(step)
        if not isinstance(inner, dict) and value is None:
            return target
        value = _replaced(inner if isinstance(inner, dict) else {}, rest, value)
    if value is None:
        return {key: item for key, item in target.items() if key != step}
    return {**target, step: value}
