"""Connectivity is asked from pods: what they run, where they stand, what is left of them.

The kubelet is played by the sandbox's own actor: the pod's program runs as a process of this machine.
"""

from __future__ import annotations

import base64
import os
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from madeploy.clients.errors import ClientError
from madeploy.doctor.checks import Check, Seen, run
from madeploy.doctor.connectivity import checks_by_pods, from_compute, from_control_plane
from madeploy.doctor.probe_pods import LABEL, MAKER, Pods, Source, pod, program, sweep
from madeploy.findings.outcomes import Outcome
from madeploy.sandbox.pki import Authority
from madeploy.settings import CONTROL_PLANE
from tests.support.environments import environment
from tests.support.furnished import FurnishedSite, deployed, named
from tests.support.greeting import HOST, greeting
from tests.support.kubelet import WithKubelet
from tests.support.local_aws import local_store
from tests.support.ports import free_port
from tests.support.proves import proves
from tests.support.tls import certificate_pair

pytestmark = pytest.mark.whole

API = "api.ml.example.com"
KEYS = {"AWS_ACCESS_KEY_ID": "key-of-nobody", "AWS_SECRET_ACCESS_KEY": "not-a-secret"}
BUCKETS = ("space", "models")


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    """A local S3 with both buckets; gives its address."""
    with local_store((KEYS["AWS_ACCESS_KEY_ID"], KEYS["AWS_SECRET_ACCESS_KEY"]), BUCKETS) as (url, client):
        yield url
        for name in BUCKETS:
            assert not client.list_objects_v2(Bucket=name).get("Contents"), "something was written"
            assert not client.list_multipart_uploads(Bucket=name).get("Uploads"), "an upload was left"


class Lab:
    """A deployed environment whose clusters run pods, with a compute API server, a door and a store."""

    def __init__(
        self, tmp_path: Path, store: str, compute_port: int, door_port: int, door_pem: bytes
    ) -> None:
        self.made: FurnishedSite = deployed(
            environment(
                storage={
                    "kind": "s3Compatible",
                    "endpoint": store,
                    "region": "eu-west-1",
                    "buckets": dict(zip(("workspace", "models"), BUCKETS, strict=True)),
                },
                clusters={"gpu": {"server": f"https://{HOST}:{compute_port}"}},
                modelRegistry={"endpoint": f"{HOST}:{door_port}"},
            )
        )
        for cluster in self.made.clusters.values():
            cluster.__class__ = WithKubelet
        self.give(KEYS)
        authority = (tmp_path / "ca.crt").read_bytes()
        hub = self.made.hub
        hub.objects["/api/v1/namespaces/default/secrets/cluster-gpu-ca-data"]["data"] = {
            "cadata": base64.b64encode(authority).decode()
        }
        hub.hold(
            named(
                "Secret",
                "michelangelo-apiserver-tls",
                "ma-system",
                data={"ca.crt": base64.b64encode(door_pem).decode()},
            )
        )
        self.made.site.at = (HOST, door_port)

    def give(self, keys: Mapping[str, str]) -> None:
        """Have the tasks' Secret hold these keys."""
        data = {name: base64.b64encode(value.encode()).decode() for name, value in keys.items()}
        self.compute.objects["/api/v1/namespaces/default/secrets/aws-credentials"]["data"] = data

    @property
    def compute(self) -> WithKubelet:
        found = self.made.clusters["gpu"]
        assert isinstance(found, WithKubelet)
        return found

    def look(self, cluster: str, seconds: float = 30) -> Outcome:
        """The check of one pod."""
        site = self.made.site
        with Pods(seconds) as pods:

            def answer() -> Seen:
                if cluster == CONTROL_PLANE:
                    return from_control_plane(site, pods)
                return from_compute(site, pods, cluster)

            (outcome,) = run("verify", "prod", [Check("p", "x", answer)], seconds=60).outcomes
        assert self.pods_left() == []
        return outcome

    def pods_left(self) -> list[str]:
        """Pods that are there still."""
        return [
            path
            for cluster in self.made.clusters.values()
            for path, item in cluster.objects.items()
            if LABEL in (item["metadata"].get("labels") or {})
        ]


@pytest.fixture
def lab(tmp_path: Path, store: str) -> Iterator[Lab]:
    """Everything is reached."""
    pair = Authority(tmp_path, "ca", "lab").server("api", "api", (HOST,))
    pem, key = certificate_pair(API)
    (tmp_path / "door.crt").write_bytes(pem)
    (tmp_path / "door.key").write_bytes(key)
    with (
        greeting(pair.certificate, pair.key) as compute,
        greeting(tmp_path / "door.crt", tmp_path / "door.key", "h2") as door,
    ):
        yield Lab(tmp_path, store, compute, door, pem)


def codes(outcome: Outcome) -> list[str]:
    return sorted(finding.code for finding in outcome.findings)


@proves("NET-14", played="kubelets, by the probe as a process")
def test_pods_reach_what_the_platforms_pods_have_to_reach(lab: Lab) -> None:
    """NET-14, NET-15, MR-6: both directions; the store read and written with what tasks really get."""
    assert lab.look(CONTROL_PLANE).detail == "a pod of ma-system reaches gpu"
    outcome = lab.look("gpu")
    assert outcome.detail == "a pod with the tasks' account reaches api, store, registry", outcome


def test_a_compute_cluster_that_is_not_reached_is_named(lab: Lab) -> None:
    """NET-14."""
    path = "/apis/michelangelo.api/v2/namespaces/ma-system/clusters/gpu"
    lab.made.hub.objects[path]["spec"]["kubernetes"]["rest"]["port"] = str(free_port())
    (finding,) = lab.look(CONTROL_PLANE).findings
    assert (finding.code, finding.subject) == ("MA970", "control-plane → gpu")
    assert "ConnectionRefusedError" in finding.evidence


def test_an_authority_that_does_not_vouch_is_no_reach(lab: Lab) -> None:
    """NET-14: as the platform's own TLS would see it."""
    other = base64.b64encode(certificate_pair("other")[0]).decode()
    lab.made.hub.objects["/api/v1/namespaces/default/secrets/cluster-gpu-ca-data"]["data"] = {"cadata": other}
    assert codes(lab.look(CONTROL_PLANE)) == ["MA970"]


def test_an_api_and_a_registry_that_tasks_do_not_reach_are_named(lab: Lab) -> None:
    """NET-14, NET-15: row 9 of the checklist."""
    lab.made.site.at = (HOST, free_port())
    assert codes(lab.look("gpu")) == ["MA971"]
    other = lab.made.environment.model_registry.model_copy(update={"endpoint": f"{HOST}:{free_port()}"})
    lab.made.site.environment = lab.made.environment.model_copy(update={"model_registry": other})
    assert codes(lab.look("gpu")) == ["MA971", "MA975"]


def test_a_store_that_tasks_do_not_reach_is_told_from_one_that_refuses_them(lab: Lab) -> None:
    """NET-14, MR-6: the way, and the credentials."""
    lab.give({})
    outcome = lab.look("gpu")
    assert codes(outcome) == ["MA973"]
    assert "no AWS credentials" in outcome.findings[0].evidence
    shut = lab.made.environment.storage.model_copy(update={"endpoint": f"http://{HOST}:{free_port()}"})
    lab.made.site.environment = lab.made.environment.model_copy(update={"storage": shut})
    lab.give(KEYS)
    assert codes(lab.look("gpu")) == ["MA972"]


def test_a_bucket_that_is_not_there_is_refused_by_the_store(lab: Lab) -> None:
    """MR-6: in the store's own words."""
    buckets = lab.made.environment.storage.buckets.model_copy(update={"models": "elsewhere"})
    storage = lab.made.environment.storage.model_copy(update={"buckets": buckets})
    lab.made.site.environment = lab.made.environment.model_copy(update={"storage": storage})
    (finding,) = lab.look("gpu").findings
    assert (finding.code, finding.evidence) == ("MA973", "GET elsewhere: NoSuchBucket")


def test_a_pod_that_does_not_start_or_is_refused_says_so(lab: Lab) -> None:
    """NET-14, UX-8: that nothing is known is no pass."""
    lab.compute.is_asleep = True
    outcome = lab.look("gpu", seconds=0.6)
    assert (outcome.state, codes(outcome)) == ("warned", ["MA974"])
    assert "it was not started" in outcome.detail
    lab.compute.refusals["madeploy-connectivity"] = "violates PodSecurity"
    outcome = lab.look("gpu")
    assert codes(outcome) == ["MA974"]
    assert "violates PodSecurity" in outcome.detail


def test_an_interrupt_leaves_nothing_behind(lab: Lab) -> None:
    """UX-8: threads do not hear of it; the context does."""
    lab.compute.is_asleep = True

    def interrupted() -> None:
        with Pods() as pods:
            threading.Thread(target=from_compute, args=(lab.made.site, pods, "gpu"), daemon=True).start()
            while not lab.pods_left():
                time.sleep(0.01)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert lab.pods_left() == []
    assert any(call.startswith("create ") for call in lab.compute.written)


def test_what_a_killed_run_left_is_taken_away_by_the_next(lab: Lab) -> None:
    """UX-8: once it is older than a pod may be; one of a run under way elsewhere stays."""

    def left(name: str, stamp: str) -> dict[str, Any]:
        found = named("Pod", name, "default")
        found["metadata"] |= {"labels": {LABEL: "true"}, "creationTimestamp": stamp}
        return found

    lab.compute.hold(left("old", "2026-01-01T00:00:00Z"), left("young", "2999-01-01T00:00:00Z"))
    assert sweep(lab.compute, "default") == 1
    assert [path.rpartition("/")[2] for path in lab.pods_left()] == ["young"]


def test_what_a_killed_run_of_this_machine_left_is_taken_away_at_once(lab: Lab) -> None:
    """UX-8: its process is no more; that of a run under way is, and its pods stay."""
    source = Source("default", "default")
    own = pod(lab.made.environment, source, [], "own")
    gone = pod(lab.made.environment, source, [], "gone")
    elsewhere = pod(lab.made.environment, source, [], "elsewhere")
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    mine = str(own["metadata"]["annotations"][MAKER])
    gone["metadata"]["annotations"][MAKER] = mine.replace(f" {os.getpid()} ", f" {ended.pid} ")
    elsewhere["metadata"]["annotations"][MAKER] = "another-machine" + mine[mine.index(" ") :]
    for item in (own, gone, elsewhere):
        item["metadata"]["creationTimestamp"] = "2999-01-01T00:00:00Z"
        lab.compute.hold(item)
    assert sweep(lab.compute, "default") == 1
    assert sorted(path.rpartition("/")[2] for path in lab.pods_left()) == ["elsewhere", "own"]


def test_a_pod_that_is_just_being_made_when_the_run_is_interrupted_is_taken_away_too(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UX-8: it is not there yet when the others are taken away."""
    lab.compute.is_asleep = True
    create, asked = lab.compute.create, threading.Event()

    def slowly(path: str, item: dict[str, Any], **query: Any) -> dict[str, Any]:
        asked.set()
        time.sleep(0.3)
        return create(path, item, **query)

    monkeypatch.setattr(lab.compute, "create", slowly)

    def interrupted() -> None:
        with Pods() as pods:
            threading.Thread(target=from_compute, args=(lab.made.site, pods, "gpu"), daemon=True).start()
            assert asked.wait(10)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert any(call.startswith("create ") for call in lab.compute.written)
    assert lab.pods_left() == []


def test_an_interrupted_run_makes_no_more_pods(lab: Lab) -> None:
    """UX-8: whatever its threads come to afterwards."""
    with Pods() as pods:
        pass
    from_compute(lab.made.site, pods, "gpu")
    assert not any(call.startswith("create ") for call in lab.compute.written)


def test_a_cluster_that_does_not_answer_is_not_hidden(lab: Lab) -> None:
    """REG-10."""
    lab.compute.failure = ClientError("https://gpu:6443", "timeout")
    assert lab.look("gpu").state == "notChecked"


def test_pods_stand_where_traffic_starts_and_pass_the_strictest_level(lab: Lab) -> None:
    """NET-14, CP-7: labels, account, Pod Security `restricted`, no token, a deadline of their own."""
    source = Source("ma-system", "michelangelo-controllermgr", {"app": "michelangelo-controllermgr"})
    made = pod(lab.made.environment, source, [], "p")
    spec = made["spec"]
    assert made["metadata"]["labels"]["app"] == "michelangelo-controllermgr"
    assert "pod-template-hash" not in made["metadata"]["labels"], "a ReplicaSet would take it over"
    assert spec["serviceAccountName"] == "michelangelo-controllermgr"
    assert spec["automountServiceAccountToken"] is False
    assert spec["activeDeadlineSeconds"] <= 120
    assert spec["securityContext"]["runAsNonRoot"] is True
    (container,) = spec["containers"]
    security = container["securityContext"]
    assert security["allowPrivilegeEscalation"] is False
    assert security["readOnlyRootFilesystem"] is True
    assert security["capabilities"] == {"drop": ["ALL"]}


def test_the_program_needs_the_standard_library_alone_and_is_small(tmp_path: Path) -> None:
    """NET-14: below what an environment variable may hold, and the same each time."""
    assert program() == program()
    assert len(base64.b64encode(program())) < 60_000
    archive = tmp_path / "p.zip"
    archive.write_bytes(program())
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(tmp_path)
    done = subprocess.run(
        [
            sys.executable,
            "-I",
            "-S",
            "-c",
            f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import madeploy.doctor.probe",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_one_pod_a_cluster(lab: Lab) -> None:
    """NET-14."""
    with Pods() as pods:
        names: Mapping[str, None] = dict.fromkeys(check.name for check in checks_by_pods(lab.made.site, pods))
    assert list(names) == ["pods/control-plane", "pods/gpu"]
    assert os.environ.get("MADEPLOY_PROBE") is None
