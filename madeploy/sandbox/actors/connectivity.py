"""The kubelet, for pods of connectivity checks alone: their program runs as a process of this machine.

Such a pod is told by its label. It gets the variables that its manifest gives it, those of ConfigMaps and
Secrets among them, and no role; what it writes as termination message becomes its status.
"""

from __future__ import annotations

import base64
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from madeploy.clients.kubernetes import Object
from madeploy.sandbox.actors.cluster import View

LABEL: Final = "michelangelo.infra/connectivity-check"
PODS: Final = "/api/v1/pods"
SECONDS: Final = 60.0
_MESSAGE: Final = "MADEPLOY_PROBE_MESSAGE"
"""Variable by which the program is told where its termination message goes, in place of /dev."""


class ConnectivityActor:
    """Runs each such pod once, after kwok has it running."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._begun: set[str] = set()

    def play(self, view: View) -> None:
        """Run the pods that have not been run yet, one after the other."""
        for pod in view.all(PODS):
            uid = str(pod["metadata"].get("uid"))
            is_check = LABEL in (pod["metadata"].get("labels") or {})
            if is_check and uid not in self._begun and (pod.get("status") or {}).get("phase") == "Running":
                self._begun.add(uid)
                self._say(f"pod {pod['metadata']['name']} runs as a process of this machine")
                view.set_status(PODS, pod, self._run(view, pod))

    def _run(self, view: View, pod: Object) -> dict[str, Any]:
        (container,) = pod["spec"]["containers"]
        with tempfile.TemporaryDirectory() as folder:
            message = Path(folder) / "message"
            environ = {"PATH": os.environ["PATH"], "TMPDIR": folder, **dict(_variables(view, pod, container))}
            try:
                done = subprocess.run(
                    [sys.executable, *container["command"][1:]],
                    env={**environ, _MESSAGE: str(message)},
                    cwd=folder,
                    capture_output=True,
                    text=True,
                    timeout=SECONDS,
                    check=False,
                )
                code, said = done.returncode, done.stderr[-200:]
            except subprocess.TimeoutExpired:
                code, said = 137, "it took too long"
            text = message.read_text(encoding="utf-8") if message.exists() else said
        terminated = {"exitCode": code, "message": text, "reason": "Completed" if code == 0 else "Error"}
        status = {
            "name": container["name"],
            "image": container["image"],
            "imageID": "",
            "ready": False,
            "restartCount": 0,
            "state": {"terminated": terminated},
        }
        return {"phase": "Succeeded" if code == 0 else "Failed", "containerStatuses": [status]}


def _variables(view: View, pod: Object, container: Object) -> Iterator[tuple[str, str]]:
    """Variables of a container: of its sources first, its own over them."""
    namespace = pod["metadata"]["namespace"]
    for source in container.get("envFrom") or ():
        for reference, plural in (("configMapRef", "configmaps"), ("secretRef", "secrets")):
            if reference not in source:
                continue
            path = f"/api/v1/namespaces/{namespace}/{plural}/{source[reference]['name']}"
            data = (view.get(path) or {}).get("data") or {}
            for key, value in data.items():
                yield key, base64.b64decode(value).decode() if plural == "secrets" else value
    for item in container.get("env") or ():
        yield item["name"], str(item.get("value") or "")
