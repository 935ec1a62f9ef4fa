"""A compute cluster's whole life on real API servers, by the command line alone."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from madeploy import kubeconfigs
from madeploy.clients.errors import ClientError
from madeploy.clients.kubernetes import Kubernetes
from madeploy.clusters.controller_manager import pods
from madeploy.clusters.registration import read_registration, registered_client, secret_path
from tests.support.proves import proves
from tests.support.sandbox import UP_LIMIT, Deployed, kill_after, restored
from tests.support.scale import scale

COMPUTE = scale(1, 2)
"""Compute clusters; with a second one, all updates leave it out."""
NAME = f"compute-{COMPUTE - 1}"
REVIEWS = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
QUESTION = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
pytestmark = pytest.mark.sandbox


@pytest.fixture(scope="module", autouse=True)
def as_it_was(deployed: Deployed) -> Iterator[None]:
    """With as many compute clusters as these tests need; everything as before afterwards."""
    with restored(deployed):
        if COMPUTE > 1:
            up = deployed.madeploy("sandbox", "up", "--compute", str(COMPUTE))
            assert up.returncode == 0, up.stdout[-3000:] + up.stderr[-6000:]
        yield


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "madeploy", "clusters", *arguments, "--stack", "sandbox"]


def clusters(deployed: Deployed, *arguments: str) -> Any:
    """What `madeploy clusters … --json` prints, having ended well."""
    done = deployed.run(*command(*arguments, "--json"))
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-4000:]
    return json.loads(done.stdout)


def administrator(deployed: Deployed, context: str) -> Kubernetes:
    return Kubernetes.from_kubeconfig(
        kubeconfigs.read_context(context, {"KUBECONFIG": str(deployed.state / "kubeconfig")})
    )


class Prober(threading.Thread):
    """Calls a compute cluster ten times a second with one of the control plane's credentials, and counts."""

    def __init__(self, client: Callable[[], Kubernetes]) -> None:
        super().__init__(daemon=True)
        self._client = client
        self._over = threading.Event()
        self.calls = 0
        self.failures: list[str] = []

    def run(self) -> None:
        while not self._over.wait(0.1):
            self.calls += 1
            try:
                self._client().review(REVIEWS, QUESTION)
            except ClientError as error:
                self.failures.append(str(error))

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()

    def __enter__(self) -> Prober:
        self.start()
        return self


def with_the_registered_credential(control_plane: Kubernetes) -> Callable[[], Kubernetes]:
    """Whatever stands in the control plane's Secrets at that moment; connections are made anew with it."""
    made: dict[tuple[str, str, str], Kubernetes] = {}

    def client() -> Kubernetes:
        found = read_registration(control_plane, NAME)
        known = (found.server, found.certificate_authority, found.token)
        if known not in made:
            made[known] = registered_client(found)
        return made[known]

    return client


def with_the_platforms_credential(control_plane: Kubernetes) -> Callable[[], Kubernetes]:
    """What the oldest pod of the controller manager read when it began and keeps for good (facts 3.1)."""
    read: dict[str, Kubernetes] = {}

    def client() -> Kubernetes:
        there = pods(control_plane, "ma-system")
        leader = min(there, key=lambda pod: (pod["metadata"]["creationTimestamp"], pod["metadata"]["uid"]))
        uid = leader["metadata"]["uid"]
        if uid not in read:
            read[uid] = registered_client(read_registration(control_plane, NAME))
        return read[uid]

    return client


def writes(deployed: Deployed, since: int) -> list[tuple[str, str, str]]:
    """Verb, resource and name of what was written on the control plane after the first `since` lines of its
    audit log, by anybody but Kubernetes itself; dry runs and questions left out, and the provider plugin's
    change of ownership of what it created (a patch in nobody's name, once, which changes no content)."""
    lines = (deployed.state / "logs" / "control-plane-audit.log").read_text().splitlines()[since:]
    events = [json.loads(line) for line in lines]
    return [
        (event["verb"], event["objectRef"]["resource"], event["objectRef"].get("name", ""))
        for event in events
        if event["stage"] == "ResponseComplete"
        and event["verb"] not in ("get", "list", "watch")
        and not event["user"]["username"].startswith("system:")
        and "dryRun" not in event["requestURI"]
        and (event["verb"] != "patch" or "fieldManager=" in event["requestURI"])
        and not event["objectRef"]["resource"].startswith("selfsubject")
        and event["objectRef"].get("subresource") != "status"
        and event["objectRef"]["resource"] not in ("leases", "events", "pods", "nodes", "replicasets")
    ]


def audit_lines(deployed: Deployed) -> int:
    return len((deployed.state / "logs" / "control-plane-audit.log").read_text().splitlines())


def refused(client: Kubernetes) -> bool:
    deadline = time.monotonic() + UP_LIMIT
    while time.monotonic() < deadline:
        try:
            client.review(REVIEWS, QUESTION)
        except ClientError as error:
            return error.status == 401
        time.sleep(0.5)
    return False


@proves("REG-8", played="the controller manager's watch")
def test_a_rotation_that_is_interrupted_and_begun_again_cuts_nobody_off(deployed: Deployed) -> None:
    """REG-8: at ten calls a second, neither the registered credential nor the one the platform has read fails
    once; the control plane sees one Secret updated, none deleted, one Deployment rolled; the old token is
    dead; and an update afterwards finds nothing to write."""
    control_plane = administrator(deployed, "control-plane")
    old = registered_client(read_registration(control_plane, NAME))
    since = audit_lines(deployed)
    with (
        Prober(with_the_registered_credential(control_plane)) as registered,
        Prober(with_the_platforms_credential(control_plane)) as cached,
    ):
        kill_after(deployed, "is registered): done", *command("rotate", NAME, "--yes"))
        file = deployed.stack_file
        assert "keep" in file.read_text(), "it was interrupted with both credentials valid"
        outcome = clusters(deployed, "rotate", NAME, "--yes")
    (result,) = outcome["clusters"]
    assert (result["done"], result["after"]) == (True, 2)
    assert result["refusedAfterSeconds"]["1"] is not None
    assert (registered.failures, cached.failures) == ([], [])
    assert min(registered.calls, cached.calls) > 20
    written = writes(deployed, since)
    assert [item for item in written if item[1] == "secrets"] == [
        ("patch", "secrets", f"cluster-{NAME}-client-token")
    ]
    assert [item for item in written if item[1] == "deployments"] == [
        ("patch", "deployments", "michelangelo-controllermgr")
    ]
    assert refused(old)
    since = audit_lines(deployed)
    up = deployed.run("pulumi", "up", "--yes", "--skip-preview", "--non-interactive", "--stack", "sandbox")
    assert up.returncode == 0, up.stdout[-3000:]
    assert writes(deployed, since) == []


def test_a_cluster_with_work_on_it_is_not_removed(deployed: Deployed) -> None:
    """REG-9: what runs is named, the limit is kept, and nothing is taken away."""
    compute = administrator(deployed, NAME)
    where = "/apis/ray.io/v1/namespaces/default/rayclusters"
    compute.create(where, {"apiVersion": "ray.io/v1", "kind": "RayCluster", "metadata": {"name": "busy"}})
    try:
        done = deployed.run(*command("remove", NAME, "--yes", "--timeout", "1s", "--json"))
        assert done.returncode == 1, done.stderr
        codes = [finding["code"] for finding in json.loads(done.stdout)["findings"]]
        assert codes == ["MA472", "MA473"]
        assert read_registration(administrator(deployed, "control-plane"), NAME).cluster is not None
    finally:
        compute.delete(f"{where}/busy")


@proves("REG-9", played="the controller manager's watch")
def test_a_removed_cluster_is_gone_on_both_sides_and_may_come_back(deployed: Deployed) -> None:
    """REG-9, REG-2, REG-4: drained, removed with its token dead, added again under its name, and proven."""
    drained = clusters(deployed, "drain", NAME, "--timeout", "0")
    assert drained["drained"] is True
    control_plane, compute = administrator(deployed, "control-plane"), administrator(deployed, NAME)
    old = registered_client(read_registration(control_plane, NAME))
    removed = clusters(deployed, "remove", NAME, "--yes")
    assert len(removed["cluster"]["refusedAfterSeconds"]) == 1
    assert removed["cluster"]["leftBehind"] == []
    assert refused(old)
    gone = read_registration(control_plane, NAME)
    assert (gone.cluster, gone.secrets) == (None, {"ca": None, "token": None})
    for kind, name in (("serviceaccounts", "ray-manager"), ("configmaps", "michelangelo-config")):
        assert compute.find(f"/api/v1/namespaces/default/{kind}/{name}") is None
    assert compute.find(secret_path("ray-manager-token-2", "default")) is None
    assert NAME not in deployed.stack_file.read_text()
    added = deployed.run(*command("add", NAME, "--from-context", NAME, "--yes"))
    assert added.returncode == 0, added.stdout[-3000:] + added.stderr[-3000:]
    deadline = time.monotonic() + UP_LIMIT
    while (proof := deployed.run(*command("verify", NAME, "--json"))).returncode != 0:
        assert time.monotonic() < deadline, proof.stdout
        time.sleep(2)
    (shown,) = json.loads(proof.stdout)["clusters"]
    assert shown["proven"] is True
