"""What is asked from pods, and a real job: each fault by its code, and what is printed clears it.

API servers, quotas and kubectl are real. Played are the kubelet, which runs the pods' program as a process,
the object store, and the controller manager, as far as it dispatches a job.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from madeploy.doctor import acceptance
from madeploy.doctor.acceptance import Jobs
from madeploy.doctor.checks import Seen
from madeploy.doctor.connectivity import from_compute, from_control_plane
from madeploy.doctor.probe_pods import Pods
from madeploy.sandbox.environment import Environment
from tests.support.bench import DOMAINS, PATIENCE, SPACE, Bench, applied
from tests.support.clears import clears
from tests.support.dispatching import HERE, dispatching
from tests.support.greeting import HOST, greeting
from tests.support.local_aws import local_store
from tests.support.ports import free_port
from tests.support.tls import certificate_files
from tests.support.waiting import wait

pytestmark = pytest.mark.sandbox

CLUSTER = "compute-0"
BUCKETS = {"workspace": "pods-workspace", "models": "pods-models"}
KEYS = ("key-of-nobody", "not-a-secret")
TASKS = "/api/v1/namespaces/default/secrets/aws-credentials"


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    """A local S3 with both buckets; gives its address."""
    with local_store(KEYS, BUCKETS.values()) as (url, _):
        yield url


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, bytes]]:
    """A door that greets as the API's; its port and authority."""
    folder = tmp_path_factory.mktemp("door")
    pem = certificate_files(folder, DOMAINS["api"])
    with greeting(folder / "tls.crt", folder / "tls.key", "h2") as port:
        yield port, pem


@pytest.fixture
def registered(
    bench: Bench, environment: Environment, store: str, door: tuple[int, bytes]
) -> Iterator[Bench]:
    """The environment with a compute cluster, a store and a registry that are all reached."""
    cluster = environment.clusters[CLUSTER]
    port, pem = door
    bench.sections |= {
        "clusters": {CLUSTER: {"kubeconfigContext": CLUSTER, "server": cluster.server}},
        "storage": {
            "kind": "s3Compatible",
            "endpoint": store,
            "region": "eu-west-1",
            "buckets": BUCKETS,
            "credentialsSecret": "bench-object-store",
        },
        "modelRegistry": {"endpoint": f"{HOST}:{port}"},
    }
    bench.up(take_back=True)
    authority = (environment.directory.cluster(CLUSTER) / "pki" / "ca.crt").read_bytes()
    told(bench.hub, f"/api/v1/namespaces/default/secrets/cluster-{CLUSTER}-ca-data", cadata=authority)
    for name in ("michelangelo-apiserver-tls", "michelangelo-ui-tls"):
        told(bench.hub, f"/api/v1/namespaces/{SPACE}/secrets/{name}", **{"ca.crt": pem})
    keys(bench, *KEYS)
    bench.at = (HOST, port)
    yield bench
    bench.restore()
    bench.hub.delete(f"/apis/michelangelo.api/v2/namespaces/{SPACE}/clusters/{CLUSTER}")
    bench.up(take_back=True)


def told(client: Any, path: str, **data: bytes) -> None:
    """Have a Secret hold these values."""
    client.merge(path, {"data": {key: base64.b64encode(value).decode() for key, value in data.items()}})


def keys(bench: Bench, key: str, secret: str) -> None:
    """Have the tasks' Secret hold these keys."""
    values = {"AWS_ACCESS_KEY_ID": key.encode(), "AWS_SECRET_ACCESS_KEY": secret.encode()}
    told(bench.connect(CLUSTER), TASKS, **values)


def from_tasks(bench: Bench, seconds: float = PATIENCE) -> Callable[[], Seen]:
    def answer() -> Seen:
        with Pods(seconds) as pods:
            return list_or_text(from_compute(bench.site, pods, CLUSTER))

    return answer


def list_or_text(seen: Seen) -> Seen:
    return seen if isinstance(seen, str) else list(seen)


def of_control_plane(bench: Bench) -> Callable[[], Seen]:
    def answer() -> Seen:
        with Pods(PATIENCE) as pods:
            return list_or_text(from_control_plane(bench.site, pods))

    return answer


@pytest.mark.long
@clears("MA970")
def test_a_cluster_is_reached_once_its_way_is_open(registered: Bench) -> None:
    """NET-14: what is printed besides is the proof of the registration."""
    path = f"/apis/michelangelo.api/v2/namespaces/{SPACE}/clusters/{CLUSTER}"
    right = registered.hub.get(path)["spec"]["kubernetes"]["rest"]["port"]

    def at(port: str) -> None:
        registered.hub.merge(path, {"spec": {"kubernetes": {"rest": {"port": port}}}})

    at(str(free_port()))
    registered.clear("MA970", of_control_plane(registered), lambda: at(right))


@pytest.mark.long
@clears("MA971", "MA975")
def test_the_api_and_the_registry_are_reached_once_the_ways_are_open(registered: Bench) -> None:
    """NET-14, NET-15: row 9 of the checklist."""
    right, registered.at = registered.at, (HOST, free_port())
    registered.clear("MA971", from_tasks(registered), lambda: setattr(registered, "at", right))
    registry = registered.sections["modelRegistry"]
    registered.sections["modelRegistry"] = {"endpoint": f"{HOST}:{free_port()}"}
    registered.clear(
        "MA975", from_tasks(registered), lambda: registered.sections.update(modelRegistry=registry)
    )


@pytest.mark.long
@clears("MA972", "MA973")
def test_the_store_is_reached_and_takes_the_tasks_keys(registered: Bench) -> None:
    """NET-14, MR-6: the way and the credentials are two things."""
    storage = registered.sections["storage"]
    registered.sections["storage"] = storage | {"endpoint": f"http://{HOST}:{free_port()}"}
    registered.clear("MA972", from_tasks(registered), lambda: registered.sections.update(storage=storage))
    keys(registered, "", "")
    registered.clear("MA973", from_tasks(registered), lambda: keys(registered, *KEYS))


@clears("MA974")
def test_a_pod_that_a_quota_refuses_runs_once_there_is_room(registered: Bench) -> None:
    """NET-14, UX-8."""
    none = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "bench-none", "namespace": "default"},
        "spec": {"hard": {"pods": "0"}},
    }
    applied(registered, none, cluster=CLUSTER)
    path = "/api/v1/namespaces/default/resourcequotas/bench-none"
    wait(lambda: "used" in (registered.connect(CLUSTER).get(path).get("status") or {}))
    registered.clear(
        "MA974",
        from_tasks(registered),
        lambda: registered.kubectl("-n default delete resourcequota bench-none", CLUSTER),
    )


def job(bench: Bench) -> Callable[[], Seen]:
    def answer() -> Seen:
        with Jobs(bench.site, seconds=3) as jobs:
            return list_or_text(jobs.run(CLUSTER))

    return answer


@pytest.mark.long
@clears("MA969", "MA999")
def test_a_job_runs_once_somebody_dispatches_it_and_goes_once_it_is_let_go(
    registered: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OPS-9, UX-8: assigned, created, ready; gone on both sides."""
    monkeypatch.setattr(acceptance, "POLL_SECONDS", 0.1)
    compute = registered.connect(CLUSTER)
    with dispatching(registered.connect("control-plane"), compute, CLUSTER) as awake:
        registered.clear("MA969", job(registered), awake.set)
        create = registered.hub.create

        def held(path: str, item: dict[str, Any], **query: Any) -> dict[str, Any]:
            item["metadata"]["finalizers"] = ["example.com/held"]
            return create(path, item, **query)

        holding = registered.connect("control-plane")
        monkeypatch.setattr(holding, "create", held)
        registered.connections["control-plane"] = holding
        (finding,) = registered.await_codes({"MA999"}, job(registered))
        registered.connections.clear()
        for item in registered.hub.items(HERE):
            registered.hub.merge(f"{HERE}/{item['metadata']['name']}", {"metadata": {"finalizers": None}})
        for line in finding.commands:
            registered.type(line)
        registered.await_codes(set(), job(registered))
