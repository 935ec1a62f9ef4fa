"""The kubelet, played for pods of connectivity checks: their program runs as a process of this machine."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from madeploy.clients.kubernetes import Object
from tests.support.furnished import Furnished


def played(pod: Object, given: Mapping[str, str]) -> dict[str, Any]:
    """Run a pod's container as a process, and give its `state`. `given` are variables that a cluster adds: of
    ConfigMaps and Secrets, and of roles."""
    (container,) = pod["spec"]["containers"]
    program, *arguments = container["command"]
    assert program == "python3"
    with tempfile.TemporaryDirectory() as folder:
        message = Path(folder) / "message"
        variables = {item["name"]: item["value"] for item in container["env"]}
        done = subprocess.run(
            [sys.executable, *arguments],
            env={"PATH": os.environ["PATH"], "TMPDIR": folder, **given, **variables}
            | {"MADEPLOY_PROBE_MESSAGE": str(message)},
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        said = message.read_text(encoding="utf-8") if message.exists() else done.stderr[-200:]
    return {"terminated": {"exitCode": done.returncode, "message": said}}


class WithKubelet(Furnished):
    """A cluster in memory that runs the pods of connectivity checks."""

    given: Mapping[str, str] = {}
    is_asleep = False

    def create(self, path: str, item: Object, **query: Any) -> Object:
        """Create, and run."""
        made = super().create(path, item, **query)
        if query.get("dryRun") != "All" and not self.is_asleep:
            key = f"{path}/{item['metadata']['name']}"
            threading.Thread(target=self._run, args=(key,), daemon=True).start()
        return made

    def _run(self, key: str) -> None:
        state = played(self.objects[key], self.given)
        if key in self.objects:
            self.objects[key]["status"] = {"containerStatuses": [{"name": "probe", "state": state}]}
