"""A deployed sandbox is looked at by `doctor`, `verify` and `diagnose`: nothing wrong where nothing is, and
every fault by its code, with commands that clear it.

What others have to make is made here by hand, as an operator would: an ingress controller's pod, which kwok
plays, and the two certificates. What a sandbox does not have, domains and an engine that answer, is warned
of.
"""

from __future__ import annotations

import base64
import json
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.proves import proves
from tests.support.sandbox import Deployed, sandbox
from tests.support.tls import certificate_pair

pytestmark = pytest.mark.sandbox

SPACE = "ma-system"
KUBECTL = ("kubectl", "--context", "control-plane")
UNKNOWN = {"MA911", "MA924", "MA143", "MA333"}
"""Codes of what a sandbox does not have: domains that resolve, an engine, descriptors, protected buckets."""


@pytest.fixture(scope="module")
def deployed(tool_paths: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """A sandbox with all that others have to make."""
    made = sandbox(tmp_path_factory.mktemp("doctor") / "state")
    up = made.madeploy("sandbox", "up")
    assert up.returncode == 0, up.stdout + up.stderr
    image = "registry.k8s.io/ingress-nginx/controller:v1"
    controller = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "controller", "namespace": "ingress-nginx"},
        "spec": {"containers": [{"name": "controller", "image": image}]},
    }
    apply(made, controller, *(certificate(name, host) for name, host in CERTIFICATES.items()))
    wait(lambda: "Ready" in str(get(made, "-n", "ingress-nginx", "pod", "controller").get("status")))
    yield made
    made.madeploy("sandbox", "down")


CERTIFICATES = {
    "michelangelo-apiserver-tls": "api.sandbox.example.com",
    "michelangelo-ui-tls": "app.sandbox.example.com",
}


def certificate(name: str, host: str) -> dict[str, Any]:
    pem, key = certificate_pair(host)
    data = {"tls.crt": pem, "tls.key": key, "ca.crt": pem}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/tls",
        "metadata": {"name": name, "namespace": SPACE},
        "data": {file: base64.b64encode(text).decode() for file, text in data.items()},
    }


def apply(made: Deployed, *objects: dict[str, Any]) -> None:
    for item in objects:
        path = made.state.parent / "applied.json"
        path.write_text(json.dumps(item))
        done = made.run(*KUBECTL, "apply", "-f", str(path))
        assert done.returncode == 0, done.stderr


def get(made: Deployed, *arguments: str) -> dict[str, Any]:
    return made.get("control-plane", *arguments)


def wait(holds: Any, seconds: float = 40) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it never came about"
        time.sleep(0.5)


def look(made: Deployed, verb: str, *arguments: str) -> dict[str, Any]:
    """A command's report."""
    done = made.run(sys.executable, "-m", "madeploy", verb, "sandbox", "--json", *arguments)
    assert done.returncode in (0, 1), done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def codes(report: dict[str, Any]) -> set[str]:
    found = {finding["code"] for check in report["checks"] for finding in check["findings"]}
    return found - UNKNOWN


def states(report: dict[str, Any], state: str) -> set[str]:
    return {check["check"] for check in report["checks"] if check["state"] == state}


@proves("UX-8", played="the ingress controller's pod")
@pytest.mark.parametrize("verb", ["doctor", "verify", "diagnose"])
def test_nothing_is_wrong_where_nothing_is(verb: str, deployed: Deployed) -> None:
    """UX-8, NET-15: no error, within 20 s; what could not be looked at says so."""
    report = look(deployed, verb)
    assert codes(report) == set(), report
    assert states(report, "failed") == set()
    assert report["seconds"] < 20
    unseen = states(report, "notChecked")
    # Nothing resolves here, registries among it, and IAM simulates nothing.
    assert unseen <= {
        "images",
        "aws-rights",
        "network/1",
        "trust",
        "api",
        "app",
        "browser",
        "cors",
        "network/9",
    }


PROTOCOL = "nginx.ingress.kubernetes.io/backend-protocol"
FAULTS = [
    ("scale deployment michelangelo-worker --replicas 1", "MA937"),
    ("delete configmap public-config", "MA936"),
    (f"annotate ingress michelangelo-apiserver {PROTOCOL}=HTTP --overwrite", "MA943"),
    ("delete secret michelangelo-ui-tls", "MA945"),
    (
        "patch deployment michelangelo-envoy --type=json "
        '-p=\'[{"op":"add","path":"/spec/template/spec/nodeSelector","value":{"disk":"ssd"}}]\'',
        "MA957",
    ),
]


def test_faults_are_found_together_and_their_commands_clear_them(deployed: Deployed) -> None:
    """UX-8, UX-3, NET-15, OPS-8: each by its own code; `pulumi up --refresh` mends what was declared."""
    for command, _ in FAULTS:
        done = deployed.run(*KUBECTL, "-n", SPACE, *shlex.split(command))
        assert done.returncode == 0, done.stderr
    # Added to a live object by hand: no update takes it away.
    wait(lambda: "MA957" in codes(look(deployed, "verify")))
    report = look(deployed, "verify")
    assert {code for _, code in FAULTS} <= codes(report)
    assert codes(report) <= {code for _, code in FAULTS} | {"MA938", "MA952"}
    fixes = {
        line
        for check in report["checks"]
        for finding in check["findings"]
        for line in finding["fix"].splitlines()
        if "pulumi up" in line
    }
    # Fields that kubectl has set are taken back by it alone.
    (up,) = (line for line in fixes if line.startswith("env "))
    removed = deployed.run(
        *KUBECTL, "-n", SPACE, "patch", "deployment", "michelangelo-envoy", "--type=json",
        '-p=[{"op":"remove","path":"/spec/template/spec/nodeSelector/disk"}]',
    )  # fmt: skip
    assert removed.returncode == 0, removed.stderr
    apply(deployed, certificate("michelangelo-ui-tls", CERTIFICATES["michelangelo-ui-tls"]))
    done = deployed.run(*shlex.split(up), "--yes", "--non-interactive", "--skip-preview")
    assert done.returncode == 0, done.stdout + done.stderr
    wait(lambda: codes(look(deployed, "verify")) == set(), 60)


def test_admission_and_quotas_are_asked_of_the_api_server_itself(deployed: Deployed) -> None:
    """UX-8: by dry runs that leave nothing."""
    pods = len(get(deployed, "-n", SPACE, "pods")["items"])
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "tight", "namespace": SPACE},
        "spec": {"hard": {"pods": str(pods - 1)}},
    }
    apply(deployed, quota)
    wait(lambda: (get(deployed, "-n", SPACE, "resourcequota", "tight").get("status") or {}).get("used"))
    assert codes(look(deployed, "doctor")) == {"MA927"}
    assert deployed.run(*KUBECTL, "-n", SPACE, "delete", "resourcequota", "tight").returncode == 0
    assert codes(look(deployed, "doctor")) == set()
    assert len(get(deployed, "-n", SPACE, "pods")["items"]) == pods


def test_a_registered_cluster_that_is_dead_has_findings_of_its_own_only(deployed: Deployed) -> None:
    """REG-10, UX-8: within the limits of one check; the control plane is looked at all the same."""
    shell = deployed.shell()
    kubeconfig = json.loads(deployed.run("kubectl", "config", "view", "--raw", "-o", "json").stdout)
    for cluster in kubeconfig["clusters"]:
        if cluster["name"] == "compute-0":
            cluster["cluster"]["server"] = "https://127.0.0.1:1"
    path = deployed.state.parent / "dead.json"
    path.write_text(json.dumps(kubeconfig))
    done = subprocess.run(
        [sys.executable, "-m", "madeploy", "doctor", "sandbox", "--json"],
        cwd=Path(__file__).parents[2],
        env={**shell, "KUBECONFIG": str(path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    report = json.loads(done.stdout)
    assert states(report, "failed") == {"reach/compute-0"}
    assert codes(report) == {"MA431"}
    assert report["seconds"] < 30
    assert {name for name in states(report, "notChecked") if name.endswith("compute-0")} == {
        "rights/compute-0",
        "names/compute-0",
        "policies/compute-0",
        "kuberay/compute-0",
    }


def test_pods_are_asked_and_taken_away(deployed: Deployed) -> None:
    """NET-14, NET-15: the control plane reaches the compute cluster; what a sandbox has no way to is named.
    The kubelet is played: the pod's program runs as a process."""
    report = look(deployed, "verify", "--pods")
    by_name = {check["check"]: check for check in report["checks"]}
    assert by_name["pods/control-plane"]["state"] == "passed", by_name["pods/control-plane"]
    found = {finding["code"] for finding in by_name["pods/compute-0"]["findings"]}
    assert found == {"MA971", "MA972"}, by_name["pods/compute-0"]
    for context, namespace in (("control-plane", SPACE), ("compute-0", "default")):
        left = deployed.get(
            context, "-n", namespace, "pods", "-l", "michelangelo.infra/connectivity-check=true"
        )
        assert left["items"] == []
