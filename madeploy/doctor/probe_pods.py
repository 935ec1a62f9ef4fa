"""Pods that look from where traffic really starts: made, waited for, read, and always taken away."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import json
import os
import pkgutil
import platform
import secrets
import threading
import time
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from madeploy.clients.errors import ClientError
from madeploy.clients.kubernetes import Kubernetes, Object
from madeploy.clients.objects import condition, seconds_of
from madeploy.doctor.probe import Target
from madeploy.engine import processes
from madeploy.names.images import retention_reference
from madeploy.names.kubernetes import common_labels
from madeploy.settings import Environment
from manifests.pods import container_security, pod_security

LABEL: Final = "michelangelo.infra/connectivity-check"
"""Label of these pods, by which the next run finds what an earlier one left."""
MAKER: Final = "michelangelo.infra/made-by"
"""Annotation that tells which process of which machine made one."""
SECONDS: Final = 75.0
"""Until a pod has to be through: image, start and probe."""
POLL_SECONDS: Final = 0.5
_CREATE_SECONDS: Final = 10.0
"""Which an interrupted run waits for pods that are just being made, so that it can take them away."""
_DEADLINE_SECONDS: Final = 90
"""After which the kubelet itself ends the pod, should nobody take it away."""
_PROGRAM: Final = {
    "madeploy": ("__init__.py",),
    "madeploy.doctor": ("__init__.py", "probe.py"),
    "madeploy.registry": ("__init__.py",),
    "madeploy.registry.retention": ("__init__.py", "signing.py", "terms.py", "transport.py"),
}
"""Files that the probe consists of, by package."""
_START: Final = (
    "import base64,io,os,runpy,sys,tempfile,zipfile;"
    "d=tempfile.mkdtemp();"
    "zipfile.ZipFile(io.BytesIO(base64.b64decode(os.environ['MADEPLOY_PROGRAM']))).extractall(d);"
    "sys.path.insert(0,d);"
    "runpy.run_module('madeploy.doctor.probe',run_name='__main__')"
)


@dataclass(frozen=True)
class Source:
    """Source of a connectivity check: a namespace, and what makes a pod there like the one it stands for."""

    namespace: str
    service_account: str
    labels: Mapping[str, str] = field(default_factory=dict)
    env_from: Sequence[Mapping[str, Any]] = ()
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """Result of one pod's connectivity checks."""

    results: Mapping[str, Mapping[str, str]] | None
    """State and words by target; None where it did not run."""

    why: str = ""
    """Why it did not."""


def pod(environment: Environment, source: Source, targets: Sequence[Target], name: str) -> Object:
    """The pod, as restricted as Pod Security asks for."""
    env = {
        **source.env,
        "MADEPLOY_PROGRAM": base64.b64encode(program()).decode(),
        "MADEPLOY_PROBE": json.dumps(list(targets)),
    }
    spec: dict[str, Any] = {
        "serviceAccountName": source.service_account,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "restartPolicy": "Never",
        "activeDeadlineSeconds": _DEADLINE_SECONDS,
        "terminationGracePeriodSeconds": 1,
        "securityContext": pod_security({}),
        "containers": [
            {
                "name": "probe",
                "image": retention_reference(environment),
                "imagePullPolicy": environment.images.pull_policy,
                "command": ["python3", "-B", "-s", "-c", _START],
                "env": [{"name": key, "value": value} for key, value in env.items()],
                "envFrom": [dict(item) for item in source.env_from],
                "resources": {
                    "requests": {"cpu": "10m", "memory": "64Mi"},
                    "limits": {"memory": "64Mi"},
                },
                "securityContext": container_security(),
                "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
            }
        ],
        "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": "8Mi"}}],
    }
    if environment.images.pull_secrets:
        spec["imagePullSecrets"] = [{"name": each} for each in environment.images.pull_secrets]
    labels = {**common_labels(), **source.labels, LABEL: "true"}
    metadata = {
        "name": name,
        "namespace": source.namespace,
        "labels": labels,
        "annotations": {MAKER: f"{_machine()} {os.getpid()} {processes.start_mark(os.getpid())}"},
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def program() -> bytes:
    """The probe as a zip archive, the same for the same sources."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for package, files in _PROGRAM.items():
            for file in files:
                content = pkgutil.get_data(package, file)
                assert content is not None, f"{package} has no {file}"
                # One date for all: what is sent is told by what is in it.
                entry = zipfile.ZipInfo(f"{package.replace('.', '/')}/{file}", (2026, 1, 1, 0, 0, 0))
                archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


class Pods:
    """Pods of one run. As a context manager it takes away all that are left when it ends, however that is:
    checks run in threads that an interrupt does not reach."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._made: dict[str, Kubernetes] = {}
        self._changed = threading.Condition()
        self._creating = 0
        self._is_over = False

    def __enter__(self) -> Pods:
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._is_over = True
            # What is asked for but not there yet could not be taken away, and would stay.
            self._changed.wait_for(lambda: not self._creating, _CREATE_SECONDS)
        for path, client in list(self._made.items()):
            self._take_away(client, path)

    def run(
        self, client: Kubernetes, environment: Environment, source: Source, targets: Sequence[Target]
    ) -> Outcome:
        """Run a pod, read what it says, and take it away; pods of a run that was killed are taken away first.
        Raises ClientError."""
        sweep(client, source.namespace)
        collection = f"/api/v1/namespaces/{source.namespace}/pods"
        name = f"madeploy-connectivity-{secrets.token_hex(4)}"
        path = f"{collection}/{name}"
        with self._changed:
            if self._is_over:
                return Outcome(None, "the run was interrupted")
            self._made[path] = client
            self._creating += 1
        try:
            try:
                client.create(collection, pod(environment, source, targets, name))
            finally:
                with self._changed:
                    self._creating -= 1
                    self._changed.notify_all()
            return _awaited(client, path, self._seconds)
        except ClientError as error:
            if error.cause in ("forbidden", "invalid", "notFound", "conflict"):
                return Outcome(None, f"the pod is refused: {error.message or error.reason}")
            raise
        finally:
            self._take_away(client, path)

    def _take_away(self, client: Kubernetes, path: str) -> None:
        with contextlib.suppress(ClientError):
            client.delete(path, {"gracePeriodSeconds": 0})
            self._made.pop(path, None)


def sweep(client: Kubernetes, namespace: str) -> int:
    """Take away pods of runs that were killed: of this machine's at once, of others' when they are older than
    their deadline, which no run outlasts. Gives their number. Raises ClientError."""
    collection = f"/api/v1/namespaces/{namespace}/pods"
    now = client.clock() or time.time()
    gone = 0
    for left in client.items(collection, labelSelector=f"{LABEL}=true"):
        age = now - seconds_of(left["metadata"]["creationTimestamp"])
        if age > _DEADLINE_SECONDS or _maker_is_gone(left):
            gone += client.delete(f"{collection}/{left['metadata']['name']}", {"gracePeriodSeconds": 0})
    return gone


def _machine() -> str:
    """This machine, told from others, its name not shown."""
    return hashlib.sha256(platform.node().encode()).hexdigest()[:12]


def _maker_is_gone(left: Object) -> bool:
    """Whether a process of this machine made a pod, and is no more."""
    words = str((left["metadata"].get("annotations") or {}).get(MAKER)).split()
    if len(words) != 3 or words[0] != _machine() or not words[1].isdigit():
        return False
    return not processes.is_alive(int(words[1]), words[2])


def _awaited(client: Kubernetes, path: str, seconds: float) -> Outcome:
    end = time.monotonic() + seconds
    why = "it was not started"
    while time.monotonic() < end:
        found = client.get(path)
        status = found.get("status") or {}
        for container in status.get("containerStatuses") or ():
            state = container.get("state") or {}
            if "terminated" in state:
                return _read(state["terminated"])
            waiting = state.get("waiting") or {}
            why = ": ".join(filter(None, (waiting.get("reason"), waiting.get("message")))) or why
        scheduled = condition(found, "PodScheduled")
        if scheduled.get("status") == "False":
            why = f"no node takes it: {scheduled.get('message')}"
        time.sleep(POLL_SECONDS)
    return Outcome(None, f"it did not end within {seconds:g} s: {why}")


def _read(terminated: Mapping[str, Any]) -> Outcome:
    try:
        results = json.loads(terminated.get("message") or "")
    except ValueError:
        code, said = terminated.get("exitCode"), str(terminated.get("message") or "")[-200:]
        return Outcome(None, f"it ended with exit code {code} and said {said!r}")
    return Outcome(results)
