"""Tenants on a real API server, made by the real engine: each sees its own and nothing of the others', limits
hold, and nothing goes by a typo."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import kubernetes
import pulumi
import pytest
import yaml

from components import bundles
from madeploy.clients.errors import ClientError
from madeploy.clients.kubernetes import Kubernetes
from madeploy.kubeconfigs import minify
from madeploy.names.tenants import EDITOR, VIEWER
from madeploy.sandbox.environment import Environment
from madeploy.sandbox.plugins import PluginChoice
from madeploy.settings import Environment as Settings
from madeploy.tenants.live import delete, holdings, there
from madeploy.tenants.queues import delete_queues, queues
from manifests.namespaces import namespaces
from manifests.network_policies import control_plane as network_policies
from manifests.objects import Bundle, Object
from manifests.queues import queues as compute_queues
from manifests.tenants import tenants
from tests.support.engine import Program, Stack
from tests.support.environments import environment as smallest
from tests.support.objects import of_kind
from tests.support.proves import proves
from tests.support.waiting import wait

OWN = {
    "description": "Example",
    "gitRepo": "https://git.example.com/models",
    "quota": {"pods": 2, "pipelineRuns": 3, "cpu": "2", "memory": "4Gi"},
}
TEAMS = {
    "tenant-vision": {
        **OWN,
        "team": "00000000-0000-4000-8000-000000000001",
        "viewers": {"groups": ["vision-lookers"]},
        "editors": {"groups": ["vision"], "users": ["eve"]},
    },
    "tenant-speech": {
        **OWN,
        "team": "00000000-0000-4000-8000-000000000002",
        "viewers": {"groups": ["speech-lookers"]},
        "editors": {"groups": ["speech"]},
    },
}
VERBS = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")
OTHERS = (
    ("", "pods"), ("", "pods/log"), ("", "pods/exec"), ("", "services"), ("", "events"), ("", "secrets"),
    ("", "configmaps"), ("", "serviceaccounts"), ("", "serviceaccounts/token"), ("", "resourcequotas"),
    ("", "limitranges"), ("apps", "deployments"), ("rbac.authorization.k8s.io", "rolebindings"),
    ("networking.k8s.io", "networkpolicies"),
)  # fmt: skip
RUNS = "count/pipelineruns.michelangelo.api"
REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
OnCluster = Callable[[Callable[[pulumi.ResourceOptions], None]], Program]


def settings(*names: str) -> Settings:
    return smallest(tenants={name: TEAMS[name] for name in names})


def objects(chosen: Settings) -> list[Object]:
    """Everything of the tenants, and nothing of the control plane."""
    made = [*namespaces(chosen), *network_policies(chosen), *tenants(chosen)]
    names = {*chosen.tenants, None}
    return [
        obj
        for obj in made
        if (obj["metadata"]["name"] in chosen.tenants if obj["kind"] == "Namespace" else True)
        and obj["metadata"].get("namespace") in names
    ]


def program(*names: str) -> Callable[[pulumi.ResourceOptions], None]:
    """The tenants as the platform's program makes them: namespaces first."""

    def make(opts: pulumi.ResourceOptions) -> None:
        made = objects(settings(*names))
        first = [obj for obj in made if obj["kind"] == "Namespace"]
        rest = [obj for obj in made if obj["kind"] != "Namespace"]
        spaces = bundles.create(Bundle("namespaces", tuple(first)), opts)
        bundles.create(Bundle("tenants", tuple(rest)), opts, spaces)

    return make


@pytest.fixture(scope="module")
def both(
    plugins: PluginChoice,
    on_cluster: OnCluster,
    client: Kubernetes,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    """Both tenants, made by an update; each test leaves both. Gone at the end."""
    # A quota that was counted before the controller manager knew a kind is not counted anew for five minutes.
    wait(lambda: is_counted(client, RUNS))
    stack = Stack("tenants", tmp_path_factory.mktemp("tenants"), {})
    run = stack.up(on_cluster(program(*TEAMS)))
    assert not run.failed, run.text
    yield stack
    stack.destroy()
    for role in (VIEWER, EDITOR):
        client.delete(f"/apis/rbac.authorization.k8s.io/v1/clusterroles/{role}")
    for name in TEAMS:
        delete(client, name, 60, lambda _: None)


def is_counted(client: Kubernetes, kind: str) -> bool:
    """Whether the controller manager counts objects of a kind: of definitions that are new it learns within
    half a minute."""
    quotas = "/api/v1/namespaces/default/resourcequotas"
    body = {"metadata": {"generateName": "counted-"}, "spec": {"hard": {kind: "1"}}}
    path = f"{quotas}/{client.create(quotas, body)['metadata']['name']}"
    try:
        status: dict[str, Any] = wait(lambda: client.get(path).get("status"))
        return kind in (status.get("used") or {})
    finally:
        client.delete(path)


@pytest.fixture(scope="module")
def client(environment: Environment) -> Kubernetes:
    """The toolkit's own client of the control plane."""
    return _client(environment, "control-plane")


def _client(environment: Environment, cluster: str) -> Kubernetes:
    document = yaml.safe_load(environment.kubeconfig.read_text())
    return Kubernetes.from_kubeconfig(minify(document, cluster, cluster))


def _allowed(client: Kubernetes, groups: list[str], **question: str) -> bool:
    spec = {"user": "somebody", "groups": groups, "resourceAttributes": question}
    body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}
    return bool(client.review(REVIEWS, body)["status"]["allowed"])


@proves("OPS-2")
def test_each_tenant_sees_its_own_and_nothing_of_the_others(both: Stack, client: Kubernetes) -> None:
    """OPS-2: every verb on every kind asked, for viewers and editors of both; Secrets and the Project's own
    deletion are nobody's."""
    release = settings().release
    kinds = [*(("michelangelo.api", plural) for plural in release.kinds.values()), *OTHERS]
    asked = 0
    for own, other in (("vision", "speech"), ("speech", "vision")):
        for group, writes in ((f"{own}-lookers", False), (own, True)):
            for kind_group, resource in kinds:
                name, _, sub = resource.partition("/")
                for verb in VERBS:
                    question = {
                        "verb": verb, "group": kind_group, "resource": name, "subresource": sub,
                    }  # fmt: skip
                    for namespace in (f"tenant-{other}", "ma-system", "default", ""):
                        asked += 1
                        denied = not _allowed(client, [group], namespace=namespace, **question)
                        assert denied, (group, verb, resource, namespace)
                    allowed = _allowed(client, [group], namespace=f"tenant-{own}", **question)
                    asked += 1
                    assert allowed == _declared(verb, kind_group, resource, writes), (
                        group,
                        verb,
                        resource,
                    )
    assert asked == 2 * 2 * len(kinds) * len(VERBS) * 5


def _declared(verb: str, group: str, resource: str, writes: bool) -> bool:
    reads = verb in ("get", "list", "watch")
    if group == "michelangelo.api":
        changed = writes and resource not in ("projects", "clusters")
        return reads or (changed and verb in ("create", "update", "patch", "delete"))
    if resource == "pods/log":
        return verb == "get"
    looked_at = {"pods", "services", "events", "resourcequotas", "limitranges", "deployments"}
    return reads and resource in looked_at


@proves("OPS-2")
def test_limits_hold_and_a_running_tenant_is_told(both: Stack, api: Any, client: Kubernetes) -> None:
    """OPS-2: objects beyond the quota are refused by the API server, containers get their defaults, and what
    runs is found before anything is removed."""
    runs = api.resources.get(api_version="michelangelo.api/v2", kind="PipelineRun")
    # Until the controller manager has counted a new quota, the API server refuses what it would count.
    counted = "/api/v1/namespaces/tenant-vision/resourcequotas/michelangelo-quota"
    wait(lambda: RUNS in client.get(counted).get("status", {}).get("used", {}))
    for number in range(3):
        body = {
            "apiVersion": "michelangelo.api/v2",
            "kind": "PipelineRun",
            "metadata": {"name": f"run-{number}"},
            "spec": {},
        }
        runs.create(body=body, namespace="tenant-vision")
    body["metadata"]["name"] = "run-3"
    with pytest.raises(kubernetes.client.ApiException, match="exceeded quota"):
        runs.create(body=body, namespace="tenant-vision")
    pods = api.resources.get(api_version="v1", kind="Pod")
    pod = {
        "metadata": {"name": "plain"},
        "spec": {"containers": [{"name": "a", "image": "registry.example.com/a:1.0.0"}]},
    }
    made = pods.create(body=pod, namespace="tenant-vision")
    resources = made.spec.containers[0].resources
    assert (resources.requests.cpu, resources.limits.memory) == ("500m", "1Gi")
    large = {"name": "a", "image": "registry.example.com/a:1.0.0", "resources": {"requests": {"cpu": "3"}}}
    pod = {"metadata": {"name": "large"}, "spec": {"containers": [large]}}
    with pytest.raises(kubernetes.client.ApiException, match="exceeded quota"):
        pods.create(body=pod, namespace="tenant-vision")
    found = holdings(client, settings().release, "tenant-vision")
    assert found.project
    assert found.objects["PipelineRun"] == 3
    assert {item.split(" (")[0] for item in found.running} == {
        "Pod plain", "PipelineRun run-0", "PipelineRun run-1", "PipelineRun run-2",
    }  # fmt: skip
    assert found.quota[RUNS] == ("3", "3")


@proves("OPS-2")
def test_a_tenant_that_leaves_the_file_stays_until_it_is_removed_and_can_come_back(
    both: Stack, on_cluster: OnCluster, client: Kubernetes
) -> None:
    """OPS-2, UX-6: with its rights, limits and isolation; taken up again as it is; removed by its own
    command, which touches no namespace but a tenant's."""
    release = settings().release
    run = both.up(on_cluster(program("tenant-vision")))
    assert not run.failed, run.text
    assert holdings(client, release, "tenant-speech").project
    kept = "/apis/networking.k8s.io/v1/namespaces/tenant-speech/networkpolicies/deny-cross-namespace"
    assert client.find(kept) is not None
    assert set(there(client)) >= set(TEAMS)
    again = both.up(on_cluster(program(*TEAMS)))
    assert not again.failed, again.text
    assert not both.up(on_cluster(program("tenant-vision"))).failed
    assert delete(client, "tenant-speech", 60, lambda _: None) == ""
    assert not holdings(client, release, "tenant-speech").namespace
    assert delete(client, "tenant-speech", 60, lambda _: None) == ""
    assert "no tenant's" in delete(client, "default", 5, lambda _: None)
    assert client.find("/api/v1/namespaces/default") is not None
    # And back, from nothing.
    assert not (back := both.up(on_cluster(program(*TEAMS)))).failed, back.text
    assert holdings(client, release, "tenant-speech").project


@proves("OPS-2", "OPS-6", played="Kueue")
def test_a_tenants_queue_is_seen_with_its_jobs_and_goes_with_it(environment: Environment) -> None:
    """OPS-2, OPS-6: on a compute cluster; one that cannot be asked hides nothing of the others."""
    compute = _client(environment, "compute-0")
    flavors = [{"name": "cpu", "quotas": {"cpu": "64", "memory": "256Gi"}}]
    entry = {"kubeconfigContext": "compute-0", "queues": {"flavors": flavors}}
    chosen = smallest(clusters={"compute-0": entry}, tenants={"tenant-vision": TEAMS["tenant-vision"]})
    (queue,) = of_kind(list(compute_queues(chosen, "compute-0")), "LocalQueue")
    path = f"/apis/{queue['apiVersion']}/namespaces/default/localqueues"

    def connect(cluster: str) -> Kubernetes:
        if cluster == "gone":
            raise ClientError("https://gone.example.com", "refused")
        return compute

    assert [each.there for each in queues(connect, ["compute-0"], TEAMS)["tenant-vision"]] == [False]
    compute.create(path, queue)
    compute.merge(
        f"{path}/ma-tenant-vision/status", {"status": {"pendingWorkloads": 2, "admittedWorkloads": 1}}
    )
    found = queues(connect, ["compute-0", "gone"], TEAMS)
    assert not any(each.there for each in found["tenant-speech"])
    first, second = found["tenant-vision"]
    assert str(first) == "compute-0: 1 running, 2 waiting"
    assert (second.there, "nothing listens" in second.problem) == (False, True)
    delete_queues(connect, ["compute-0"], "tenant-vision")
    assert compute.find(f"{path}/ma-tenant-vision") is None
    delete_queues(connect, ["compute-0"], "tenant-vision")
