"""From release 2026.04 to 0.12 on real API servers, with the real engine: what stands in the way, what is
kept, and updates that are killed on the way."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from madeploy import kubeconfigs
from madeploy.clients.kubernetes import Kubernetes
from madeploy.releases import RELEASES
from madeploy.upgrade import steps
from manifests.definitions import DEFINITIONS
from tests.support.definitions import REPORTS, ApiServer, install, of_release
from tests.support.descriptors import chart, descriptor_set
from tests.support.proves import proves
from tests.support.sandbox import Deployed, kill_after, sandbox

pytestmark = pytest.mark.sandbox

OLD = RELEASES["2026.04"]
BY_HAND = {
    "michelangelo:platform": {"tier": "development", "release": "2026.04"},
    "michelangelo:images": {"tag": "sha-cbf5720"},
}
OPERATOR = "/apis/apps/v1/namespaces/ray-system/deployments/kuberay-operator"
RAY_CLUSTERS = "/apis/ray.io/v1/namespaces/default/rayclusters"
SPACE = "team-a"


def administrator(deployed: Deployed, context: str) -> Kubernetes:
    return Kubernetes.from_kubeconfig(
        kubeconfigs.read_context(context, {"KUBECONFIG": str(deployed.state / "kubeconfig")})
    )


@pytest.fixture(scope="module")
def deployed(tool_paths: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """A sandbox on release 2026.04."""
    with outdated(tmp_path_factory.mktemp("upgrade")) as made:
        yield made


@contextlib.contextmanager
def outdated(state: Path) -> Iterator[Deployed]:
    """A sandbox on release 2026.04 with the definitions as its API server leaves them, and an object of every
    kind."""
    made = sandbox(state)
    (made.state / "stack").mkdir(parents=True)
    # As if the release had been set by hand in the stack's copy of its file.
    for name, config in (("written", {}), ("Pulumi.sandbox", BY_HAND)):
        (made.state / "stack" / f"{name}.yaml").write_text(yaml.safe_dump({"config": config}))
    try:
        up = made.madeploy("sandbox", "up", "--compute", "1", "--audit")
        assert up.returncode == 0, up.stdout[-3000:] + up.stderr[-6000:]
        control_plane = administrator(made, "control-plane")
        install(control_plane, of_release("2026.04"))
        control_plane.delete(f"{DEFINITIONS}/{REPORTS}")
        fill(control_plane)
        yield made
    finally:
        made.madeploy("sandbox", "stop")


def fill(control_plane: Kubernetes) -> None:
    """An object of every kind that is not there yet; a Pipeline that Pulumi manages, a Project with a queue
    of its own."""
    control_plane.create("/api/v1/namespaces", {"metadata": {"name": SPACE}})
    specs: dict[str, dict[str, Any]] = {
        "InferenceServer": {"initSpec": {"numInstances": 1}},
        "Revision": {"gitRef": "main", "commit": {"branch": "main"}, "owner": {"name": "ada"}},
    }
    for kind, plural in OLD.kinds.items():
        if kind == "Cluster":
            continue
        queue = {"annotations": {"michelangelo/worker_queue": "team-queue"}} if kind == "Project" else {}
        head = {"name": kind.lower(), "namespace": SPACE, **queue}
        body = {
            "apiVersion": "michelangelo.api/v2",
            "kind": kind,
            "metadata": head,
            "spec": specs.get(kind, {}),
        }
        path = f"/apis/michelangelo.api/v2/namespaces/{SPACE}/{plural}/{kind.lower()}"
        control_plane.apply(path, body, manager="pulumi-kubernetes-1a2b3c4d")


def arguments(folder: Path, *more: str) -> list[str]:
    released = chart(folder, {"files/descriptors.pb": descriptor_set()})
    return ["upgrade", "sandbox", "--to", "0.12", "--from-chart", str(released), *more]


def command(*given: str) -> list[str]:
    return [sys.executable, "-m", "madeploy", *given]


def upgrade(deployed: Deployed, *given: str) -> subprocess.CompletedProcess[str]:
    done = deployed.run(*command(*given))
    assert "Traceback" not in done.stderr, done.stderr
    return done


def stack_file(deployed: Deployed) -> str:
    return (deployed.state / "stack" / "Pulumi.sandbox.yaml").read_text()


def specs(api: Kubernetes) -> dict[tuple[str, str], Any]:
    """Specs of everything in the team's namespace."""
    return {
        (kind, item["metadata"]["name"]): item.get("spec")
        for kind, plural in OLD.kinds.items()
        for item in api.items(f"/apis/michelangelo.api/v2/namespaces/{SPACE}/{plural}")
    }


@proves("REL-3", played="what the earlier release left behind")
def test_every_obstacle_is_told_before_anything_is_changed(deployed: Deployed, tmp_path: Path) -> None:
    """REL-3: Revisions, InferenceServers without targets, KubeRay that is too old, Ray clusters that run,
    queues that nobody polls, and Pipelines of an infrastructure engine, by their names."""
    compute = administrator(deployed, "compute-0")
    container = {"name": "kuberay-operator", "image": "quay.io/kuberay/operator:v1.4.2"}
    compute.apply(
        OPERATOR,
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "kuberay-operator", "namespace": "ray-system"},
            "spec": {"template": {"spec": {"containers": [container]}}},
        },
        force=True,
    )
    compute.create(
        RAY_CLUSTERS,
        {"apiVersion": "ray.io/v1", "kind": "RayCluster", "metadata": {"name": "busy"}, "spec": {}},
    )
    before = stack_file(deployed)
    checked = upgrade(deployed, *arguments(tmp_path, "--check", "--json"))
    assert checked.returncode == 1
    said = json.loads(checked.stdout)
    assert said["takenOver"] is False
    found = {item["code"]: (item["severity"], item["evidence"]) for item in said["findings"]}
    assert {code: severity for code, (severity, _) in found.items()} == {
        "MA801": "error",
        "MA802": "warning",
        "MA803": "error",
        "MA804": "error",
        "MA805": "warning",
        "MA806": "warning",
        "MA809": "info",
    }
    for code, named in {
        "MA801": f"{SPACE}/revision",
        "MA802": f"{SPACE}/inferenceserver",
        "MA803": "v1.4.2",
        "MA804": "default/busy",
        "MA805": "team-queue",
        "MA806": f"{SPACE}/pipeline",
    }.items():
        assert named in found[code][1]
    assert stack_file(deployed) == before

    # Each is mended by what its finding says.
    compute.delete(f"{RAY_CLUSTERS}/busy")
    container["image"] = "quay.io/kuberay/operator:v1.7.1"
    compute.merge(OPERATOR, {"spec": {"template": {"spec": {"containers": [container]}}}})
    refused = upgrade(deployed, *arguments(tmp_path, "--dump", str(deployed.state / "before.json")))
    assert refused.returncode == 1
    assert "MA801" in refused.stdout
    assert "MA803" not in refused.stdout
    assert stack_file(deployed) == before


@proves("REL-3")
def test_the_dump_makes_every_object_again_elsewhere(deployed: Deployed) -> None:
    """REL-3: by kubectl alone, in a cluster that has nothing but the definitions of the release before;
    fields that the next one drops are there again."""
    dump = deployed.state / "before.json"
    control_plane, elsewhere = (administrator(deployed, name) for name in ("control-plane", "compute-0"))
    install(elsewhere, of_release("2026.04"))
    made = deployed.run("kubectl", "--context", "compute-0", "create", "-f", str(dump))
    # Namespaces that every cluster of the toolkit has are refused as existing, one by one.
    assert not [line for line in made.stderr.splitlines() if "AlreadyExists" not in line], made.stderr
    assert len(specs(control_plane)) == len(OLD.kinds) - 1
    assert specs(elsewhere) == specs(control_plane)
    assert specs(elsewhere)["Revision", "revision"]["gitRef"] == "main"
    deployed.run("kubectl", "--context", "compute-0", "delete", "namespace", SPACE, "--wait=false")


PLAIN = ("pulumi", "up", "--yes", "--skip-preview", "--non-interactive", "--stack", "sandbox")
IN_THE_MIDDLE = "updated Deployment apiserver-deployment"
"""What is said between two steps' ends."""


@proves("REL-3", played="the API server's definitions; no container runs")
def test_killed_in_the_middle_of_a_step_and_run_again_it_is_done(deployed: Deployed, tmp_path: Path) -> None:
    """REL-3: the same command again, after `recover`; the Revision is in the dump though it was deleted
    between two runs."""
    control_plane = administrator(deployed, "control-plane")
    control_plane.delete(f"/apis/michelangelo.api/v2/namespaces/{SPACE}/revisions/revision")
    with taken_over(deployed, control_plane, tmp_path) as given:
        killed(deployed, IN_THE_MIDDLE, *given)
        done = upgrade(deployed, *given)
        assert done.returncode == 0, done.stdout + done.stderr[-4000:]
    kept = json.loads((deployed.state / "before.json").read_text())["items"]
    assert f"{SPACE}/revision" in {
        f"{item['metadata'].get('namespace')}/{item['metadata']['name']}"
        for item in kept
        if item["kind"] == "Revision"
    }


@pytest.mark.long
@proves("REL-3", played="the API server's definitions; no container runs")
def test_killed_after_each_step_and_run_again_it_is_done(tool_paths: dict[str, Path], tmp_path: Path) -> None:
    """REL-3: and once in the middle of one; always the same command, in the end the plain `pulumi up`; then
    nothing is left to do."""
    with outdated(tmp_path / "state") as deployed:
        control_plane = administrator(deployed, "control-plane")
        control_plane.delete(f"/apis/michelangelo.api/v2/namespaces/{SPACE}/revisions/revision")
        since = len(audit(deployed))
        with taken_over(deployed, control_plane, tmp_path) as given:
            first, *others, _ = steps.NAMES
            for said in (f"{first}: done", IN_THE_MIDDLE, *(f"{name}: done" for name in others)):
                killed(deployed, said, *given)
            plain = deployed.run(*PLAIN)
            assert plain.returncode == 0, plain.stdout[-4000:] + plain.stderr[-2000:]
        wrote = len(writes(deployed, since))
        last = upgrade(deployed, *given)
        assert last.returncode == 0, last.stdout + last.stderr[-4000:]
        assert "runs release 0.12" in last.stdout
        assert len(writes(deployed, since)) == wrote


@contextlib.contextmanager
def taken_over(deployed: Deployed, control_plane: Kubernetes, folder: Path) -> Iterator[list[str]]:
    """Arguments of the command that takes the release over; once the block has brought that about, it was in
    order, and what runs is of that release."""
    since = len(audit(deployed))
    with ApiServer(control_plane, "0.12.0", of_release("0.12")) as server:
        yield arguments(folder, "--dump", str(deployed.state / "before.json"))
        assert server.has_made
    assert order(deployed, since) == [
        "rights",
        "apiserver",
        "definitions",
        "controllermgr",
        "worker",
        "envoy",
        "ui",
    ]
    images = {
        item["metadata"]["name"]: item["spec"]["template"]["spec"]["containers"][0]["image"]
        for item in deployed.get("control-plane", "deployments.apps", "-n", "ma-system")["items"]
    }
    for service in ("apiserver", "controllermgr", "worker", "ui"):
        assert images[f"michelangelo-{service}"].endswith(":0.12.0")


def killed(deployed: Deployed, said: str, *given: str) -> None:
    """End the command and its engine without warning once it has said this. In the middle of a step, what the
    engine left is cleared up as after any killed update."""
    kill_after(deployed, said, *command(*given), engine_too=True)
    if said == IN_THE_MIDDLE:
        recovered = upgrade(deployed, "recover", "sandbox")
        assert recovered.returncode == 0, recovered.stdout + recovered.stderr


def audit(deployed: Deployed) -> list[dict[str, Any]]:
    lines = (deployed.state / "logs" / "control-plane-audit.log").read_text().splitlines()
    return [json.loads(line) for line in lines]


def writes(deployed: Deployed, since: int) -> list[tuple[str, str]]:
    """Resource and name of everything that was written by an administrator, in order."""
    return [
        (event["objectRef"]["resource"], event["objectRef"].get("name", ""))
        for event in audit(deployed)[since:]
        if event["stage"] == "ResponseComplete"
        and event["verb"] in ("create", "patch", "update", "delete")
        and event["responseStatus"]["code"] < 300
        and not event["user"]["username"].startswith("system:")
        and "dryRun" not in event["requestURI"]
        and event["objectRef"].get("subresource") is None
        and not event["objectRef"]["resource"].startswith("selfsubject")
    ]


def order(deployed: Deployed, since: int) -> list[str]:
    """What came to the release after what."""
    seen = []
    for resource, name in writes(deployed, since):
        if resource == "clusterroles" and name == "michelangelo-controllermgr":
            seen.append("rights")
        elif resource == "customresourcedefinitions":
            seen.append("definitions")
        elif resource == "deployments" and name.startswith("michelangelo-"):
            seen.append(name.removeprefix("michelangelo-"))
    return list(dict.fromkeys(seen))
