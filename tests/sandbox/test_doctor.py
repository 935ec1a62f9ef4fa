"""A deployed sandbox is looked at by `doctor`, `verify` and `diagnose`: nothing wrong where nothing is, and
every fault by its code, with commands that clear it.

What others have to make is made here by hand, as an operator would: an ingress controller's pod, which kwok
plays, and the two certificates. What a sandbox does not have, domains and an engine that answer, is warned
of.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from madeploy.clients.kubernetes import Kubernetes
from madeploy.kubeconfigs.files import read_context
from madeploy.sandbox import objects
from tests.support import stuck_pods
from tests.support.acceptable import acceptable, report_of
from tests.support.clears import clears
from tests.support.looked_at import (
    CERTIFICATES,
    KUBECTL,
    SPACE,
    apply,
    codes,
    get,
    look,
    looked_at_sandbox,
    states,
)
from tests.support.proves import proves
from tests.support.sandbox import UP_LIMIT, Deployed
from tests.support.tls import certificate_pair
from tests.support.waiting import wait

pytestmark = pytest.mark.sandbox


@pytest.fixture(scope="module")
def deployed(tool_paths: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """A sandbox with all that others have to make."""
    with looked_at_sandbox(tmp_path_factory.mktemp("doctor") / "state") as made:
        yield made


@proves("UX-8", played="the ingress controller's pod")
@pytest.mark.parametrize("verb", ["doctor", "verify", "diagnose"])
def test_nothing_is_wrong_where_nothing_is(verb: str, deployed: Deployed) -> None:
    """UX-8, NET-15: no error; what could not be looked at says so."""
    report = look(deployed, verb)
    assert codes(report) == set(), report
    assert states(report, "failed") == set()
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


MODELS = "models.michelangelo.api"
TOKEN, AUTHORITY = (f"cluster-compute-0-{name}" for name in ("client-token", "ca-data"))
FAULTS = [
    ("scale deployment michelangelo-worker --replicas 1", {"MA937"}),
    ("delete service michelangelo-envoy", {"MA936"}),
    ("delete networkpolicy michelangelo-worker", {"MA936"}),
    ("delete secret michelangelo-ui-tls", {"MA945"}),
    (
        "patch deployment michelangelo-envoy --type=json "
        '-p=\'[{"op":"add","path":"/spec/template/spec/nodeSelector","value":{"disk":"ssd"}}]\'',
        {"MA957"},
    ),
    ("annotate service michelangelo-ui example.com/note=by-hand", {"MA938"}),
    ('patch configmap envoy-config -p \'{"data":{"envoy.yaml":"admin: {}"}}\'', {"MA950"}),
    (f"delete customresourcedefinition {MODELS}", {"MA940", "MA967"}),
    (f'-n default patch secret {TOKEN} -p \'{{"data":{{"token":"bm90IGEgdG9rZW4="}}}}\'', {"MA440"}),
    (f"-n default delete secret {AUTHORITY}", {"MA441"}),
]
"""What somebody does to a deployed environment, and the codes it is found by."""
OF_BUCKETS = {"MA914", "MA966"}
OF_IMAGES = {"MA958"}
FIRST_SCREEN = (100, 40)
"""Columns and lines."""


def typed(deployed: Deployed, line: str) -> None:
    """A printed command, as it stands."""
    done = deployed.run("bash", "-c", line)
    assert done.returncode == 0, line + done.stdout + done.stderr


@clears(*set().union(*(codes for _, codes in FAULTS), OF_BUCKETS, OF_IMAGES))
def test_faults_are_named_together_on_the_first_screen_and_their_commands_clear_them(
    deployed: Deployed,
) -> None:
    """UX-8, UX-3, NET-15, OPS-8, MR-1: an environment that is broken in thirteen ways at once; each by its
    own code; every command is typed as it stands, by the real engine."""
    hub = Kubernetes.from_kubeconfig(
        read_context("control-plane", {"KUBECONFIG": deployed.shell()["KUBECONFIG"]})
    )
    for command, _ in FAULTS:
        done = deployed.run(*KUBECTL, "-n", SPACE, *shlex.split(command))
        assert done.returncode == 0, done.stderr
    image = {"waiting": {"reason": "ImagePullBackOff", "message": 'Back-off pulling image "ui:1": not found'}}
    stuck_pods.reported(hub, "michelangelo-ui", image)
    s3 = deployed.aws("s3")
    s3.delete_bucket(Bucket="michelangelo-sandbox-models")
    s3.delete_bucket_lifecycle(Bucket="michelangelo-sandbox-workspace")
    expected = set().union(*(codes for _, codes in FAULTS), OF_BUCKETS, OF_IMAGES)
    # Events come after their cause.
    wait(lambda: codes(look(deployed, "verify")) == expected)
    shown = deployed.run(sys.executable, "-m", "madeploy", "verify", "sandbox").stdout
    columns, most = FIRST_SCREEN
    screen = [line for line in shown.partition("\n\n")[0].splitlines() if " MA" in line]
    assert 1 + sum(-(-len(line) // columns) for line in screen) <= most
    assert expected == {code for code in expected if any(f" {code} " in line for line in screen)}
    for thing in ("Service ma-system/michelangelo-envoy", "NetworkPolicy ma-system/michelangelo-worker"):
        assert f"MA936 objects/control-plane: {thing}: is not there" in "\n".join(screen)

    found = [finding for check in look(deployed, "verify")["checks"] for finding in check["findings"]]
    lines = {line: finding["code"] for finding in found for line in finding["fix"].splitlines()}
    # One update does what every finding asks for; one that takes no fields back would stop at the first.
    (up,) = (line for line in lines if "pulumi up" in line)
    assert up.startswith("env ")
    forgotten = [line for line in lines if line.startswith("pulumi state delete ")]
    assert len(forgotten) == 2
    patches = [line for line, code in lines.items() if code == "MA938" and " patch " in line]
    assert any("nodeSelector" in line for line in patches)
    (make,) = (line for line, code in lines.items() if code == "MA945" and line.startswith("kubectl"))
    restart, roll = (
        line
        for name in ("apiserver", "controllermgr")
        for line in lines
        if f"restart deployment/michelangelo-{name}" in line
    )
    folder = deployed.state.parent / "typed"
    folder.mkdir(exist_ok=True)
    pem, key = certificate_pair(CERTIFICATES["michelangelo-ui-tls"])
    (folder / "tls.crt").write_bytes(pem)
    (folder / "tls.key").write_bytes(key)
    for line in (*patches, f"cd {folder} && {make}", restart):
        typed(deployed, line)
    # What the platform's API server does when it starts, and nodes that may pull the image again.
    (definition,) = (item for item in objects.definitions(True) if item["metadata"]["name"] == MODELS)
    objects.write(hub, definition)
    stuck_pods.again(hub, "michelangelo-ui")
    for line in (*forgotten, f"{up} --yes --non-interactive --skip-preview", roll):
        typed(deployed, line)
    wait(lambda: codes(look(deployed, "verify")) == set())


@pytest.mark.long
@proves("CP-7", "OPS-8", played="what kubelets report of images, probes and ends")
def test_five_roll_outs_that_stop_for_five_reasons_are_told_apart(deployed: Deployed) -> None:
    """CP-7, OPS-8, UX-8: image, crash with its last words, probe, quota, admission, at once, by `verify`."""
    hub = Kubernetes.from_kubeconfig(
        read_context("control-plane", {"KUBECONFIG": deployed.shell()["KUBECONFIG"]})
    )
    image = {"waiting": {"reason": "ImagePullBackOff", "message": 'Back-off pulling image "ui:1": not found'}}
    last = {"exitCode": 1, "reason": "Error", "message": "panic: password=hunter2-of-a-test: no such host"}
    crash = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s"}}
    stuck_pods.reported(hub, "michelangelo-ui", image)
    stuck_pods.reported(hub, "michelangelo-worker", crash, restartCount=4, lastState={"terminated": last})
    running = {"running": {"startedAt": "2026-01-01T00:00:00Z"}}
    pod = stuck_pods.reported(hub, "michelangelo-apiserver", running)
    stuck_pods.warned(hub, pod, "Unhealthy", "Readiness probe failed: connection refused")
    with stuck_pods.refusing(hub, "michelangelo-envoy", "images of Envoy are not signed"):
        stuck_pods.again(hub, "michelangelo-envoy")
        stuck_pods.quota(hub, 0)
        stuck_pods.again(hub, "michelangelo-controllermgr")
        wanted = {"MA958", "MA960", "MA961", "MA963", "MA964"}
        report: dict[str, Any] = {}

        def told() -> bool:
            report.update(look(deployed, "verify"))
            (check,) = (check for check in report["checks"] if check["check"] == "rollouts")
            return {finding["code"] for finding in check["findings"]} == wanted

        wait(told)
    assert "hunter2" not in json.dumps(report)
    assert "images of Envoy are not signed" in json.dumps(report)
    hub.delete(f"/api/v1/namespaces/{SPACE}/resourcequotas/full")
    for service in ("ui", "worker", "apiserver"):
        stuck_pods.again(hub, f"michelangelo-{service}")
    deployed.run(*KUBECTL, "-n", SPACE, "annotate", "replicasets", "--all", "example.com/look=now")
    wait(lambda: codes(look(deployed, "verify")) == set())


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
    """REG-10, UX-8: the control plane is looked at all the same."""
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
        timeout=UP_LIMIT,
        check=False,
    )
    report = json.loads(done.stdout)
    assert states(report, "failed") == {"reach/compute-0"}
    assert codes(report) == {"MA431"}
    assert {name for name in states(report, "notChecked") if name.endswith("compute-0")} == {
        "rights/compute-0",
        "names/compute-0",
        "policies/compute-0",
        "kuberay/compute-0",
    }


CHECKED_FROM = (("control-plane", SPACE), ("compute-0", "default"))


def pods_left(made: Deployed) -> list[str]:
    """Names of the pods of connectivity checks that are there."""
    label = "michelangelo.infra/connectivity-check=true"
    return [
        pod["metadata"]["name"]
        for context, namespace in CHECKED_FROM
        for pod in made.get(context, "-n", namespace, "pods", "-l", label)["items"]
    ]


@pytest.mark.long
def test_pods_of_a_run_that_is_killed_are_taken_away_by_the_next(deployed: Deployed) -> None:
    """NET-14, UX-8: without warning, and the next run comes at once."""
    named = {"KUBECONFIG": deployed.shell()["KUBECONFIG"]}
    clients = [Kubernetes.from_kubeconfig(read_context(name, named)) for name, _ in CHECKED_FROM]

    def there() -> bool:
        label = "michelangelo.infra/connectivity-check=true"
        return any(list(client.items("/api/v1/pods", labelSelector=label)) for client in clients)

    command = [sys.executable, "-m", "madeploy", "verify", "sandbox", "--pods"]
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        command, cwd=root, env=deployed.shell(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as killed:
        while not there():
            assert killed.poll() is None, "it ended before a pod was seen"
            time.sleep(0.05)
        killed.kill()
    assert pods_left(deployed), "it took them away itself"
    look(deployed, "verify", "--pods")
    assert pods_left(deployed) == []


def test_pods_are_asked_and_taken_away(deployed: Deployed) -> None:
    """NET-14, NET-15: the control plane reaches the compute cluster; what a sandbox has no way to is named.
    The kubelet is played: the pod's program runs as a process."""
    report = look(deployed, "verify", "--pods")
    by_name = {check["check"]: check for check in report["checks"]}
    assert by_name["pods/control-plane"]["state"] == "passed", by_name["pods/control-plane"]
    found = {finding["code"] for finding in by_name["pods/compute-0"]["findings"]}
    assert found == {"MA971", "MA972"}, by_name["pods/compute-0"]
    assert pods_left(deployed) == []


@proves("OPS-9", played="kubelets, whoever dispatches, and what acceptable.py names")
def test_an_environment_is_accepted_to_the_end_and_signed_off(deployed: Deployed, tmp_path: Path) -> None:
    """OPS-9, UX-8, NET-14, NET-15, CP-10: doctor, a real update, every check of verify, with pods, and a job;
    nothing is left out, and nothing of the job stays."""
    page = tmp_path / "acceptance.html"
    with acceptable(deployed, tmp_path) as there:
        done = there.accept("--by", "a test", "--minutes", "5", "--json", "--output", str(page))
    report = report_of(done)
    unwell = [check for check in report["checks"] if check["state"] in ("failed", "notChecked")]
    assert unwell == []
    assert done.returncode == 0
    made = {check["check"] for check in report["checks"] if check["state"] in ("passed", "warned")}
    for check in ("doctor/images", "up/update", "verify/api", "verify/browser", "verify/pods/compute-0"):
        assert check in made
    assert "verify/network/1" in made
    assert "job/job/compute-0" in made
    assert report["facts"]["Accepted by"] == "a test"
    assert "Accepted by" in page.read_text(encoding="utf-8")
    assert pods_left(deployed) == []
    assert deployed.get("compute-0", "-n", "default", "rayclusters.ray.io")["items"] == []
