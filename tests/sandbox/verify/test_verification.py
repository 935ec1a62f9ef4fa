"""A sound registration on real API servers is proven check by check, by the library and by the commands."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from madeploy.cli.app import main
from madeploy.cli.clusters.verify import CAVEAT
from madeploy.clusters import verification
from madeploy.clusters.checks.ray_cluster import RAY_CLUSTERS
from madeploy.clusters.verification import Check, checks_of
from madeploy.names.kubernetes import RAY_NAMESPACE
from madeploy.sandbox.environment import Environment
from tests.support.ports import free_port
from tests.support.proves import proves
from tests.support.registrations import Registration
from tests.support.stacks import stack_text


def names_and_states(checks: list[Check]) -> list[tuple[str, str]]:
    return [(check.name, check.state) for check in checks]


@proves("NET-14", "REG-6", played="the controller manager's watch")
def test_every_check_of_a_sound_registration_passes(registration: Registration) -> None:
    """REG-6, REG-7, NET-14: in order, the platform's own proof and a dry run of a RayCluster included."""
    expected = checks_of(registration.settings, registration.name)
    assert names_and_states(registration.verify()) == [(name, "passed") for name in expected]
    assert list(registration.compute.items(RAY_CLUSTERS)) == []


@proves("REG-6")
def test_a_real_ray_cluster_is_created_by_the_registered_credential_and_deleted(
    registration: Registration, environment: Environment
) -> None:
    """REG-6: as the compute cluster's audit log has it."""
    assert registration.verify(create_ray_cluster=True)[-1].state == "passed"
    assert list(registration.compute.items(RAY_CLUSTERS)) == []
    log = environment.clusters["compute-0"].audit_log
    assert log is not None
    lines = [line for line in log.read_text().splitlines() if '"rayclusters"' in line]
    by_ray_manager = [line for line in lines if '"system:serviceaccount:default:ray-manager"' in line]
    assert sum('"verb":"create"' in line and "dryRun" not in line for line in by_ray_manager) == 1
    assert sum('"verb":"delete"' in line for line in by_ray_manager) == 1


def test_without_a_kubeconfig_only_what_an_administrator_sees_is_skipped(
    registration: Registration,
) -> None:
    """REG-6: the registration itself is proven all the same."""
    checks = verification.verify_registration(
        registration.control_plane, None, registration.settings, registration.name
    )
    assert {check.name for check in checks if check.state == "skipped"} == {"storage", "kuberay"}
    assert all(check.state in ("passed", "skipped") for check in checks)


class Commands:
    """The command line over the registration, with a stack file of its own."""

    def __init__(self, made: Registration, folder: Path, capture: pytest.CaptureFixture[str]) -> None:
        self._capture = capture
        self.stack = folder / "Pulumi.proving.yaml"
        self.write({made.name: {"kubeconfigContext": "compute-0"}})

    def write(self, clusters: dict[str, Any], control_plane: str = "control-plane") -> None:
        """Write the stack file."""
        given = {
            "platform": {"tier": "development"},
            "controlPlane": {"kubeconfigContext": control_plane},
            "clusters": clusters,
            "kubeconfigs": ...,
        }
        self.stack.write_text(stack_text(given), encoding="utf-8")

    def run(self, *arguments: str, code: int) -> tuple[str, str]:
        """Output and errors of `madeploy clusters`, which has to end with this code."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", ["madeploy", "clusters", *arguments, "--stack", str(self.stack)])
            with pytest.raises(SystemExit) as ended:
                main()
        output, errors = self._capture.readouterr()
        assert ended.value.code == code, output + errors
        return output, errors


@pytest.fixture
def commands(
    registration: Registration,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Commands:
    """In the environment of an operator's shell."""
    for name, value in registration.embedded.variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("NO_COLOR", "1")
    return Commands(registration, tmp_path, capsys)


@proves("UX-2")
def test_verify_shows_every_check_says_from_where_it_asked_and_ends_with_0(
    commands: Commands, registration: Registration
) -> None:
    """REG-6, UX-2: progress on stderr."""
    output, errors = commands.run("verify", registration.name, code=0)
    lines = output.splitlines()
    assert lines[0] == f"{registration.name}: proven"
    expected = checks_of(registration.settings, registration.name)
    shown = [line.split()[:2] for line in lines[1 : len(expected) + 1]]
    assert shown == [[name, "passed"] for name in expected]
    assert lines[-1] == CAVEAT
    assert "proving 1 cluster" in errors


def test_verify_of_all_names_the_one_that_is_broken_and_proves_the_others(
    commands: Commands, registration: Registration
) -> None:
    """REG-6, REG-10, UX-2: as JSON, with 1."""
    known = {"kubeconfigContext": "compute-0"}
    commands.write({registration.name: known, "absent": {"kubeconfigContext": "gone"}})
    data = json.loads(commands.run("verify", "--all", "--json", code=1)[0])
    found = {item["name"]: item for item in data["clusters"]}
    assert found[registration.name]["proven"]
    assert not found["absent"]["proven"]
    broken = found["absent"]["checks"][0]
    assert (broken["check"], broken["state"], broken["findings"][0]["code"]) == (
        "registration",
        "failed",
        "MA449",
    )
    assert {check["state"] for check in found["absent"]["checks"][1:]} == {"notTried"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["verify"], "which clusters?"),
        (["verify", "proven", "--all"], "which clusters?"),
        (["verify", "unknown"], "has no cluster unknown"),
    ],
    ids=["nothing", "both", "unknown"],
)
def test_wrong_use_ends_with_2_and_says_what_is_meant(
    arguments: list[str], said: str, commands: Commands
) -> None:
    """UX-2, UX-3."""
    assert said in commands.run(*arguments, code=2)[1]


@pytest.mark.parametrize("verb", [["verify", "proven"], ["status"]], ids=["verify", "status"])
@proves("UX-2")
def test_a_control_plane_that_does_not_answer_ends_with_3(
    verb: list[str], commands: Commands, registration: Registration, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UX-2, UX-3."""
    config = registration.kubeconfig("control-plane")
    config["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{free_port()}"
    config["contexts"][0]["name"] = "dead"
    path = commands.stack.with_name("dead.json")
    path.write_text(json.dumps(config))
    monkeypatch.setenv("KUBECONFIG", f"{path}{os.pathsep}{registration.embedded.kubeconfig}")
    commands.write({registration.name: {"kubeconfigContext": "compute-0"}}, control_plane="dead")
    assert "nothing listens at its port" in commands.run(*verb, code=3)[1]


def test_status_shows_proof_token_operator_and_jobs(commands: Commands, registration: Registration) -> None:
    """REG-9, UX-2: the same as a table and as JSON; jobs on both sides are counted, ended ones are not."""
    here = "/apis/michelangelo.api/v2/namespaces/default/rayclusters"
    there = f"/apis/ray.io/v1/namespaces/{RAY_NAMESPACE}"
    name = registration.name

    def job(kind: str, version: str, item: str) -> dict[str, Any]:
        named = {"name": item, "namespace": "default"}
        return {"apiVersion": version, "kind": kind, "metadata": named, "spec": {}}

    registration.control_plane.create(here, job("RayCluster", "michelangelo.api/v2", "mine"))
    assigned = {"status": {"assignment": {"cluster": name}, "state": "RAY_CLUSTER_STATE_READY"}}
    registration.control_plane.merge(f"{here}/mine/status", assigned)
    registration.compute.create(f"{there}/rayclusters", job("RayCluster", "ray.io/v1", "mine"))
    for item in ("running", "ended"):
        registration.compute.create(f"{there}/rayjobs", job("RayJob", "ray.io/v1", item))
    registration.compute.merge(f"{there}/rayjobs/ended/status", {"status": {"jobStatus": "SUCCEEDED"}})
    try:
        (row,) = json.loads(commands.run("status", "--json", code=0)[0])["clusters"]
        table = commands.run("status", code=0)[0].splitlines()
    finally:
        registration.control_plane.delete(f"{here}/mine")
        registration.compute.delete(f"{there}/rayclusters/mine")
        for item in ("running", "ended"):
            registration.compute.delete(f"{there}/rayjobs/{item}")
    assert row["name"] == name
    assert (row["reachable"], row["ready"], row["inStack"]) == (True, True, True)
    # Whole seconds of two clocks.
    assert -2 < row["proofAgeSeconds"] < 60
    assert -2 < row["tokenAgeSeconds"] < 3600
    assert row["tokenExpiresInSeconds"] is None
    assert row["kuberay"] == "v1.7.1"
    assert (row["rayClusters"], row["rayJobs"], row["assignedRayClusters"]) == (1, 1, 1)
    assert table[0].split()[:3] == ["CLUSTER", "REACHABLE", "READY"]
    assert "1 cluster, 1 job" in table[1]


def test_status_of_a_stack_shows_others_clusters_and_says_what_is_wrong(
    commands: Commands, registration: Registration
) -> None:
    """REG-9, REG-10: registered and not in the stack; in the stack and not registered."""
    commands.write({"absent": {"kubeconfigContext": "gone"}})
    output, _ = commands.run("status", code=1)
    assert f"{registration.name} (not in the stack)" in output
    assert "MA449" in output
