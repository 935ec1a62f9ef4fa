"""KubeRay's operator is installed as a Helm release, from a repository that serves a chart of its name."""

from __future__ import annotations

import functools
import hashlib
import http.server
import io
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import kubernetes
import pulumi
import pytest
import yaml

from components.compute_cluster import helm_release
from madeploy.clients.kubernetes import Kubernetes
from madeploy.clusters.checks import kuberay
from madeploy.kubeconfigs.files import read_context
from madeploy.sandbox.environment import Environment
from manifests import registration
from tests.sandbox.options.conftest import CLUSTER
from tests.support.engine import Program, Stack
from tests.support.environments import minimal
from tests.support.http_servers import HttpServer, served

pytestmark = pytest.mark.sandbox

OPERATOR = """
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
  namespace: {{ .Release.Namespace }}
  labels: &labels
    app.kubernetes.io/name: {{ .Chart.Name }}
    app.kubernetes.io/instance: {{ .Release.Name }}
    helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
spec:
  replicas: {{ .Values.replicas }}
  selector:
    matchLabels: {app.kubernetes.io/name: {{ .Chart.Name }}, app.kubernetes.io/instance: {{ .Release.Name }}}
  template:
    metadata: {labels: *labels}
    spec:
      containers: [{name: operator, image: "registry.invalid/operator:v{{ .Chart.Version }}"}]
"""


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: Any) -> None:
        return None


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[str]:
    """A chart repository with one chart, of the name and version that the program installs."""
    wanted = registration.kuberay_release(minimal())
    chart = {"apiVersion": "v2", "name": wanted["chart"], "version": wanted["version"]}
    files = {
        "Chart.yaml": yaml.safe_dump(chart),
        "values.yaml": "replicas: 1\n",
        "templates/operator.yaml": OPERATOR,
    }
    folder = tmp_path / "charts"
    folder.mkdir()
    packed = folder / f"{wanted['chart']}-{wanted['version']}.tgz"
    with tarfile.open(packed, "w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(f"{wanted['chart']}/{name}")
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    digest = hashlib.sha256(packed.read_bytes()).hexdigest()
    entries = {wanted["chart"]: [{**chart, "urls": [packed.name], "digest": digest}]}
    (folder / "index.yaml").write_text(yaml.safe_dump({"apiVersion": "v1", "entries": entries}))
    handler = functools.partial(_Quiet, directory=str(folder))
    server = HttpServer(("127.0.0.1", 0), handler)
    with served(server):
        yield f"http://127.0.0.1:{server.server_port}"


def test_the_operator_is_installed_found_by_the_probes_left_alone_and_taken_away(
    stack: Stack,
    on_cluster: Callable[..., Program],
    repository: str,
    environment: Environment,
    api: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """REG-1: `operators.kubeRay: install`, the program's own arguments; only the repository is another."""
    for name in ("HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    release = {**registration.kuberay_release(minimal()), "repositoryOpts": {"repo": repository}}

    def body(opts: pulumi.ResourceOptions) -> None:
        helm_release("gpu-kuberay", release, opts)

    preview = stack.preview(on_cluster(body))
    assert not preview.failed, preview.text
    run = stack.up(on_cluster(body))
    assert not run.failed, run.text
    deployments = api.resources.get(api_version="apps/v1", kind="Deployment")
    found = deployments.get(name=release["name"], namespace=release["namespace"])
    assert found.spec.template.spec.containers[0].image == f"registry.invalid/operator:v{release['version']}"
    assert found.status.readyReplicas == 1, "the release waits for its operator"
    credential = read_context(CLUSTER, {"KUBECONFIG": str(environment.kubeconfig)})
    client = Kubernetes.from_kubeconfig(credential)
    assert kuberay.operator_version(client) == f"v{release['version']}"
    assert stack.up(on_cluster(body)).changes == {}
    assert stack.refresh().changes == {}
    assert not (gone := stack.destroy()).failed, gone.text
    with pytest.raises(kubernetes.dynamic.exceptions.NotFoundError):
        deployments.get(name=release["name"], namespace=release["namespace"])
