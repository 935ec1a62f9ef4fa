"""The model registry of tests: its settings, and what they do on the API server and in the buckets."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kubernetes import client

from madeploy.clients import s3 as boto_edge
from madeploy.clients.kubernetes import Kubernetes
from madeploy.registry.registry import LiveRegistry, LiveStore
from madeploy.registry.retention.registry import ClusterRegistry
from madeploy.registry.retention.s3 import S3
from madeploy.registry.retention.signing import Provider
from madeploy.registry.retention.transport import Server
from madeploy.sandbox.environment import Environment
from madeploy.settings import CONTROL_PLANE
from manifests.objects import Object
from tests.support.environments import environment as settings
from tests.support.objects import one
from tests.support.old_models import Store
from tests.support.waiting import wait

NAMESPACE = "models-test"
MODELS, WORKSPACE, LOGS = "models-test-models", "models-test-workspace", "models-test-logs"
DAYS = 30
OLD, YOUNG = 31, 1
WHERE = ("michelangelo.api", "v2", NAMESPACE, "models")


@dataclass
class World:
    """Both systems, and how to fill them."""

    environment: Environment
    api: client.ApiClient
    s3: Any
    store: Store
    token: Path
    """The job's token."""

    program: Path
    """Folder that holds the job's program as its pod has it."""

    objects: list[Object] = field(default_factory=list)
    """What the toolkit makes of the settings."""

    def fill(self, models: list[Any], keys: list[str]) -> None:
        """These models and objects, and no others."""
        self.empty()
        for uri in keys:
            bucket, _, key = uri.removeprefix("s3://").partition("/")
            self.s3.put_object(Bucket=bucket, Key=key, Body=b"0123456789")
        self.store.put(models)
        expected = len(models)
        # The API server sees what is in its store with its next watch event.
        wait(lambda: len(self.names()) == expected, seconds=60, pause=0.05)

    def empty(self) -> None:
        """No models of ours and no objects."""
        client.CustomObjectsApi(self.api).delete_collection_namespaced_custom_object(*WHERE)
        for bucket in (MODELS, WORKSPACE, LOGS):
            for key in self.keys(bucket):
                self.s3.delete_object(Bucket=bucket, Key=key)

    def names(self) -> set[str]:
        """Models that are left."""
        found = client.CustomObjectsApi(self.api).list_namespaced_custom_object(*WHERE)
        return {item["metadata"]["name"] for item in found["items"]}

    def keys(self, bucket: str) -> list[str]:
        """Objects of a bucket that are left."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return [item["Key"] for page in pages for item in page.get("Contents", ())]

    def uris(self) -> set[str]:
        """Objects that are left."""
        return {f"s3://{bucket}/{key}" for bucket in (MODELS, WORKSPACE, LOGS) for key in self.keys(bucket)}

    def job_edges(self) -> tuple[ClusterRegistry, S3]:
        """What the job itself calls both systems with."""
        server = Server(self.environment.clusters[CONTROL_PLANE].server, str(self.program / "account/ca.crt"))
        provider = Provider({"OBJECT_STORE_SECRETS": str(self.program / "secrets.yaml")}, "eu-west-1")
        return ClusterRegistry(server, self.token), S3(
            self.environment.aws_endpoint, "eu-west-1", provider, path_style=True
        )

    def command_edges(self) -> tuple[LiveRegistry, LiveStore]:
        """What the command calls both systems with."""
        kubeconfig = minified(self.environment)
        boto = boto_edge.S3(self.environment.aws_endpoint, "eu-west-1", True, ("sandbox", "sandbox"))
        return LiveRegistry(Kubernetes.from_kubeconfig(kubeconfig)), LiveStore(boto)

    def variables(self, **changed: str) -> dict[str, str]:
        """Environment variables of the job's pod, with the addresses of this environment."""
        pod = one(self.objects, "CronJob", "michelangelo-retention")["spec"]["jobTemplate"]["spec"][
            "template"
        ]
        made = {entry["name"]: entry["value"] for entry in pod["spec"]["containers"][0]["env"]}
        host, _, port = (
            self.environment.clusters[CONTROL_PLANE].server.removeprefix("https://").partition(":")
        )
        return {
            **made,
            "KUBERNETES_SERVICE_HOST": host,
            "KUBERNETES_SERVICE_PORT": port,
            "SERVICE_ACCOUNT_FOLDER": str(self.program / "account"),
            "S3_ENDPOINT": self.environment.aws_endpoint,
            "OBJECT_STORE_SECRETS": str(self.program / "secrets.yaml"),
            **changed,
        }

    def command(self) -> list[str]:
        """The job's command line as its pod has it, by an interpreter without a single package."""
        pod = one(self.objects, "CronJob", "michelangelo-retention")["spec"]["jobTemplate"]["spec"][
            "template"
        ]
        interpreter, *rest = pod["spec"]["containers"][0]["command"]
        assert interpreter == "python3"
        return [sys.executable, "-E", "-S", *rest]

    def job(self, **changed: str) -> subprocess.CompletedProcess[str]:
        """Run the job to its end."""
        return subprocess.run(
            self.command(),
            cwd=self.program,
            env=self.variables(**changed),
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )


def minified(environment: Environment) -> dict[str, Any]:
    """Kubeconfig of the control plane's administrator."""
    from madeploy import kubeconfigs

    text = environment.kubeconfig.read_text(encoding="utf-8")
    return dict(kubeconfigs.minify(kubeconfigs.load(text, "kubeconfig"), CONTROL_PLANE, "kubeconfig"))


def chosen(**registry: Any) -> Any:
    return settings(
        platform={"namespace": NAMESPACE, "tier": "development"},
        storage={
            "kind": "s3Compatible",
            "endpoint": "http://127.0.0.1:9000",
            "region": "eu-west-1",
            "buckets": {"models": MODELS, "workspace": WORKSPACE, "logs": LOGS},
        },
        modelRegistry={"retentionDays": DAYS, **registry},
    )
