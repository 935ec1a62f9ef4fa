"""A cluster that is down: previews go on, runs fail, and the two options for what is left behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pulumi_kubernetes as k8s
import pytest
import yaml

from madeploy.sandbox.environment import Environment
from tests.sandbox.options.conftest import CLUSTER
from tests.support.engine import Program, Stack

Live = Callable[..., dict[str, Any] | None]
OnCluster = Callable[..., Program]

pytestmark = pytest.mark.sandbox


def moved(kubeconfig: Path, server: str) -> str:
    """A kubeconfig whose clusters are all at another address."""
    content = yaml.safe_load(kubeconfig.read_text())
    for entry in content["clusters"]:
        entry["cluster"]["server"] = server
    return yaml.safe_dump(content)


def config_map(namespace: str, value: str = "1") -> Callable[[pulumi.ResourceOptions], None]:
    def body(opts: pulumi.ResourceOptions) -> None:
        metadata = {"namespace": namespace, "name": "map"}
        k8s.core.v1.ConfigMap("map", metadata=metadata, data={"a": value}, opts=opts)

    return body


@pytest.fixture
def dead(environment: Environment, dead_server: str) -> str:
    """A kubeconfig of the control plane with everything as it should be, but nobody listens."""
    return moved(environment.kubeconfig, dead_server)


def test_a_preview_of_a_dead_cluster_is_green_and_the_run_fails_at_once(
    stack: Stack, namespace: str, on_cluster: OnCluster, dead: str
) -> None:
    """REG-10: why reachability is checked before the engine starts."""
    program = on_cluster(config_map(namespace), kubeconfig=dead)
    preview = stack.preview(program)
    assert not preview.failed, preview.text
    assert preview.operations == {"map": "create"}
    run = stack.up(program)
    assert run.failed
    assert "unreachable" in run.text
    assert "connection refused" in run.text


def test_what_lies_on_a_dead_cluster_can_be_kept_aside_or_forgotten(
    stack: Stack, namespace: str, on_cluster: OnCluster, live: Live, dead: str
) -> None:
    """Row 4 of the faults: `skipUpdateUnreachable` for a while, `deleteUnreachable` for good."""
    alive = on_cluster(config_map(namespace))
    broken = on_cluster(config_map(namespace, "2"), kubeconfig=dead)
    assert not stack.up(alive).failed

    stack.set_environment(PULUMI_K8S_SKIP_UPDATE_UNREACHABLE="true")
    skipped = stack.up(broken)
    assert not skipped.failed, skipped.text
    assert skipped.operations["map"] == "same"
    assert not (looked := stack.refresh()).failed, looked.text

    stack.set_environment(PULUMI_K8S_SKIP_UPDATE_UNREACHABLE="false")
    unread = stack.refresh()
    assert unread.failed
    assert "PULUMI_K8S_DELETE_UNREACHABLE" in unread.text

    stack.set_environment(PULUMI_K8S_DELETE_UNREACHABLE="true")
    forgotten = stack.destroy()
    assert not forgotten.failed, forgotten.text
    found = live("v1", "ConfigMap", "map")
    assert found is not None
    assert found["data"] == {"a": "1"}


def test_an_edited_kubeconfig_replaces_nothing(
    stack: Stack, namespace: str, on_cluster: OnCluster, live: Live, environment: Environment
) -> None:
    """CARD-6: the cluster identifier says which cluster it is, whatever its address."""
    server = environment.clusters[CLUSTER].server.replace("127.0.0.1", "localhost")
    stack.up(on_cluster(config_map(namespace)))
    before = live("v1", "ConfigMap", "map")
    run = stack.up(on_cluster(config_map(namespace), kubeconfig=moved(environment.kubeconfig, server)))
    after = live("v1", "ConfigMap", "map")
    assert not run.failed, run.text
    assert run.changes == {}
    assert before is not None
    assert after is not None
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
