"""A verification that is interrupted takes its pods away before it ends: as a process that gets a signal."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.http_double import Answer, http_double
from tests.support.stacks import stack_text

pytestmark = pytest.mark.whole

ROOT = Path(__file__).parents[2]
SECONDS = 60.0


class ApiServer:
    """Takes pods, never starts them, and knows nothing else."""

    def __init__(self) -> None:
        self.pods: dict[str, bytes] = {}
        self.made = 0

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        """Creation, look and deletion of pods."""
        path = path.partition("?")[0]
        found = re.fullmatch(r"(/api/v1/namespaces/[^/]+/pods)(/[^/]+)?", path)
        if found and method == "POST":
            self.made += 1
            self.pods[f"{found[1]}/{json.loads(body)['metadata']['name']}"] = body
            return 201, {}, body
        if found and found[2] and path in self.pods:
            return 200, {}, self.pods.pop(path) if method == "DELETE" else self.pods[path]
        if found and not found[2]:
            return 200, {}, b'{"items": []}'
        return 404, {}, b'{"kind": "Status", "message": "not found"}'


def kubeconfig(address: str) -> dict[str, object]:
    """A kubeconfig with both contexts, for a server without TLS."""
    names = ("hub", "gpu")
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": f"http://{address}"}} for name in names],
        "users": [{"name": name, "user": {"token": "of-nobody"}} for name in names],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}} for name in names],
    }


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=["Ctrl-C", "SIGTERM", "SIGHUP"]
)
def test_a_signal_takes_the_pods_along(number: signal.Signals, tmp_path: Path) -> None:
    """UX-8, NET-14: whatever its threads are waiting for."""
    server = ApiServer()
    with http_double(server.answer) as address:
        (tmp_path / "kubeconfig").write_text(json.dumps(kubeconfig(address)))
        sections = {
            "controlPlane": {"kubeconfigContext": "hub"},
            "kubeconfigs": ...,
            "domains": {"api": "api.nowhere.example", "app": "app.nowhere.example"},
            "clusters": {"gpu": {"kubeconfigContext": "gpu"}},
        }
        stack = tmp_path / "Pulumi.lab.yaml"
        stack.write_text(stack_text(sections))
        environ = {
            **os.environ,
            "KUBECONFIG": str(tmp_path / "kubeconfig"),
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        command = [sys.executable, "-m", "madeploy", "verify", str(stack), "--pods"]
        with subprocess.Popen(
            command, cwd=ROOT, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        ) as verifying:
            end = time.monotonic() + SECONDS
            while len(server.pods) < 2:
                assert verifying.poll() is None, verifying.communicate()[1]
                assert time.monotonic() < end, "no pod was made"
                time.sleep(0.02)
            verifying.send_signal(number)
            assert verifying.wait(SECONDS) != 0
    assert server.made == 2
    assert server.pods == {}
