"""A sandbox driven as a user drives it: by its command line, and by kubectl and pulumi in its shell."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from madeploy.engine import processes
from madeploy.engine.commands import update

ROOT = Path(__file__).resolve().parents[2]
UP_LIMIT = 420
"""Seconds after which a command hangs; far above what any takes."""


@dataclass
class Deployed:
    """A sandbox of its own, driven by its command line only."""

    state: Path
    environ: dict[str, str]
    _shell: dict[str, str] = field(default_factory=dict)

    @property
    def stack_file(self) -> Path:
        """The sandbox's own copy of its stack file."""
        return self.state / "stack" / "Pulumi.sandbox.yaml"

    def madeploy(self, *arguments: str, limit: float = UP_LIMIT) -> subprocess.CompletedProcess[str]:
        """Run `madeploy` with this sandbox's state."""
        self._shell = {}
        return subprocess.run(
            [sys.executable, "-m", "madeploy", *arguments],
            cwd=ROOT,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=limit,
            check=False,
        )

    def shell(self) -> dict[str, str]:
        """The environment that `sandbox env` gives to a user's shell."""
        if not self._shell:
            exports = json.loads(self.madeploy("sandbox", "env", "--json").stdout)
            # A variable without a value is one that the shell is told to unset.
            whole = {**os.environ, **exports}
            self._shell = {name: value for name, value in whole.items() if value is not None}
        return self._shell

    def run(self, *command: str, limit: float = UP_LIMIT) -> subprocess.CompletedProcess[str]:
        """Run a program as typed by hand in that shell, at the root of the checkout."""
        return subprocess.run(
            command,
            cwd=ROOT,
            env=self.shell(),
            capture_output=True,
            text=True,
            timeout=limit,
            check=False,
        )

    def get(self, context: str, *arguments: str) -> dict[str, Any]:
        """What `kubectl get … -o json` shows in one cluster."""
        done = self.run("kubectl", "--context", context, "get", *arguments, "-o", "json")
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def aws(self, service: str) -> Any:
        """A client of one service of the sandbox's AWS, which owes nothing to the plugins."""
        import boto3

        shell = self.shell()
        return boto3.client(
            service,
            endpoint_url=shell["AWS_ENDPOINT_URL"],
            region_name=shell["AWS_REGION"],
            aws_access_key_id=shell["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=shell["AWS_SECRET_ACCESS_KEY"],
        )

    def deploy(self) -> None:
        """`sandbox up` with audit logs."""
        up = self.madeploy("sandbox", "up", "--audit")
        assert up.returncode == 0, up.stdout[-3000:] + up.stderr[-6000:]

    def bring_back(self, stack: str) -> None:
        """Undo what a test left that failed: no engine at work, this stack file, and everything written again
        that differs on the clusters. Where that cannot be done, all of it anew."""
        for pid in processes_of(self.state):
            program, *_ = processes.arguments(pid) or [""]
            if program.endswith("pulumi"):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        self.stack_file.write_text(stack)
        # Mends what killed engines leave; that others' fields are in the way is for the next one.
        self.madeploy("sandbox", "up")
        line = f"{update('sandbox', take_back=True)} --yes --skip-preview --non-interactive"
        if self.run(*line.split()).returncode != 0:
            self.madeploy("sandbox", "reset", "--yes")
            self.deploy()


def sandbox(state: Path) -> Deployed:
    """A sandbox that does not run yet."""
    return Deployed(state, {**os.environ, "MADEPLOY_STATE": str(state), "NO_COLOR": "1"})


@contextlib.contextmanager
def restored(deployed: Deployed) -> Iterator[None]:
    """Bring the stack back to what it was, whatever the block makes of its file."""
    before = deployed.stack_file.read_text()
    try:
        yield
    finally:
        deployed.stack_file.write_text(before)
        back = deployed.madeploy("sandbox", "up")
    assert back.returncode == 0, back.stdout[-3000:] + back.stderr[-4000:]


def pods(deployed: Deployed) -> dict[str, set[str]]:
    """Names of the pods of each service."""
    found: dict[str, set[str]] = {}
    for pod in deployed.get("control-plane", "pods", "-n", "ma-system")["items"]:
        if "deletionTimestamp" not in pod["metadata"]:
            found.setdefault(pod["metadata"]["labels"]["app"], set()).add(pod["metadata"]["name"])
    return found


def conditions(item: dict[str, Any]) -> set[str]:
    """Types of the conditions that hold."""
    return {c["type"] for c in item["status"]["conditions"] if c["status"] == "True"}


def processes_of(state: Path) -> list[int]:
    """Processes that carry a sandbox's state directory in their environment or command line."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            said = [*process.environ().values(), *process.cmdline()]
            if process.pid != os.getpid() and any(str(state) in text for text in said):
                found.append(process.pid)
    return found


def deletions(state: Path) -> list[tuple[str, str]]:
    """What the engine had deleted on the control plane, in order, as its API server's audit log has it."""
    lines = (state / "logs" / "control-plane-audit.log").read_text().splitlines()
    events = [json.loads(line) for line in lines]
    return [
        (event["objectRef"]["resource"], event["objectRef"]["name"])
        for event in events
        if event["verb"] == "delete"
        and event["stage"] == "ResponseComplete"
        and "name" in event["objectRef"]
        and not event["user"]["username"].startswith("system:")
    ]


def is_engine_of_up(pid: int) -> bool:
    """Whether a process is `pulumi up`; one that has ended meanwhile is not."""
    program, *arguments = processes.arguments(pid) or [""]
    return program.endswith("pulumi") and "up" in arguments


def kill_after(deployed: Deployed, said: str, *command: str, engine_too: bool = False) -> None:
    """Start a command in the sandbox's shell, and end it without warning once it has said something on
    stderr; the engine it started lives on unless it is to end as well."""
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=deployed.shell(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as child:
        assert child.stderr is not None
        heard = []
        for line in child.stderr:
            heard.append(line)
            if said in line:
                if engine_too:
                    for engine in filter(is_engine_of_up, processes_of(deployed.state)):
                        os.kill(engine, signal.SIGKILL)
                os.killpg(child.pid, signal.SIGKILL)
                return
        pytest.fail(f"it never said {said!r}: {''.join(heard)[-4000:]}")


def kill_engine_during_up(made: Deployed) -> None:
    """Start `sandbox up` and end its engine without warning once its plugin has begun to write."""

    def written() -> int:
        lines = (made.state / "logs" / "control-plane-audit.log").read_text().splitlines()
        return sum("pulumi-kubernetes/" in line and "dryRun=" not in line for line in lines)

    before = written()
    command = [sys.executable, "-m", "madeploy", "sandbox", "up"]
    with subprocess.Popen(
        command, cwd=ROOT, env=made.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as up:
        while written() <= before:
            assert up.poll() is None, "it ended before it wrote anything"
            time.sleep(0.02)
        (engine,) = [pid for pid in processes_of(made.state) if is_engine_of_up(pid)]
        os.kill(engine, signal.SIGKILL)
        assert up.wait(timeout=UP_LIMIT) != 0
