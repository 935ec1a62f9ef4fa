"""The embedded clusters are real ones: they admit, schedule, roll out and hand out tokens."""

from __future__ import annotations

import json
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes import client, config

from madeploy.sandbox.environment import Environment

CLUSTERS = ("control-plane", "compute-0")


class Kubectl:
    """kubectl on one cluster, in a namespace of the test's own."""

    def __init__(self, program: Path, environment: Environment, context: str, namespace: str) -> None:
        self.command = [str(program), f"--kubeconfig={environment.kubeconfig}", f"--context={context}"]
        self.namespace = namespace

    def run(self, *arguments: str, stdin: Any = None, check: bool = True) -> subprocess.CompletedProcess[str]:
        text = json.dumps(stdin) if stdin is not None else None
        command = [*self.command, "-n", self.namespace, *arguments]
        return subprocess.run(command, input=text, capture_output=True, text=True, check=check, timeout=180)


@pytest.fixture(params=CLUSTERS)
def kubectl(
    request: pytest.FixtureRequest, environment: Environment, tool_paths: dict[str, Path]
) -> Iterator[Kubectl]:
    """kubectl on each of the clusters, with a namespace that is gone afterwards."""
    on_cluster = Kubectl(tool_paths["kubectl"], environment, request.param, f"test-{uuid.uuid4().hex[:8]}")
    on_cluster.run("create", "namespace", on_cluster.namespace)
    yield on_cluster
    # Nobody waits for the end of it: Kubernetes takes its time, and the name is not used again.
    on_cluster.run("delete", "namespace", on_cluster.namespace, "--wait=false")


def _deployment(name: str, spec: dict[str, Any] | None = None) -> dict[str, Any]:
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": name, "image": "example.test/image"}], **(spec or {})},
            },
        },
    }


def test_a_deployment_spread_over_zones_rolls_out_with_one_pod_in_each(kubectl: Kubectl) -> None:
    """Deployments with topology spread become Available on the played nodes."""
    spread = {
        "maxSkew": 1,
        "topologyKey": "topology.kubernetes.io/zone",
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": "spread"}},
    }
    kubectl.run("apply", "-f", "-", stdin=_deployment("spread", {"topologySpreadConstraints": [spread]}))
    kubectl.run("rollout", "status", "deployment/spread", "--timeout=150s")
    pods = json.loads(kubectl.run("get", "pods", "-l", "app=spread", "-o", "json").stdout)["items"]
    assert len({pod["spec"]["nodeName"] for pod in pods}) == 3


def test_pod_security_admission_refuses_a_pod_that_breaks_the_namespace_s_level(kubectl: Kubectl) -> None:
    """Pod Security admission is on, as on any current cluster."""
    kubectl.run("label", "namespace", kubectl.namespace, "pod-security.kubernetes.io/enforce=restricted")
    refused = kubectl.run("run", "loose", "--image=example.test/image", check=False)
    assert refused.returncode != 0
    assert 'violates PodSecurity "restricted' in refused.stderr


def test_a_service_account_token_secret_is_filled_and_its_token_is_accepted(
    environment: Environment, kubectl: Kubectl
) -> None:
    """REG-2: the token controller fills `kubernetes.io/service-account-token` Secrets with working tokens."""
    kubectl.run("create", "serviceaccount", "robot")
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/service-account-token",
        "metadata": {"name": "robot", "annotations": {"kubernetes.io/service-account.name": "robot"}},
    }
    kubectl.run("apply", "-f", "-", stdin=secret)
    deadline = time.monotonic() + 10
    token = ""
    while not token and time.monotonic() < deadline:
        token = kubectl.run(
            "get", "secret", "robot", "-o", "go-template={{.data.token | base64decode}}"
        ).stdout
    context = next(
        part.removeprefix("--context=") for part in kubectl.command if part.startswith("--context=")
    )
    settings = client.Configuration()
    config.load_kube_config(str(environment.kubeconfig), context, client_configuration=settings)
    settings.cert_file = settings.key_file = None
    settings.api_key = {"authorization": f"Bearer {token}"}
    review = client.AuthenticationV1Api(client.ApiClient(settings)).create_self_subject_review({})
    assert review.status.user_info.username == f"system:serviceaccount:{kubectl.namespace}:robot"


def test_a_token_of_one_cluster_s_authority_is_nobody_on_the_other(environment: Environment) -> None:
    """Each cluster has an authority of its own: certificates of one are refused by the other."""
    document = yaml.safe_load(environment.kubeconfig.read_text(encoding="utf-8"))
    authorities = {item["cluster"]["certificate-authority-data"] for item in document["clusters"]}
    assert len(authorities) == len(CLUSTERS)
    users = {item["name"]: item["user"] for item in document["users"]}
    swapped = client.Configuration()
    config.load_kube_config_from_dict(
        {**document, "users": [{"name": "compute-0-admin", "user": users["control-plane-admin"]}]},
        context="compute-0",
        client_configuration=swapped,
    )
    with pytest.raises(client.ApiException) as refusal:
        client.CoreV1Api(client.ApiClient(swapped)).list_namespace()
    assert refusal.value.status == 401


def test_the_audit_log_counts_writes_and_leaves_reads_out(environment: Environment, kubectl: Kubectl) -> None:
    """Later measurements count writes per run by this log."""
    log = environment.clusters["control-plane"].audit_log
    assert log is not None
    kubectl.run("create", "configmap", "counted")
    kubectl.run("get", "configmap", "counted")
    if "--context=control-plane" not in kubectl.command:
        return
    verbs = [
        entry["verb"]
        for entry in map(json.loads, log.read_text(encoding="utf-8").splitlines())
        if (entry.get("objectRef") or {}).get("name") == "counted"
    ]
    assert verbs == ["create"]


def test_everything_listens_on_the_loopback_interface_only(environment: Environment) -> None:
    """No port of the sandbox is reachable from outside the machine."""
    ours = set(environment.state.ports.values())
    listening = {}
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text(encoding="ascii").splitlines()[1:]:
            _, local, _, state = line.split()[:4]
            address, port = local.split(":")
            if state == "0A" and int(port, 16) in ours:
                listening[int(port, 16)] = address
    assert set(listening) == ours
    assert set(listening.values()) == {"0100007F"}
