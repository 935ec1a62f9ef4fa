"""What runs on a cluster."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from madeploy.clients.errors import ClientError
from madeploy.clusters.workloads import (
    Work,
    assigned,
    busy_finding,
    running,
    wait_until_idle,
    without_cluster,
)
from tests.support.environments import environment

PLATFORM = "/apis/michelangelo.api/v2"
RAY = "/apis/ray.io/v1/namespaces/default"


class Server:
    """Collections by path; what is not there has no definition."""

    def __init__(self, **collections: list[dict[str, Any]]) -> None:
        self.collections = collections

    def items(self, path: str) -> Iterator[dict[str, Any]]:
        if path not in self.collections:
            raise ClientError("https://gpu.example.com", "notFound", status=404)
        yield from self.collections[path]


def item(name: str, namespace: str = "default", spec: Any = None, **status: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": namespace}, "spec": spec or {}, "status": status}


def test_the_platforms_work_is_what_is_assigned_to_the_cluster_and_has_not_ended() -> None:
    """REG-9 (facts 3.3, 4.4): jobs by the cluster they run on."""
    here, there = {"cluster": "gpu"}, {"cluster": "cpu"}
    server = Server(
        **{
            f"{PLATFORM}/rayclusters": [
                item("a", state="RAY_CLUSTER_STATE_READY", assignment=here),
                item("b", state="RAY_CLUSTER_STATE_TERMINATED", assignment=here),
                item("c", state="RAY_CLUSTER_STATE_READY", assignment=there),
                item("d"),
            ],
            f"{PLATFORM}/rayjobs": [
                item("on-a", spec={"cluster": {"name": "a"}}, state="RAY_JOB_STATE_RUNNING"),
                item("on-a-done", spec={"cluster": {"name": "a"}}, state="RAY_JOB_STATE_SUCCEEDED"),
                item("on-c", spec={"cluster": {"name": "c"}}, state="RAY_JOB_STATE_RUNNING"),
            ],
        }
    )
    found = assigned(server, "gpu")  # type: ignore[arg-type]
    assert [(work.kind, work.name) for work in found] == [("RayCluster", "a"), ("RayJob", "on-a")]


def test_what_ray_runs_counts_whoever_made_it_and_a_cluster_without_kuberay_runs_nothing() -> None:
    """REG-9."""
    server = Server(
        **{
            f"{RAY}/rayclusters": [item("by-hand", state="ready")],
            f"{RAY}/rayjobs": [item("old", jobStatus="SUCCEEDED"), item("new")],
        }
    )
    assert [work.name for work in running(server)] == ["by-hand", "new"]  # type: ignore[arg-type]
    assert running(Server()) == []  # type: ignore[arg-type]


def test_waiting_ends_when_nothing_runs_or_at_the_limit() -> None:
    """REG-9."""
    work = Work("cluster", "RayCluster", "default", "a", "ready")
    answers = iter([[work], [work], []])
    said: list[str] = []
    assert wait_until_idle(lambda: next(answers), 60.0, said.append, lambda _: None) == []
    assert len(said) == 2
    assert wait_until_idle(lambda: [work], 0.0, said.append, lambda _: None) == [work]
    assert "RayCluster default/a (ready, cluster)" in busy_finding("gpu", [work], 60.0).evidence


@pytest.mark.parametrize(
    ("others", "said"),
    [
        ({}, "no other cluster is registered"),
        ({"cpu": {"kubeconfigContext": "cpu"}}, "one of cpu"),
        ({"cpu": {"kubeconfigContext": "cpu", "credential": {"generation": 0}}}, "no other cluster"),
    ],
    ids=["none", "another", "one that is only prepared"],
)
def test_who_gets_jobs_that_name_no_cluster_is_said(others: dict[str, Any], said: str) -> None:
    """REG-9 (facts 3.4)."""
    made = environment(clusters={"gpu": {"kubeconfigContext": "gpu"}, **others})
    found = without_cluster(made, "gpu")
    assert (found.code, found.severity, said in found.evidence) == ("MA473", "warning", True)
