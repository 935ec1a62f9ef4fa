"""The platform's API server as far as its definitions go: those of two releases, and what it does with them
when it starts."""

from __future__ import annotations

import threading
from typing import Any

from madeploy.clients.errors import ClientError
from madeploy.clients.kubernetes import Kubernetes
from madeploy.names.kubernetes import API_GROUP
from madeploy.releases import ReleaseName
from madeploy.sandbox import objects
from madeploy.schemas import platform
from manifests.definitions import DEFINITIONS

PODS = "/api/v1/namespaces/ma-system/pods"
REPORTS = "evaluationreports.michelangelo.api"


def of_release(release: ReleaseName) -> list[dict[str, Any]]:
    """The platform's definitions as a release has them: those of the embedded clusters, whose content passes
    unchecked, and those that are typed."""
    typed = {item["metadata"]["name"]: item for item in platform.definitions(release)}
    there = [
        typed.get(item["metadata"]["name"], item)
        for item in objects.definitions(is_control_plane=True)
        if item["spec"]["group"] == API_GROUP
    ]
    return [item for item in there if release != "2026.04" or item["metadata"]["name"] != REPORTS]


def install(api: Kubernetes, definitions: list[dict[str, Any]]) -> None:
    """Create definitions, or replace their versions."""
    for definition in definitions:
        path = f"{DEFINITIONS}/{definition['metadata']['name']}"
        if api.find(path) is None:
            api.create(DEFINITIONS, definition)
        else:
            api.merge(path, {"spec": {"versions": definition["spec"]["versions"]}})


class ApiServer(threading.Thread):
    """Once a pod of the API server with the new image is ready, makes the definitions of its release; where a
    definition would lose fields of objects that are there, it changes nothing, as the real one does, which
    then ends."""

    def __init__(self, api: Kubernetes, image_tag: str, definitions: list[dict[str, Any]]) -> None:
        super().__init__(daemon=True)
        self._api = api
        self._tag = image_tag
        self._definitions = definitions
        self._over = threading.Event()
        self.has_made = False

    def run(self) -> None:
        while not self._over.wait(0.2) and not self.has_made:
            try:
                pods = list(self._api.items(PODS, labelSelector="app=michelangelo-apiserver"))
                if any(self._is_new(pod) for pod in pods):
                    assert not list(self._api.items("/apis/michelangelo.api/v2/revisions"))
                    install(self._api, self._definitions)
                    self.has_made = True
            except ClientError:
                continue

    def _is_new(self, pod: dict[str, Any]) -> bool:
        conditions = (pod.get("status") or {}).get("conditions") or ()
        is_ready = any(item["type"] == "Ready" and item["status"] == "True" for item in conditions)
        return is_ready and pod["spec"]["containers"][0]["image"].endswith(f":{self._tag}")

    def __enter__(self) -> ApiServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()
