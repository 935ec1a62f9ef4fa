"""A sandbox with everything round it that an environment is accepted with: a front door that moves traffic,
an API server behind it, an image registry, a workflow engine, a store that tasks reach, and whoever
dispatches.

Real: the clusters, the engine, the certificates, Envoy as the door and the rendered Envoy behind it, the
object store. Played: the resolver, the platform's API server as far as it is called, the registry, the
workflow engine as far as it is asked, kubelets, and the controller manager as far as it registers and
dispatches.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from madeploy.clients.kubernetes import Kubernetes
from madeploy.kubeconfigs.files import read_context
from madeploy.sandbox.actors.front_doors import ADDRESS
from madeploy.stackfile.edit import remove, set_value
from madeploy.stackfile.loader import load_environment
from tests.support.api_server import api_server
from tests.support.dispatching import dispatching
from tests.support.image_registry import Registry, serving
from tests.support.live_door import live_door
from tests.support.looked_at import CERTIFICATES, apply, secret
from tests.support.sandbox import ROOT, Deployed
from tests.support.workflow_double import engine_double

BUCKETS = {"workspace": "accepted-workspace", "models": "accepted-models"}
SERVICES = ("apiserver", "controllermgr", "worker", "ui")
CLUSTER = "compute-0"


@dataclass(frozen=True)
class Acceptable:
    """Such a sandbox."""

    made: Deployed
    port: int
    """Of the front door."""

    def accept(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `accept` as typed, where both domains lead to the front door."""
        records = [f"{host}={ADDRESS}" for host in CERTIFICATES.values()]
        return subprocess.run(
            [
                *(sys.executable, "-m", "tests.support.resolving", *records, "--"),
                *("accept", "sandbox", "--at", f"127.0.0.1:{self.port}", *arguments),
            ],
            cwd=ROOT,
            env=self.made.shell(),
            capture_output=True,
            text=True,
            timeout=420,
            check=False,
        )


@contextlib.contextmanager
def acceptable(made: Deployed, folder: Path) -> Iterator[Acceptable]:
    """Have everything round a deployed sandbox that `accept` asks for; its stack file says so afterwards, and
    is not deployed yet."""
    shell = made.shell()
    held = {f"ma/{name}:0.12.0": ["amd64"] for name in SERVICES} | {"envoy:v1": ["amd64"]}
    with contextlib.ExitStack() as stack:
        registry = stack.enter_context(serving(Registry(held)))
        engine = stack.enter_context(engine_double({b"default"}))
        _declare(made, registry.address, engine, shell)
        loaded = load_environment(made.stack_file)
        assert loaded.environment is not None, loaded.findings
        upstream = stack.enter_context(api_server())
        door = stack.enter_context(live_door(loaded.environment, folder, upstream))
        for name in CERTIFICATES:
            files = folder / "secrets" / name
            apply(made, secret(name, (files / "tls.crt").read_bytes(), (files / "tls.key").read_bytes()))
        hub, compute = (_client(shell, name) for name in ("control-plane", CLUSTER))
        stack.enter_context(dispatching(hub, compute, CLUSTER)).set()
        yield Acceptable(made, door.port)


def _declare(made: Deployed, registry: str, engine: int, shell: dict[str, str]) -> None:
    """Say in the stack file where all of it is, and store the keys of the object store."""
    import boto3

    endpoint = shell["AWS_ENDPOINT_URL"]
    keys = {"accessKeyId": shell["AWS_ACCESS_KEY_ID"], "secretAccessKey": shell["AWS_SECRET_ACCESS_KEY"]}
    s3 = boto3.client(
        "s3",
        region_name="eu-west-1",
        endpoint_url=endpoint,
        aws_access_key_id=keys["accessKeyId"],
        aws_secret_access_key=keys["secretAccessKey"],
    )
    for name in BUCKETS.values():
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    store = {"kind": "s3Compatible", "endpoint": endpoint, "region": "eu-west-1", "buckets": BUCKETS}
    edits: list[tuple[tuple[str, ...], Any]] = [
        (("images", "registry"), f"{registry}/ma"),
        (("controlPlane", "envoy"), {"image": {"repository": f"{registry}/envoy", "tag": "v1"}}),
        (("workflow", "host"), f"127.0.0.1:{engine}"),
        (("storage",), store),
    ]
    text = made.stack_file.read_text()
    for path, value in edits:
        text = set_value(text, path, value)
    made.stack_file.write_text(remove(text, ("clusters", CLUSTER, "taskIdentity")))
    for key, value in keys.items():
        done = made.run(
            *("pulumi", "config", "set", "--secret", "--path", f"michelangelo:objectStore.{key}", value)
        )
        assert done.returncode == 0, done.stderr


def _client(shell: dict[str, str], cluster: str) -> Kubernetes:
    return Kubernetes.from_kubeconfig(read_context(cluster, {"KUBECONFIG": shell["KUBECONFIG"]}))


def report_of(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """The report that a command printed as JSON."""
    report: dict[str, Any] = json.loads(done.stdout)
    return report
