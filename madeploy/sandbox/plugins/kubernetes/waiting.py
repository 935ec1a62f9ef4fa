"""Waiting for objects to become ready or to go away, with a word on what is missing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from madeploy.sandbox.plugins.kubernetes.client import ApiError, Client, Object, UnreachableError
from madeploy.sandbox.plugins.kubernetes.readiness import HopelessError, Rule

FIRST_LOOK_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 1.0
PAUSE_GROWTH = 1.5


class NotReadyError(Exception):
    """The wait ended without the object being ready.

    Args:
        message: what happened, the object's name in it.
        reasons: why it is not ready, as last seen.
        live: the object as last seen.
    """

    def __init__(self, message: str, reasons: list[str], live: Object) -> None:
        super().__init__(message)
        self.message = message
        self.reasons = reasons
        self.live = live


class Waiter:
    """Waits on one API server.

    Args:
        client: the server.
        cancelled: set when the user interrupts; every wait ends at once.
        say: shows a passing line of status.
    """

    def __init__(self, client: Client, cancelled: threading.Event, say: Callable[[str], None]) -> None:
        self._client = client
        self._cancelled = cancelled
        self._say = say

    def until_ready(self, live: Object, rule: Rule, seconds: float) -> Object:
        """The object once `rule` holds.

        Raises:
            NotReadyError: it did not within `seconds`, cannot any more, or the wait was interrupted.
        """
        name = live["metadata"]["name"]
        deadline = time.monotonic() + seconds
        pause = FIRST_LOOK_SECONDS
        told = ""
        while True:
            try:
                reasons = rule(self._client, live)
            except HopelessError as failure:
                raise NotReadyError(
                    f"'{name}' will not become Ready: {failure}", [str(failure)], live
                ) from None
            if not reasons:
                return live
            if reasons[0] != told:
                told = reasons[0]
                self._say(told)
            if time.monotonic() + pause > deadline:
                raise NotReadyError(f"'{name}' timed out waiting to be Ready", reasons, live)
            if self._cancelled.wait(pause):
                raise NotReadyError(f"Resource operation was cancelled for '{name}'", reasons, live)
            pause = min(pause * PAUSE_GROWTH, LONGEST_PAUSE_SECONDS)
            live = self._look(live)

    def until_gone(self, live: Object, name: str, seconds: float) -> None:
        """Return once no object called `name` (of `live`'s kind and namespace) exists.

        Raises:
            NotReadyError: it still does after `seconds`, or the wait was interrupted.
        """
        deadline = time.monotonic() + seconds
        uid = live["metadata"].get("uid")
        pause = FIRST_LOOK_SECONDS
        while True:
            try:
                found = self._client.get(live, name)
            except ApiError as error:
                if error.status == 404:
                    return
                raise
            # Somebody made another object of this name meanwhile; ours is gone.
            if uid and found["metadata"].get("uid") != uid:
                return
            if time.monotonic() + pause > deadline:
                raise NotReadyError(
                    f'Timed out waiting for deletion of {live["apiVersion"]}/{live["kind"]} "{name}"',
                    _obstacles(found),
                    found,
                )
            if self._cancelled.wait(pause):
                raise NotReadyError(
                    f"Resource operation was cancelled for '{name}'", _obstacles(found), found
                )
            pause = min(pause * PAUSE_GROWTH, LONGEST_PAUSE_SECONDS)

    def _look(self, live: Object) -> Object:
        try:
            return self._client.get(live)
        except UnreachableError as error:
            # A server that restarts in the middle of a roll-out; the deadline still holds.
            self._say(str(error))
            return live
        except ApiError as error:
            raise NotReadyError(
                f"'{live['metadata']['name']}' cannot be waited for", [error.message], live
            ) from None


def _obstacles(found: Object) -> list[str]:
    finalizers = found["metadata"].get("finalizers") or found.get("spec", {}).get("finalizers")
    reasons = [f"it has finalizers: {', '.join(map(str, finalizers))}"] if finalizers else []
    conditions = found.get("status", {}).get("conditions") if isinstance(found.get("status"), dict) else None
    return reasons + [
        str(entry["message"])
        for entry in conditions or []
        if found["kind"] == "Namespace" and entry.get("status") == "True" and entry.get("message")
    ]
