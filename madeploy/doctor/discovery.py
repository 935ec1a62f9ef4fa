"""Where an API server has objects: paths by kind, as its discovery tells (Kubernetes API concepts)."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from madeploy.clients.kubernetes import Kubernetes, Object


@dataclass(frozen=True)
class Resource:
    """One kind as the API server serves it."""

    group: str
    """Empty for the core group."""

    version: str
    plural: str
    namespaced: bool

    def path(self, namespace: str | None = None, name: str = "") -> str:
        """Path of the collection, or of an object in it."""
        start = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        where = f"/namespaces/{namespace}" if self.namespaced else ""
        return f"{start}{where}/{self.plural}" + (f"/{name}" if name else "")


@dataclass
class Discovery:
    """API discovery of one server, each group asked for once."""

    client: Kubernetes
    _groups: dict[str, Mapping[str, Resource]] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def resource(self, obj: Object) -> Resource | None:
        """How the kind of an object is served; None where it is not. Raises ClientError."""
        version = str(obj["apiVersion"])
        with self._lock:
            if version not in self._groups:
                self._groups[version] = self._ask(version)
            return self._groups[version].get(str(obj["kind"]))

    def path(self, obj: Object) -> str | None:
        """Path of an object; None where its kind is not served. Raises ClientError."""
        found = self.resource(obj)
        metadata = obj["metadata"]
        return None if found is None else found.path(metadata.get("namespace"), metadata["name"])

    def _ask(self, version: str) -> Mapping[str, Resource]:
        group, _, number = version.rpartition("/")
        answer = self.client.find(f"/apis/{version}" if group else f"/api/{version}")
        return {
            item["kind"]: Resource(group, number, item["name"], bool(item.get("namespaced")))
            for item in (answer or {}).get("resources") or ()
            if "/" not in item["name"]
        }
