"""Plain objects become resources one for one."""

from __future__ import annotations

import pulumi
import pytest

from components import bundles
from manifests.objects import Bundle
from tests.support.recording import record

CONFIG_MAP = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "settings", "namespace": "ma-system"},
    "data": {"some_key": "kept", "anotherKey": "kept"},
}
CLUSTER = {
    "apiVersion": "michelangelo.api/v2",
    "kind": "Cluster",
    "metadata": {"name": "a", "namespace": "b"},
}


@pytest.mark.parametrize(
    ("api_version", "kind", "token"),
    [
        ("v1", "Secret", "kubernetes:core/v1:Secret"),
        ("apps/v1", "Deployment", "kubernetes:apps/v1:Deployment"),
        ("michelangelo.api/v2", "Cluster", "kubernetes:michelangelo.api/v2:Cluster"),
    ],
)
def test_a_resource_has_the_type_token_its_kind_has_in_the_provider(
    api_version: str, kind: str, token: str
) -> None:
    """CARD-2."""
    assert bundles.type_token({"apiVersion": api_version, "kind": kind}) == token


def test_an_object_reaches_the_engine_as_the_builder_wrote_it() -> None:
    """CARD-4: what is applied is what is rendered, key for key."""
    recording = record(
        lambda: bundles.create(Bundle("config", (CONFIG_MAP, CLUSTER)), pulumi.ResourceOptions())
    )
    # The engine is told of independent resources in no fixed order.
    by_kind = {resource.inputs["kind"]: resource.inputs for resource in recording.resources}
    assert by_kind == {"ConfigMap": CONFIG_MAP, "Cluster": CLUSTER}


def test_two_objects_of_one_kind_and_name_in_two_namespaces_are_two_resources() -> None:
    """CARD-3."""
    other = {**CONFIG_MAP, "metadata": {"name": "settings", "namespace": "default"}}
    names = [bundles.logical_name("config", item) for item in (CONFIG_MAP, other)]
    assert names == ["config-configmap-ma-system-settings", "config-configmap-default-settings"]


def test_resources_wait_for_what_their_bundle_is_told_to_wait_for() -> None:
    """CP-8."""

    def program() -> None:
        first = bundles.create(Bundle("first", (CONFIG_MAP,)), pulumi.ResourceOptions())
        bundles.create(Bundle("second", (CLUSTER,)), pulumi.ResourceOptions(), first)

    recording = record(program)
    second = recording.one("kubernetes:michelangelo.api/v2:Cluster", "second-cluster-b-a")
    assert recording.waits_for(second) == {"kubernetes:core/v1:ConfigMap::first-configmap-ma-system-settings"}
