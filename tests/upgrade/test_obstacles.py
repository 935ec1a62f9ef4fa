"""What stands in the way of release 0.12, found in objects and clusters as they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from madeploy.clients.errors import ClientError
from madeploy.findings import Finding
from madeploy.releases import RELEASES
from madeploy.upgrade import obstacles
from tests.support.environments import environment

TARGET = RELEASES["0.12"]
OLD = environment(platform={"release": "2026.04"})


def item(kind: str, name: str, **more: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "team-a", **more.pop("metadata", {})}
    return {"apiVersion": "michelangelo.api/v2", "kind": kind, "metadata": metadata, **more}


def found(*items: dict[str, Any]) -> dict[str, Finding]:
    return {finding.code: finding for finding in obstacles.of_objects(items, OLD, TARGET)}


class Cluster:
    """A Kubernetes API server in memory, as far as the checks ask it."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self.answers = answers

    def find(self, path: str) -> Any:
        return self.answers.get(path.partition("?")[0])

    def get(self, path: str) -> Any:
        answer = self.answers.get(path.partition("?")[0], {"items": []})
        if isinstance(answer, Exception):
            raise answer
        return answer

    def items(self, path: str) -> Iterator[Any]:
        yield from self.get(path)["items"]


def kuberay(image: str | None, *running: str) -> Any:
    containers = [{"image": image}] if image else []
    operators = [{"spec": {"template": {"spec": {"containers": containers}}}}] if image else []
    clusters = [{"metadata": {"name": name, "namespace": "default"}} for name in running]
    return Cluster(
        {
            "/apis/apps/v1/deployments": {"items": operators},
            "/apis/ray.io/v1": {},
            "/apis/ray.io/v1/namespaces/default/rayclusters": {"items": clusters},
        }
    )


def test_an_environment_without_objects_has_no_obstacle() -> None:
    """REL-3."""
    assert found() == {}


@pytest.mark.parametrize("spec", [{"gitRef": "a"}, {"gitBranch": "b", "commit": {}}, {"owner": {}}])
def test_any_revision_keeps_the_new_api_server_from_starting(spec: dict[str, Any]) -> None:
    """REL-3: its definition changes incompatibly; how many lose fields is said."""
    finding = found(item("Revision", "r1", spec=spec))["MA801"]
    assert finding.severity == "error"
    lost = sum(field in spec for field in ("gitRef", "gitBranch", "reviewToolUrl", "commit"))
    assert f"{min(lost, 1)} have" in finding.evidence
    assert "team-a/r1" in finding.evidence


@pytest.mark.parametrize(
    ("spec", "told"), [({}, True), ({"clusterTargets": []}, True), ({"clusterTargets": [{}]}, False)]
)
def test_inference_servers_without_targets_are_named(spec: dict[str, Any], told: bool) -> None:
    """REL-3: they serve nothing until they are edited."""
    assert ("MA802" in found(item("InferenceServer", "triton", spec=spec))) == told


@pytest.mark.parametrize(
    ("queue", "told"), [("team-queue", True), ("default", False), ("trigger_run", False), (None, False)]
)
def test_queues_of_projects_that_nobody_polls_are_named(queue: str | None, told: bool) -> None:
    """REL-3, CP-3."""
    annotations = {} if queue is None else {"michelangelo/worker_queue": queue}
    findings = found(item("Project", "p", metadata={"annotations": annotations}))
    assert ("MA805" in findings) == told
    assert not told or str(queue) in findings["MA805"].evidence


@pytest.mark.parametrize(
    ("manager", "severity"),
    [
        ("pulumi-kubernetes-1a2b", "warning"),
        ("argocd-controller", "warning"),
        ("kubectl", "info"),
        (None, "info"),
    ],
)
def test_pipelines_are_counted_and_those_of_engines_named(manager: str | None, severity: str) -> None:
    """REL-3: deleting one deletes its runs from now on."""
    fields = [] if manager is None else [{"manager": manager}]
    finding = found(item("Pipeline", "train", metadata={"managedFields": fields}))["MA806"]
    assert finding.severity == severity
    assert ("team-a/train" in finding.evidence) == (severity == "warning")


@pytest.mark.parametrize(
    ("image", "running", "expected"),
    [
        ("quay.io/kuberay/operator:v1.4.2", (), {"MA803": "error"}),
        ("quay.io/kuberay/operator:v1.10.0", (), {}),
        ("quay.io/kuberay/operator:v1.7.1", (), {}),
        (None, (), {"MA803": "error"}),
        ("quay.io/kuberay/operator:v1.4.2", ("a", "b"), {"MA803": "error", "MA804": "error"}),
        ("quay.io/kuberay/operator:v1.7.1", ("a",), {"MA804": "warning"}),
    ],
)
def test_operators_that_are_too_old_and_clusters_that_run_are_told(
    image: str | None, running: tuple[str, ...], expected: dict[str, str]
) -> None:
    """REL-3: the operator is upgraded by hand, while no Ray cluster runs."""
    findings = obstacles.of_cluster("gpu", kuberay(image, *running), TARGET, installs=False)
    assert {finding.code: finding.severity for finding in findings} == expected


def test_a_silent_cluster_is_an_obstacle() -> None:
    """REL-3: nothing is known of it."""
    silent: Any = Cluster(
        {"/apis/apps/v1/deployments": ClientError("https://gpu.example.com", "timeout", "silent")}
    )
    for compute in (None, silent):
        (finding,) = obstacles.of_cluster("gpu", compute, TARGET, installs=False)
        assert (finding.code, finding.severity) == ("MA807", "error")


def test_a_stack_that_lets_the_definition_change_is_warned_of_what_is_lost() -> None:
    """REL-3: with `skipIncompatibleCheck` the API server starts, and the fields go."""
    config = {"apiserver": {"crdSync": {"skipIncompatibleCheck": True}}}
    chosen = environment(platform={"release": "2026.04"}, controlPlane={"apiserver": {"config": config}})
    (finding,) = obstacles.of_objects([item("Revision", "r1", spec={"gitRef": "a"})], chosen, TARGET)
    assert (finding.code, finding.severity) == ("MA801", "warning")
    assert "all the same" in finding.evidence


@pytest.mark.parametrize(("engine", "codes"), [("cadence", ["MA808"]), ("temporal", [])])
def test_cadences_dynamic_configuration_is_asked_for(engine: str, codes: list[str]) -> None:
    """REL-2, REL-3: it cannot be read from outside, and runs would never end without it."""
    chosen = environment(
        platform={"release": "2026.04"}, workflow={"engine": engine, "host": "engine.example.com:7833"}
    )
    findings = list(obstacles.of_environment(chosen, TARGET))
    assert [finding.code for finding in findings] == codes
    assert all("history.EnableConsistentQueryByDomain" in finding.fix for finding in findings)


@pytest.mark.parametrize(
    ("sections", "told"),
    [
        ({}, False),
        ({"clusters": {"gpu": {}}}, True),
        ({"clusters": {"gpu": {}}, "modelRegistry": {"endpoint": "api.example.com:15566"}}, False),
    ],
)
def test_tasks_that_would_lose_their_models_are_told(sections: dict[str, Any], told: bool) -> None:
    """REL-2, REL-3: the earlier release read no such address."""
    registry = sections.pop("modelRegistry", None)
    chosen = environment(platform={"release": "2026.04"}, **sections)
    if registry:
        model = chosen.model_registry.model_copy(update=registry)
        chosen = chosen.model_copy(update={"model_registry": model})
    codes = [item.code for item in obstacles.of_environment(chosen, TARGET)]
    assert codes == (["MA809"] if told else [])
