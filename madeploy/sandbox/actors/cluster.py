"""What the actors see of a cluster, and how they write what a controller would write."""

from __future__ import annotations

import copy
import datetime
import threading
import time
from collections.abc import Callable
from typing import Any

from madeploy.clients.errors import ClientError
from madeploy.clients.kubernetes import Kubernetes, Object
from madeploy.sandbox import objects

WATCH_SECONDS = 300
"""Time after which the API server ends a watch, which then goes on where it was."""
SHORT_SECONDS = 1.0
"""A watch that ended sooner and told nothing is not begun again at once: whatever closes it would be asked
without end."""


class Watched:
    """Collections as the API server last told of them: each is listed once and watched from there, so that
    looking every second asks nothing."""

    def __init__(self, api: Kubernetes) -> None:
        self._api = api
        self._lock = threading.Lock()
        self._collections: dict[str, _Collection] = {}

    def all(self, path: str) -> list[Object]:
        """Objects of every namespace under `path`. Raises ClientError."""
        with self._lock:
            collection = self._collections.setdefault(path, _Collection(self._api, path))
        return collection.all()


class _Collection:
    """One of them. It is listed anew when its watch has ended with an error, or its kind was not served."""

    def __init__(self, api: Kubernetes, path: str) -> None:
        self._api = api
        self._path = path
        self._lock = threading.Lock()
        self._is_watched = False
        self._items: dict[str, Object] = {}

    def all(self) -> list[Object]:
        with self._lock:
            if not self._is_watched:
                # From the API server's cache: a kind that is not there is asked for every second.
                answer = self._api.find(self._path, resourceVersion=0)
                self._items = {_uid(item): item for item in (answer or {}).get("items") or []}
                if answer is not None:
                    self._is_watched = True
                    version = str(answer["metadata"]["resourceVersion"])
                    threading.Thread(target=self._follow, args=(version,), daemon=True).start()
            return list(self._items.values())

    def _follow(self, version: str) -> None:
        try:
            while True:
                began, known = time.monotonic(), version
                for event in self._api.watch(self._path, version, WATCH_SECONDS):
                    if event.get("type") == "ERROR":  # the version is too old
                        return
                    item = event["object"]
                    version = item["metadata"]["resourceVersion"]
                    with self._lock:
                        if event["type"] == "DELETED":
                            self._items.pop(_uid(item), None)
                        elif event["type"] != "BOOKMARK":
                            self._items[_uid(item)] = item
                if version == known and time.monotonic() - began < SHORT_SECONDS:
                    time.sleep(SHORT_SECONDS)
        except ClientError:
            return
        finally:
            with self._lock:
                self._is_watched = False


def _uid(item: Object) -> str:
    return str(item["metadata"]["uid"])


class View:
    """One look at a cluster: each kind is listed at most once, or not at all where `watched` knows it."""

    def __init__(self, api: Kubernetes, say: Callable[[str], None], watched: Watched | None = None) -> None:
        self._api = api
        self._say = say
        self._watched = watched
        self._listed: dict[str, list[Object]] = {}

    def all(self, path: str) -> list[Object]:
        """Objects of every namespace under `path` (`/apis/networking.k8s.io/v1/ingresses`)."""
        if path not in self._listed and self._watched is not None:
            self._listed[path] = self._watched.all(path)
        elif path not in self._listed:
            answer = self._api.find(path, resourceVersion=0) or {}
            self._listed[path] = answer.get("items") or []
        return self._listed[path]

    def get(self, path: str) -> Object | None:
        """One object, None where there is none."""
        return self._api.find(path)

    def apply(self, item: Object) -> None:
        """Create or change an object of the actors' own."""
        objects.write(self._api, item)
        self._say(f"{item['kind']} {item['metadata']['namespace']}/{item['metadata']['name']} written")

    def set_status(self, path: str, item: Object, status: dict[str, Any]) -> None:
        """Write fields of an object's status, if they are not there already.

        Conditions are compared and kept without their times; one that changes gets the present time.
        """
        metadata = item["metadata"]
        present = item.get("status") or {}
        wanted = copy.deepcopy(status)
        _keep_times(wanted, present)
        if all(present.get(field) == value for field, value in wanted.items()):
            return
        head, _, plural = path.rpartition("/")
        namespace = f"/namespaces/{metadata['namespace']}" if "namespace" in metadata else ""
        try:
            status_path = f"{head}{namespace}/{plural}/{metadata['name']}/status"
            self._api.merge(status_path, {"status": wanted}, objects.FIELD_MANAGER)
        except ClientError as error:
            if error.cause != "notFound":  # deleted meanwhile
                raise
        self._say(f"{plural} {metadata.get('namespace', '')}/{metadata['name']}: status written")


def condition(kind: str, is_true: bool, reason: str, message: str, generation: int) -> dict[str, Any]:
    """A Kubernetes condition; `View.set_status` puts the time in."""
    return {
        "type": kind,
        "status": "True" if is_true else "False",
        "reason": reason,
        "message": message,
        "observedGeneration": generation,
    }


def _keep_times(wanted: Any, present: Any) -> None:
    """Give conditions without a time that of the same condition in `present`, or the present time."""
    if isinstance(wanted, dict):
        if {"type", "status", "reason"} <= set(wanted):
            same = isinstance(present, dict) and present.get("status") == wanted["status"]
            now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
            wanted["lastTransitionTime"] = present.get("lastTransitionTime", now) if same else now
            return
        for key, value in wanted.items():
            _keep_times(value, present.get(key) if isinstance(present, dict) else None)
    elif isinstance(wanted, list):
        for index, value in enumerate(wanted):
            counterpart = present[index] if isinstance(present, list) and index < len(present) else None
            _keep_times(value, counterpart)
