"""Acceptance ends with a job that really ran: assigned, created on its cluster, ready, gone on both sides.

The controller manager is played: it does to objects what it was seen to do (docs/platform.md, V5, V6).
"""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from madeploy.cli import accept as command
from madeploy.cli.app import main
from madeploy.clients.errors import ClientError
from madeploy.doctor import acceptance
from madeploy.doctor.acceptance import LABEL, Jobs, joined, not_made, ray_cluster, signed_facts
from madeploy.doctor.checks import Check, run
from madeploy.findings.outcomes import Outcome, Report
from tests.support import environments
from tests.support.furnished import Furnished, FurnishedSite, deployed, named
from tests.support.proves import proves
from tests.support.stacks import stack_text

HERE = "/apis/michelangelo.api/v2/namespaces/default/rayclusters"
THERE = "/apis/ray.io/v1/namespaces/default/rayclusters"


class Manager:
    """The controller manager, as far as it dispatches: one look at every job each hundredth of a second."""

    def __init__(self, made: FurnishedSite) -> None:
        self.made = made
        self.to = ""
        """Cluster it assigns, in place of the one that the label names."""

        self.creates = True
        self.ends_as = "RAY_CLUSTER_STATE_READY"
        self.assigns = True
        self.stop = threading.Event()
        threading.Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        while not self.stop.wait(0.01):
            for path, item in list(self.made.hub.objects.items()):
                if path.startswith(HERE) and self.assigns:
                    with self.made.hub.lock:
                        self._dispatch(item)

    def _dispatch(self, item: dict[str, Any]) -> None:
        name, labels = item["metadata"]["name"], item["metadata"]["labels"]
        cluster = self.to or labels["michelangelo/cluster-affinity"]
        item["status"] = {"assignment": {"cluster": cluster}}
        if self.creates:
            there = named("RayCluster", name, "default", "ray.io/v1")
            if f"{HERE}/{name}" in self.made.hub.objects:
                self.made.clusters[cluster].objects.setdefault(f"{THERE}/{name}", there)
            item["status"] |= {"state": self.ends_as, "statusConditions": [{"message": "no image"}]}


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> FurnishedSite:
    monkeypatch.setattr(acceptance, "POLL_SECONDS", 0.02)
    found = deployed(environments.production_aws())
    for cluster in found.clusters.values():
        cluster.serve(named("RayCluster", "x", "default", "ray.io/v1"))
        cluster.serve(named("RayCluster", "x", "default", "michelangelo.api/v2"))
    return found


def merge(self: Furnished, path: str, change: dict[str, Any], manager: str = "") -> dict[str, Any]:
    """What the job is ended with."""
    if path in self.objects:
        self.objects[path]["spec"] |= change["spec"]
        return self.objects[path]
    raise ClientError(self.server, "notFound", "", 404)


@pytest.fixture(autouse=True)
def _merges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Furnished, "merge", merge)


def accepted(made: FurnishedSite, seconds: float = 5) -> Outcome:
    with Jobs(made.site, seconds=seconds) as jobs:
        (outcome,) = run(
            "job", "prod", [Check("job", "x", lambda: jobs.run("gpu-west"))], seconds=30
        ).outcomes
    return outcome


def left(made: FurnishedSite) -> list[str]:
    return [
        path
        for cluster in made.clusters.values()
        for path in cluster.objects
        if path.startswith((HERE, THERE))
    ]


@proves("OPS-9", played="the controller manager and KubeRay")
def test_a_job_that_runs_is_accepted_and_gone(made: FurnishedSite) -> None:
    """OPS-9: by the cluster that its label names, and on both sides nothing is left."""
    manager = Manager(made)
    outcome = accepted(made)
    manager.stop.set()
    assert outcome.state == "passed", outcome
    for words in ("assigned to gpu-west", "created on gpu-west", "ready"):
        assert words in outcome.detail
    assert left(made) == []


def change(**what: Any) -> dict[str, Any]:
    return what


@pytest.mark.parametrize(
    ("manager_does", "said"),
    [
        (change(assigns=False), "no cluster was assigned"),
        (change(to="cpu-east"), "assigned to cpu-east, although its label names gpu-west"),
        (change(creates=False), "it was not created there"),
        (change(ends_as="RAY_CLUSTER_STATE_PROVISIONING"), "it is RAY_CLUSTER_STATE_PROVISIONING"),
        (change(ends_as="RAY_CLUSTER_STATE_FAILED"), "ended as RAY_CLUSTER_STATE_FAILED: no image"),
    ],
    ids=["not assigned", "elsewhere", "not created", "not ready", "failed"],
)
def test_a_job_that_does_not_run_says_how_far_it_came(
    manager_does: dict[str, Any], said: str, made: FurnishedSite
) -> None:
    """OPS-9, OPS-8: the stage it stands at, and nothing of it is left."""
    manager = Manager(made)
    vars(manager).update(manager_does)
    outcome = accepted(made, seconds=0.5)
    manager.stop.set()
    time.sleep(0.05)
    assert [finding.code for finding in outcome.findings] == ["MA969"]
    assert said in outcome.findings[0].evidence
    assert not [path for path in left(made) if path.startswith(HERE)]


def test_a_job_that_is_refused_is_no_job(made: FurnishedSite) -> None:
    """OPS-9: by admission, say."""
    made.hub.refusals["madeploy-acceptance"] = "admission webhook denied the request"
    outcome = accepted(made)
    assert [finding.code for finding in outcome.findings] == ["MA969"]
    assert "denied the request" in outcome.detail


def test_a_job_that_stays_is_named_with_the_commands_that_remove_it(
    made: FurnishedSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OPS-9, UX-8."""
    manager = Manager(made)
    monkeypatch.setattr(Furnished, "delete", lambda self, path, options=None: False)
    outcome = accepted(made, seconds=1)
    manager.stop.set()
    assert [finding.code for finding in outcome.findings] == ["MA999"]
    assert "control plane and gpu-west" in outcome.findings[0].evidence
    assert len(outcome.findings[0].commands) == 2


def test_jobs_of_a_killed_acceptance_are_taken_away_by_the_next(made: FurnishedSite) -> None:
    """UX-8."""
    old = ray_cluster("madeploy-acceptance-old", "gpu-west", "x:1")
    made.hub.hold(old)
    made.clusters["gpu-west"].hold(named("RayCluster", "madeploy-acceptance-old", "default", "ray.io/v1"))
    mine = named("RayCluster", "somebodys", "default", "michelangelo.api/v2")
    made.hub.hold(mine)
    manager = Manager(made)
    manager.assigns = False
    accepted(made, seconds=0.3)
    manager.stop.set()
    assert [path.rpartition("/")[2] for path in left(made)] == ["somebodys"]
    assert old["metadata"]["labels"][LABEL] == "true"


def test_the_report_says_what_was_accepted(made: FurnishedSite, tmp_path: Path) -> None:
    """UX-8: who, which versions, digests that change with what they are of."""
    file = tmp_path / "Pulumi.prod.yaml"
    file.write_text("config: {}\n")
    facts = signed_facts(made.site, file, "platform team")
    assert facts["Accepted by"] == "platform team"
    assert facts["Kubernetes of control-plane"] == "1.34.1"
    file.write_text("config: {a: b}\n")
    made.clusters["gpu-west"].failure = ClientError("https://gpu:6443", "timeout")
    other = signed_facts(made.site, file, "platform team")
    assert other["Stack file (SHA-256)"] != facts["Stack file (SHA-256)"]
    assert other["Declared objects (SHA-256)"] == facts["Declared objects (SHA-256)"]
    assert other["Kubernetes of gpu-west"] == "unknown"


def test_steps_are_joined_and_those_that_were_not_taken_are_no_passes() -> None:
    """UX-8."""
    good = Report("doctor", "prod", (Outcome("dns", "x", "passed", "y"),))
    report = joined("prod", {"doctor": good, "up": not_made("up", "prod", ["up"], "doctor failed")}, {})
    assert [(item.check, item.state) for item in report.outcomes] == [
        ("doctor/dns", "passed"),
        ("up/up", "notChecked"),
    ]
    assert not report.is_good


@pytest.mark.whole
def test_a_step_that_fails_is_the_last_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """OPS-9, UX-2: no update is made of what the doctor refuses."""
    updates: list[str] = []
    monkeypatch.setattr(command, "_update", lambda stack, name: updates.append(stack))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    path = tmp_path / "Pulumi.lab.yaml"
    path.write_text(
        stack_text(
            {
                "controlPlane": {"kubeconfigContext": "hub"},
                "kubeconfigs": ...,
                "domains": {"api": "api.nowhere.example", "app": "app.nowhere.example"},
            }
        )
    )
    page = tmp_path / "acceptance.html"
    sys.argv = ["madeploy", "accept", str(path), "--by", "me", "--json", "--output", str(page)]
    with pytest.raises(SystemExit) as ended:
        main()
    data = json.loads(capsys.readouterr().out)
    assert ended.value.code == 1
    assert updates == []
    states = {item["check"]: item["state"] for item in data["checks"]}
    assert states["doctor/pulumi"] == "failed"
    assert {states[f"{step}/{step}"] for step in ("up", "verify", "job")} == {"notChecked"}
    assert data["facts"]["Accepted by"] == "me"
    assert "Accepted by" in page.read_text(encoding="utf-8")
