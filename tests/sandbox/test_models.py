"""The model registry on a real API server and moto: retention as the job runs it, killed and run again."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import boto3
import pytest
from kubernetes import client, config

from madeploy.registry.retention.engine import run
from madeploy.registry.retention.terms import Policy, StoreError, Summary
from madeploy.sandbox.environment import Environment
from madeploy.settings import CONTROL_PLANE
from manifests.credentials import object_store_yaml
from manifests.inputs import Inputs
from manifests.retention import PROGRAM, retention
from tests.sandbox.models_world import (
    DAYS,
    LOGS,
    MODELS,
    NAMESPACE,
    OLD,
    WORKSPACE,
    YOUNG,
    World,
    chosen,
    minified,
)
from tests.support.objects import of_kind, one
from tests.support.old_models import Store, stored
from tests.support.proves import proves
from tests.support.registry import Killed, Mortal
from tests.support.scale import scale


@pytest.fixture(scope="module")
def world(environment: Environment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Buckets with versions, the job's objects applied, and its program in a folder."""
    s3 = boto3.client(
        "s3",
        endpoint_url=environment.aws_endpoint,
        region_name="eu-west-1",
        aws_access_key_id="sandbox",
        aws_secret_access_key="sandbox",
    )
    for bucket in (MODELS, WORKSPACE, LOGS):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    folder = tmp_path_factory.mktemp("job")
    (folder / "retention").mkdir()
    for module, text in PROGRAM.items():
        (folder / "retention" / module).write_text(text)
    (folder / "account").mkdir()
    (folder / "secrets.yaml").write_text(object_store_yaml("sandbox", "sandbox"))
    kubeconfig = minified(environment)
    authority = kubeconfig["clusters"][0]["cluster"]["certificate-authority-data"]
    (folder / "account/ca.crt").write_bytes(base64.b64decode(authority))
    objects = list(retention(Inputs(chosen())))
    with config.new_client_from_config(str(environment.kubeconfig), CONTROL_PLANE) as api:
        from kubernetes import dynamic

        kinds = dynamic.DynamicClient(api)
        labels = {"pod-security.kubernetes.io/enforce": "restricted"}
        client.CoreV1Api(api).create_namespace({"metadata": {"name": NAMESPACE, "labels": labels}})
        for obj in objects:
            resource = kinds.resources.get(api_version=obj["apiVersion"], kind=obj["kind"])
            kinds.server_side_apply(resource, body=obj, field_manager="models-test")
        token = client.CoreV1Api(api).create_namespaced_service_account_token(
            "michelangelo-retention", NAMESPACE, {"spec": {"expirationSeconds": 7200}}
        )
        (folder / "account/token").write_text(token.status.token)
        made = World(
            environment,
            api,
            s3,
            Store(environment.clusters[CONTROL_PLANE]),
            folder / "account/token",
            folder,
            objects,
        )
        yield made
        made.empty()
        for kind in ("ClusterRole", "ClusterRoleBinding"):
            for obj in of_kind(objects, kind):
                resource = kinds.resources.get(api_version=obj["apiVersion"], kind=kind)
                resource.delete(name=obj["metadata"]["name"])
        client.CoreV1Api(api).delete_namespace(NAMESPACE)


def interlocked() -> tuple[list[Any], list[str]]:
    """Expired and young models whose artifacts touch each other."""
    models = [
        stored(
            "old-1", NAMESPACE, OLD, [f"s3://{MODELS}/one", f"s3://{MODELS}/shared"], [f"s3://{WORKSPACE}/p/"]
        ),
        stored("old-2", NAMESPACE, OLD, [f"s3://{MODELS}/ü ber/&<a>"]),
        stored("old-3", NAMESPACE, OLD, [f"s3://{MODELS}/root"]),
        stored("young", NAMESPACE, YOUNG, [f"s3://{MODELS}/shared", f"s3://{MODELS}/root/young"]),
        stored("near", NAMESPACE, DAYS - 0.01, [f"s3://{MODELS}/one-more"]),
    ]
    keys = [f"s3://{MODELS}/one/{number}" for number in range(3)]
    keys += [f"s3://{MODELS}/shared/1", f"s3://{MODELS}/root/young/1", f"s3://{MODELS}/root/old"]
    keys += [
        f"s3://{MODELS}/one-more/1",
        f"s3://{WORKSPACE}/p/x",
        f"s3://{WORKSPACE}/p-q",
        f"s3://{LOGS}/one/1",
    ]
    keys += [f"s3://{MODELS}/ü ber/&<a>", f"s3://{MODELS}/ü ber/&<a>/b+c%20\r"]
    return models, keys


KEPT = {
    f"s3://{MODELS}/shared/1",
    f"s3://{MODELS}/root/young/1",
    f"s3://{MODELS}/root/old",
    f"s3://{MODELS}/one-more/1",
    f"s3://{WORKSPACE}/p-q",
    f"s3://{LOGS}/one/1",
}
POLICY = Policy(datetime.now(timezone.utc) - timedelta(days=DAYS), frozenset({MODELS, WORKSPACE}))
EDGES: dict[str, Callable[[World], Any]] = {"job": World.job_edges, "command": World.command_edges}


def test_the_job_s_program_runs_with_its_own_rights_and_no_package_at_all(world: World) -> None:
    """MR-8: its ServiceAccount's token, a bare interpreter, the pod's variables."""
    world.fill(*interlocked())
    dry = world.job(DRY_RUN="true")
    assert dry.returncode == 1, dry.stdout + dry.stderr
    assert {json.loads(line).get("action") for line in dry.stdout.splitlines()} == {
        "wouldRemove",
        "blocked",
        None,
    }
    assert len(world.names()) == 5

    done = world.job()
    *lines, last = map(json.loads, done.stdout.splitlines())
    assert {line["name"]: line["action"] for line in lines} == {
        "old-1": "removed",
        "old-2": "removed",
        "old-3": "blocked",
    }
    assert last == {
        "models": last["models"],
        "expired": 3,
        "objects": 6,
        "bytes": 60,
        "actions": {"blocked": 1, "removed": 2},
    }
    assert done.returncode == 1
    assert done.stderr == ""
    assert world.names() == {"old-3", "young", "near"}
    assert world.uris() == KEPT


def test_what_the_job_deletes_is_there_as_a_version_until_the_lifecycle_rule_takes_it(world: World) -> None:
    """MR-8, MR-1: so that a mistake can be undone; nobody has the right to delete versions."""
    world.fill([stored("old", NAMESPACE, OLD, [f"s3://{MODELS}/once"])], [f"s3://{MODELS}/once"])
    assert world.job().returncode == 0
    versions = world.s3.list_object_versions(Bucket=MODELS, Prefix="once")
    assert [item["IsLatest"] for item in versions["Versions"]] == [False]
    assert [item["IsLatest"] for item in versions["DeleteMarkers"]] == [True]
    assert world.job().returncode == 0
    assert len(world.s3.list_object_versions(Bucket=MODELS, Prefix="once")["DeleteMarkers"]) == 1


@pytest.mark.parametrize("edges", EDGES)
@proves("MR-8", played="AWS, by moto")
def test_ended_at_any_step_and_run_again_nothing_dangles_and_no_young_model_is_touched(
    edges: str, world: World
) -> None:
    """MR-8."""
    world.fill(*interlocked())
    mortal = Mortal(*EDGES[edges](world))
    list(run(mortal, mortal, POLICY, Summary()))
    assert mortal.steps > 20
    every = scale(9, 1)
    for last in range(EDGE_START[edges], mortal.steps, every):
        models, keys = interlocked()
        world.fill(models, keys)
        ending = Mortal(*EDGES[edges](world), last)
        with pytest.raises(Killed):
            list(run(ending, ending, POLICY, Summary()))
        left = world.names()
        assert world.uris() >= KEPT, last
        for model in models:
            if model["metadata"]["name"] not in left:
                gone = model["spec"]["modelArtifactUri"] + model["spec"]["deployableArtifactUri"]
                lost = [uri for uri in world.uris() - KEPT for named in gone if uri.startswith(named)]
                assert lost == [], last
        again = Mortal(*EDGES[edges](world))
        list(run(again, again, POLICY, Summary()))
        assert (world.names(), world.uris()) == ({"old-3", "young", "near"}, KEPT), last


EDGE_START = {"job": 0, "command": 4}
"""Where each begins, so that the two together take more of the steps."""


@pytest.mark.parametrize("after", range(scale(2, 10)))
def test_a_killed_job_is_taken_up_by_the_next(after: int, world: World) -> None:
    """MR-8: SIGKILL, while it is at work."""
    count = 40
    models = [stored(f"old-{n}", NAMESPACE, OLD, [f"s3://{MODELS}/many/{n}"]) for n in range(count)]
    models += [stored(f"young-{n}", NAMESPACE, YOUNG, [f"s3://{MODELS}/many/{n}/kept"]) for n in range(3)]
    keys = [f"s3://{MODELS}/many/{n}/{part}" for n in range(count) for part in ("kept", "weights")]
    world.fill(models, keys)
    with subprocess.Popen(
        world.command(), cwd=world.program, env=world.variables(), stdout=subprocess.PIPE, text=True
    ) as job:
        assert job.stdout is not None
        for _ in range(3 + 3 * after):
            assert job.stdout.readline()
        job.send_signal(signal.SIGKILL)
        job.wait(timeout=180)
    left = {name for name in world.names() if name.startswith("old-")}
    assert 0 < len(left) < count
    names = {f"{MODELS}/many/{name.removeprefix('old-')}/" for name in left}
    for uri in world.uris():
        assert any(name in uri for name in names), f"{uri} is named by no model"
    assert world.job().returncode == 1  # Three are blocked by young ones inside them.
    assert world.names() == {f"{age}-{n}" for age in ("old", "young") for n in range(3)}
    assert world.uris() == {uri for uri in keys if uri.split("/")[4] in ("0", "1", "2")}


def test_ten_thousand_models_take_less_memory_than_the_pod_may_have(
    world: World, record_property: Callable[[str, object], None]
) -> None:
    """MR-8: measured by the kernel, at its peak; half of the models expired, each with objects."""
    count = scale(200, 10_000)
    models = [
        stored(
            f"m-{n}", NAMESPACE, OLD if n % 2 else YOUNG, [f"s3://{MODELS}/bulk/team-{n % 7}/model-{n}/raw"]
        )
        for n in range(count)
    ]
    world.fill(
        models, [f"s3://{MODELS}/bulk/team-{n % 7}/model-{n}/raw/weights.bin" for n in range(0, count, 10)]
    )
    started = time.monotonic()
    with subprocess.Popen(
        world.command(), cwd=world.program, env=world.variables(), stdout=subprocess.PIPE, text=True
    ) as job:
        assert job.stdout is not None
        peak, last = 0, ""
        for number, last in enumerate(job.stdout):
            if number % 100 == 0 or "actions" in last:
                peak = max(peak, _peak(job.pid) or peak)
        assert job.wait() == 0
    summary = json.loads(last)
    record_property("seconds", round(time.monotonic() - started))
    record_property("peak_mib", round(peak / 2**20, 1))
    assert summary["actions"] == {"removed": count // 2}
    pod = one(world.objects, "CronJob", "michelangelo-retention")["spec"]["jobTemplate"]["spec"]["template"]
    assert pod["spec"]["containers"][0]["resources"]["limits"]["memory"] == "128Mi"
    assert 0 < peak < 96 * 2**20


def _peak(pid: int) -> int:
    """Largest resident size so far, bytes; 0 when the process has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM")), 0)


@pytest.mark.parametrize(
    ("verb", "said"),
    [("delete", "Model models-test/old cannot be deleted: 403"), ("list", "cannot be listed: 403")],
)
def test_without_one_of_its_rights_the_job_says_what_it_may_not(verb: str, said: str, world: World) -> None:
    """MR-8, MR-10: exit code 3, and nothing but the one model's objects is gone."""
    world.fill([stored("old", NAMESPACE, OLD, [f"s3://{MODELS}/x"])], [f"s3://{MODELS}/x"])
    rights = client.RbacAuthorizationV1Api(world.api)
    (whole,) = of_kind(world.objects, "ClusterRole")
    rules = [{**rule, "verbs": [each for each in rule["verbs"] if each != verb]} for rule in whole["rules"]]
    rights.replace_cluster_role(
        whole["metadata"]["name"], {**whole, "rules": [r for r in rules if r["verbs"]]}
    )
    try:
        done = world.job()
        for _ in range(50):  # The authorizer sees the change when its watch does.
            if done.returncode == 3:
                break
            world.store.put([stored("old", NAMESPACE, OLD, [])])
            time.sleep(0.1)
            done = world.job()
    finally:
        rights.replace_cluster_role(whole["metadata"]["name"], whole)
    assert done.returncode == 3
    assert said in done.stdout
    assert "Traceback" not in done.stderr
    assert world.names() == {"old"}


def test_an_object_store_that_does_not_answer_ends_the_job_before_it_changes_anything(world: World) -> None:
    """MR-8: the job's pod is then started again."""
    world.fill([stored("old", NAMESPACE, OLD, [f"s3://{MODELS}/x"])], [f"s3://{MODELS}/x"])
    done = world.job(S3_ENDPOINT="http://127.0.0.1:1")
    assert (done.returncode, world.names()) == (3, {"old"})
    assert "http://127.0.0.1:1 cannot be used" in done.stdout


def test_pod_security_restricted_admits_the_job_s_pod_and_not_one_that_asks_for_more(world: World) -> None:
    """MR-8, CP-7."""
    job = one(world.objects, "CronJob", "michelangelo-retention")["spec"]["jobTemplate"]["spec"]
    core = client.CoreV1Api(world.api)

    def create(**changed: Any) -> None:
        spec = {**job["template"]["spec"], **changed}
        core.create_namespaced_pod(NAMESPACE, {"metadata": {"name": "job"}, "spec": spec}, dry_run="All")

    create()
    with pytest.raises(client.ApiException, match="restricted"):
        create(securityContext={"runAsUser": 0})


@pytest.mark.parametrize("edges", EDGES)
def test_both_edges_read_both_systems_alike(edges: str, world: World) -> None:
    """MR-8: pages, sizes, odd names, what is not there, what has changed."""
    keys = [f"s3://{MODELS}/page/{n:04}" for n in range(7)] + [f"s3://{MODELS}/page/ü &<>'\"+%2F"]
    world.fill([stored("one", NAMESPACE, YOUNG, [])], keys)
    registry, store = EDGES[edges](world)
    pages = list(store.pages(MODELS, "page/", 3))
    assert [len(page) for page in pages] == [3, 3, 2]
    assert [item for page in pages for item in page] == sorted(
        (uri.removeprefix(f"s3://{MODELS}/"), 10) for uri in keys
    )
    assert list(store.pages(MODELS, "nothing", 3)) == []
    assert store.delete(MODELS, [pages[2][1][0], "page/0003"]) == {}
    assert len(world.keys(MODELS)) == 6
    with pytest.raises(StoreError, match="NoSuchBucket"):
        list(store.pages("models-test-missing", "x", 3))
    found = registry.model(NAMESPACE, "one")
    assert registry.model(NAMESPACE, "two") is None
    uid, version = found["metadata"]["uid"], found["metadata"]["resourceVersion"]
    assert not registry.delete_model(NAMESPACE, "one", uid, "1")
    assert not registry.delete_model(NAMESPACE, "one", "another", version)
    assert registry.delete_model(NAMESPACE, "one", uid, version)
    assert registry.delete_model(NAMESPACE, "one", uid, version)
    assert world.names() == set()


def test_the_environment_has_no_variable_of_this_process(world: World) -> None:
    """MR-8: so that nothing above passed by the tester's own credentials."""
    assert not any(name.startswith("AWS_") for name in world.variables())
    assert "HOME" in os.environ
    assert "HOME" not in world.variables()
