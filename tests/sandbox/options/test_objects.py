"""Objects are changed in place, taken over and imported as the program says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pulumi
import pulumi_kubernetes as k8s
import pytest
from packaging.version import Version

from madeploy.sandbox.plugins import PluginChoice
from tests.support.engine import Program, Stack

Live = Callable[..., dict[str, Any] | None]
OnCluster = Callable[..., Program]

pytestmark = pytest.mark.sandbox


def at(namespace: str, name: str, **fields: Any) -> dict[str, Any]:
    return {"namespace": namespace, "name": name, **fields}


def config_map(namespace: str, **fields: Any) -> Callable[[pulumi.ResourceOptions], None]:
    def body(opts: pulumi.ResourceOptions) -> None:
        k8s.core.v1.ConfigMap("map", metadata=at(namespace, "map"), opts=opts, **fields)

    return body


def test_changed_contents_update_config_maps_and_secrets_in_place(
    stack: Stack, namespace: str, on_cluster: OnCluster, live: Live
) -> None:
    """REG-8: with the mutable options a rotation is an update, never a delete."""

    def body(greeting: str) -> Callable[[pulumi.ResourceOptions], None]:
        def declare(opts: pulumi.ResourceOptions) -> None:
            k8s.core.v1.ConfigMap("map", metadata=at(namespace, "one"), data={"g": greeting}, opts=opts)
            k8s.core.v1.Secret(
                "secret", metadata=at(namespace, "one"), string_data={"g": greeting}, opts=opts
            )

        return declare

    stack.up(on_cluster(body("hello")))
    before = {kind: live("v1", kind, "one") for kind in ("ConfigMap", "Secret")}
    assert stack.up(on_cluster(body("hello"))).changes == {}
    run = stack.up(on_cluster(body("goodbye")))
    assert run.changes == {"map": "update", "secret": "update"}
    for kind, old in before.items():
        new = live("v1", kind, "one")
        assert new is not None
        assert old is not None
        assert new["metadata"]["uid"] == old["metadata"]["uid"]
        assert new["data"] != old["data"]


def test_an_object_that_exists_already_is_not_taken_over_unasked(
    stack: Stack, namespace: str, on_cluster: OnCluster, live: Live, api: Any, plugins: PluginChoice
) -> None:
    """Engineering rule 16: fail and name it; taking over is a choice (`upsertExistingObjects`). Plugins
    before 4.29, the one built from source among them, always take over, and keep what they do not know."""
    maps = api.resources.get(api_version="v1", kind="ConfigMap")
    maps.create(namespace=namespace, body={"metadata": {"name": "map"}, "data": {"mine": "1"}})
    first = stack.up(on_cluster(config_map(namespace, data={"a": "1"})))
    if Version(plugins.source("kubernetes").version) >= Version("4.29"):
        assert first.failed
        assert "already exists" in first.text
        found = live("v1", "ConfigMap", "map")
        assert found is not None
        assert found["data"] == {"mine": "1"}
        first = stack.up(on_cluster(config_map(namespace, data={"a": "1"}), upsert_existing_objects=True))
    assert not first.failed, first.text
    found = live("v1", "ConfigMap", "map")
    assert found is not None
    assert found["data"] == {"mine": "1", "a": "1"}


def test_an_import_leaves_alone_what_is_ignored_and_a_later_update_writes_it(
    stack: Stack, namespace: str, on_cluster: OnCluster, api: Any, live: Live
) -> None:
    """REG-9: an object that differs is taken over without a write; the difference goes when it is no longer
    ignored, although kubectl wrote the fields; finalizers and annotations of others stay."""
    maps = api.resources.get(api_version="v1", kind="ConfigMap")
    theirs = {"annotations": {"example.com/by": "hand"}, "finalizers": ["example.com/kept"]}
    made = {"metadata": {"name": "map", **theirs}, "data": {"a": "theirs"}}
    maps.create(namespace=namespace, body=made, field_manager="kubectl-client-side-apply")

    def body(*ignored: str) -> Callable[[pulumi.ResourceOptions], None]:
        def declare(opts: pulumi.ResourceOptions) -> None:
            own = pulumi.ResourceOptions(
                import_=f"{namespace}/map",
                ignore_changes=["metadata.annotations", "metadata.finalizers", *ignored],
            )
            labelled = {**at(namespace, "map"), "labels": {"example.com/of": "ours"}}
            merged = pulumi.ResourceOptions.merge(opts, own)
            k8s.core.v1.ConfigMap("map", metadata=labelled, data={"a": "ours"}, opts=merged)

        return declare

    before = live("v1", "ConfigMap", "map")
    run = stack.up(on_cluster(body("data", "metadata.labels")))
    assert not run.failed, run.text
    assert run.operations["map"] == "import"
    assert live("v1", "ConfigMap", "map") == before
    assert stack.up(on_cluster(body("data", "metadata.labels"))).changes == {}
    assert stack.up(on_cluster(body())).changes == {"map": "update"}
    after = live("v1", "ConfigMap", "map")
    assert after is not None
    assert (after["data"], after["metadata"]["labels"]) == ({"a": "ours"}, {"example.com/of": "ours"})
    assert {key: after["metadata"][key] for key in theirs} == theirs
    maps.patch(
        name="map",
        namespace=namespace,
        body={"metadata": {"finalizers": None}},
        content_type="application/merge-patch+json",
    )
