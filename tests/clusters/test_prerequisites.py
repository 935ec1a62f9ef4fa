"""What a cluster lacks is found all at once, each lack with a code and a way out."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from madeploy.clients.errors import ClientError
from madeploy.clusters.checks import object_store
from madeploy.clusters.checks.kuberay import missing_queue_definitions, operator_version, queue_findings
from madeploy.clusters.checks.object_store import object_store_findings
from madeploy.clusters.checks.prerequisites import prerequisites
from madeploy.clusters.checks.registered_objects import unfilled_token_findings
from madeploy.clusters.checks.storage import storage_findings
from madeploy.clusters.remedies import remedies
from madeploy.names.kubernetes import TASK_CONFIG, TASK_CREDENTIALS
from madeploy.settings import Environment
from manifests.registration import task_config, task_credentials_data
from tests.support.answers import Answers
from tests.support.environments import QUEUES, environment
from tests.support.faults import bare_server
from tests.support.ports import free_port
from tests.support.proves import proves

KUBE_SYSTEM = "/api/v1/namespaces/kube-system"
DEFAULT = "/api/v1/namespaces/default"
OPERATORS = (
    "/apis/apps/v1/deployments?labelSelector=app.kubernetes.io%2Fname+in+%28kuberay-operator%2Ckuberay%29"
)


def settings(**cluster: Any) -> Environment:
    return environment(
        controlPlane={"kubeconfigContext": "hub"},
        clusters={"a": {"kubeconfigContext": "a", **cluster}},
        storage={
            "kind": "s3Compatible",
            "endpoint": "https://store.invalid:9000",
            "region": "eu-west-1",
            "buckets": {"workspace": "example-ml-workspace", "models": "example-ml-models"},
        },
    )


def definition(**changed: Any) -> dict[str, Any]:
    return {
        "spec": {"versions": [{"name": "v1", "served": True}]},
        "status": {"conditions": [{"type": "Established", "status": "True"}]},
    } | changed


def operator(available: int = 1, image: str = "quay.io/kuberay/operator:v1.4.2") -> dict[str, Any]:
    return {
        "metadata": {"name": "kuberay-operator", "namespace": "ray-system"},
        "spec": {"replicas": 1, "template": {"spec": {"containers": [{"image": image}]}}},
        "status": {"availableReplicas": available},
    }


def furnished(**changed: Any) -> Answers:
    """A cluster with everything."""
    definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    return Answers(
        {
            KUBE_SYSTEM: {"metadata": {"uid": "compute"}},
            f"{definitions}/rayclusters.ray.io": definition(),
            f"{definitions}/rayjobs.ray.io": definition(),
            OPERATORS: {"items": [operator()]},
        }
        | changed
    )


@pytest.fixture(autouse=True)
def _a_store_that_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "madeploy.clusters.checks.prerequisites.object_store_findings", lambda storage, subject: []
    )


def codes(compute: Answers, chosen: Environment | None = None, hub: str = "hub") -> list[str]:
    control_plane = Answers({KUBE_SYSTEM: {"metadata": {"uid": hub}}}, "https://hub:6443")
    found = prerequisites(compute, chosen or settings(), "a", control_plane=control_plane, stack="prod")
    return [finding.code for finding in found]


def test_a_furnished_cluster_lacks_nothing() -> None:
    """REG-7."""
    assert codes(furnished()) == []


DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({OPERATORS: {"items": []}}, ["MA447"]),
        ({OPERATORS: {"items": [operator(0)]}}, ["MA447"]),
        ({OPERATORS: {"items": [operator(0), operator(1)]}}, []),
        ({f"{DEFINITIONS}/rayjobs.ray.io": definition(status={})}, ["MA446"]),
        (
            {f"{DEFINITIONS}/rayjobs.ray.io": definition(spec={"versions": []}), OPERATORS: {}},
            ["MA446", "MA447"],
        ),
        ({KUBE_SYSTEM: ClientError("https://compute:6443", "timeout")}, ["MA432"]),
        ({KUBE_SYSTEM: ClientError("https://compute:6443", "unauthorized")}, ["MA437"]),
        ({KUBE_SYSTEM: {"metadata": {"uid": "hub"}}}, ["MA448"]),
    ],
)
@proves("REG-7")
def test_everything_that_is_missing_is_named_at_once(changed: dict[str, Any], found: list[str]) -> None:
    """REG-7, REG-11."""
    assert codes(furnished(**changed)) == found


def test_the_control_plane_may_be_registered_on_purpose() -> None:
    """REG-7, facts 3.1: by its address inside."""
    itself = settings(server="https://kubernetes.default.svc")
    assert codes(furnished(**{KUBE_SYSTEM: {"metadata": {"uid": "hub"}}}), itself) == []
    assert codes(furnished(), itself) == ["MA409"], "jobs for another cluster would run on this one"


@pytest.mark.parametrize(("mode", "found"), [("install", []), ("ignore", []), ("check", ["MA447"])])
def test_what_the_stack_installs_or_ignores_is_no_prerequisite(mode: str, found: list[str]) -> None:
    """REG-7."""
    chosen = settings(operators={"kubeRay": mode})
    assert codes(furnished(**{OPERATORS: {"items": []}}), chosen) == found


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("quay.io/kuberay/operator:v1.4.2", "v1.4.2"),
        ("registry.example.com:5000/kuberay/operator:v1.5.1@sha256:00", "v1.5.1"),
        ("registry.example.com:5000/kuberay/operator", ""),
    ],
)
def test_the_operators_version_is_its_images_tag(image: str, version: str) -> None:
    """REG-9."""
    assert operator_version(Answers({OPERATORS: {"items": [operator(1, image)]}})) == version


def test_an_object_store_is_asked_from_here_and_only_warned_about(monkeypatch: pytest.MonkeyPatch) -> None:
    """REG-7, NET-14: nothing there, no such name, no answer; one that answers gives nothing to say."""
    monkeypatch.setattr(object_store, "SECONDS", 0.3)

    def found(url: str) -> list[tuple[str, str]]:
        storage = environment().storage
        return [
            (finding.code, finding.severity)
            for finding in object_store_findings(storage, "a", {"AWS_ENDPOINT_URL": url})
        ]

    assert found(f"http://127.0.0.1:{free_port()}") == [("MA457", "warning")]
    with bare_server("silent") as port:
        assert found(f"http://127.0.0.1:{port}") == []


# The tasks' storage configuration.

KEYS = ("key-of-nobody", "not-a-secret")


def stored(chosen: Environment, **changed: Any) -> tuple[Answers, Answers]:
    """Control plane and compute cluster of an S3-compatible store, as an update leaves them."""
    yaml = f"minio:\n  awsAccessKeyId: {KEYS[0]}\n  awsSecretAccessKey: {KEYS[1]}\n"
    own = {"data": {"secrets.yaml": base64.b64encode(yaml.encode()).decode()}}
    hub = Answers({"/api/v1/namespaces/ma-system/secrets/michelangelo-object-store": own}, "https://hub:6443")
    compute = Answers(
        {
            f"{DEFAULT}/configmaps/{TASK_CONFIG}": {"data": task_config(chosen, "gpu")},
            f"{DEFAULT}/secrets/{TASK_CREDENTIALS}": {"data": task_credentials_data(*KEYS, "eu-west-1")},
        }
        | changed
    )
    return hub, compute


@pytest.mark.parametrize(
    ("path", "data", "evidence"),
    [
        ("", None, ""),
        (f"secrets/{TASK_CREDENTIALS}", ..., "is not there"),
        (f"secrets/{TASK_CREDENTIALS}", {"credentials": "eA=="}, "missing or empty"),
        (f"secrets/{TASK_CREDENTIALS}", task_credentials_data("x", "y", "eu-west-1"), "differ from what"),
        (f"configmaps/{TASK_CONFIG}", ..., "is not there"),
        (f"configmaps/{TASK_CONFIG}", {"MA_FILE_SYSTEM": "s3://default"}, "MA_FILE_SYSTEM is 's3://default'"),
    ],
)
def test_storage_is_compared_with_the_stack_and_keys_with_the_control_planes_own(
    path: str, data: Any, evidence: str
) -> None:
    """REG-3, REG-6, UX-3: no value of a Secret is shown."""
    chosen = settings()
    hub, compute = stored(chosen)
    if path:
        compute.objects[f"{DEFAULT}/{path}"] = {"data": data}
    if data is ...:
        del compute.objects[f"{DEFAULT}/{path}"]
    findings = storage_findings(hub, compute, chosen, remedies(chosen, "a", "prod"))
    assert [finding.code for finding in findings] == (["MA445"] if evidence else [])
    for finding in findings:
        assert evidence in finding.evidence
        assert not any(key in str(finding) for key in KEYS)


# A token that never comes.


@pytest.mark.parametrize(
    ("account", "annotation", "evidence"),
    [
        (False, "ray-manager", "ServiceAccount default/ray-manager is not there"),
        (True, "ray-manger", "its annotation kubernetes.io/service-account.name is 'ray-manger'"),
        (True, "ray-manager", "token controller does not run"),
    ],
)
def test_a_token_that_never_comes_is_explained(account: bool, annotation: str, evidence: str) -> None:
    """REG-5, REG-11: in the order of the guide's troubleshooting."""
    secret = {"metadata": {"annotations": {"kubernetes.io/service-account.name": annotation}}}
    compute = Answers({f"{DEFAULT}/secrets/ray-manager-token-3": secret})
    if account:
        compute.objects[f"{DEFAULT}/serviceaccounts/ray-manager"] = {"metadata": {"uid": "u"}}
    chosen = settings(credential={"generation": 3})
    (finding,) = unfilled_token_findings(compute, chosen, remedies(chosen, "a", "prod"))
    assert finding.code == "MA456"
    assert evidence in finding.evidence
    assert "pulumi up --refresh --stack prod" in finding.fix


# Kueue's definitions, where the cluster has queues.

QUEUED = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def test_queues_need_kueues_definitions_in_the_version_they_are_written_in() -> None:
    """REG-7, OPS-6: each that is missing, with the command that installs them."""
    chosen = environment(clusters={"gpu": {"kubeconfigContext": "gpu", "queues": QUEUES}})
    served = {
        "status": {"conditions": [{"type": "Established", "status": "True"}]},
        "spec": {"versions": [{"name": "v1beta2", "served": True}]},
    }
    older = served | {"spec": {"versions": [{"name": "v1beta1", "served": True}]}}
    compute = Answers(
        {
            f"{QUEUED}/clusterqueues.kueue.x-k8s.io": served,
            f"{QUEUED}/localqueues.kueue.x-k8s.io": older,
        },
        "https://gpu:6443",
    )
    found = missing_queue_definitions(compute, remedies(chosen, "gpu", "prod"))
    assert [(item.code, item.evidence) for item in found] == [
        ("MA479", "serves v1beta1, not v1beta2"),
        ("MA479", "is not there"),
    ]
    assert "oci://registry.k8s.io/kueue/charts/kueue --version 0.15.0" in found[0].fix


@proves("OPS-6")
def test_queues_that_are_missing_or_inactive_are_named() -> None:
    """OPS-6: a job whose queue is not there ends; one that Kueue has not looked at yet is no finding."""
    chosen = environment(clusters={"gpu": {"kubeconfigContext": "gpu", "queues": QUEUES}})
    served = definition(spec={"versions": [{"name": "v1beta2", "served": True}]})
    definitions = {
        f"{QUEUED}/{plural}.kueue.x-k8s.io": served
        for plural in ("clusterqueues", "localqueues", "resourceflavors")
    }

    def found(*there: dict[str, Any]) -> list[tuple[str, str, str]]:
        held = {"/apis/kueue.x-k8s.io/v1beta2/namespaces/default/localqueues": there}
        answers = queue_findings(Answers(definitions | held), chosen, remedies(chosen, "gpu", "prod"))
        return [(item.code, item.subject, item.evidence) for item in answers]

    first, second = ({"metadata": {"name": f"ma-{project}"}} for project in QUEUES["projects"])
    assert found(first, second) == []
    missing = ("MA497", f"LocalQueues {second['metadata']['name']}", "are not in namespace default")
    assert found(first) == [missing]
    condition = {"type": "Active", "status": "False", "message": "Can't submit new workloads to clusterQueue"}
    inactive = first | {"status": {"conditions": [condition]}}
    ((code, subject, evidence),) = found(inactive, second)
    assert (code, subject) == ("MA497", f"LocalQueue default/{first['metadata']['name']}")
    assert evidence.startswith("is not active: Can't submit")
    lacking = queue_findings(Answers({}), chosen, remedies(chosen, "gpu", "prod"))
    assert {item.code for item in lacking} == {"MA479"}
