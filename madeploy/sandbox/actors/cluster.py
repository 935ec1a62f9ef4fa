"""What the actors see of a cluster, and how they write what a controller would write."""

from __future__ import annotations

import copy
import datetime
from collections.abc import Callable
from typing import Any

from madeploy.clients.errors import ClientError
from madeploy.clients.kubernetes import Kubernetes, Object
from madeploy.sandbox import objects


class View:
    """One look at a cluster: each kind is listed at most once."""

    def __init__(self, api: Kubernetes, say: Callable[[str], None]) -> None:
        self._api = api
        self._say = say
        self._listed: dict[str, list[Object]] = {}

    def all(self, path: str) -> list[Object]:
        """Objects of every namespace under `path` (`/apis/networking.k8s.io/v1/ingresses`)."""
        if path not in self._listed:
            # From the API server's cache: this is asked every second.
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
