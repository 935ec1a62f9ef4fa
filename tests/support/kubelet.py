"""Clusters in memory with the sandbox's own player of the kubelet for pods of connectivity checks."""

from __future__ import annotations

import threading
from typing import Any

from madeploy.clients.kubernetes import Object
from madeploy.sandbox.actors.cluster import View
from madeploy.sandbox.actors.connectivity import ConnectivityActor
from tests.support.furnished import Furnished


class _View(View):
    """What the actor sees of a cluster in memory."""

    def __init__(self, cluster: Furnished) -> None:
        self._cluster = cluster

    def all(self, path: str) -> list[Object]:
        return list(self._cluster.items(path))

    def get(self, path: str) -> Object | None:
        return self._cluster.find(path)

    def set_status(self, path: str, item: Object, status: dict[str, Any]) -> None:
        metadata = item["metadata"]
        key = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"
        if key in self._cluster.objects:
            self._cluster.objects[key]["status"] = status


class WithKubelet(Furnished):
    """A cluster in memory that runs the pods of connectivity checks."""

    is_asleep = False

    def create(self, path: str, item: Object, **query: Any) -> Object:
        """Create, and run."""
        made = super().create(path, item, **query)
        if query.get("dryRun") != "All" and not self.is_asleep:
            held = self.objects[f"{path}/{item['metadata']['name']}"]
            held["metadata"]["uid"] = held["metadata"]["name"]
            held["status"] = {"phase": "Running"}
            self.serve(held)
            actor = ConnectivityActor(lambda text: None)
            threading.Thread(target=actor.play, args=(_View(self),), daemon=True).start()
        return made
