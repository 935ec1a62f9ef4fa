"""What an `up` waits for, how a wait fails, and how a deletion waits."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import kubernetes
import pulumi
import pulumi_kubernetes as k8s
import pytest

from tests.support.engine import Program, Stack

Live = Callable[..., dict[str, Any] | None]
OnCluster = Callable[..., Program]

pytestmark = pytest.mark.sandbox


def limited(opts: pulumi.ResourceOptions, create: str = "5s", delete: str = "5s") -> pulumi.ResourceOptions:
    timeouts = pulumi.CustomTimeouts(create=create, update=create, delete=delete)
    return pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(custom_timeouts=timeouts))


def deployment(namespace: str, cpu: str, opts: pulumi.ResourceOptions) -> k8s.apps.v1.Deployment:
    labels = {"app": "main"}
    container = {
        "name": "main",
        "image": "registry.invalid/main:1",
        "resources": {"requests": {"cpu": cpu}},
    }
    return k8s.apps.v1.Deployment(
        "main",
        metadata={"namespace": namespace, "name": "main"},
        spec={
            "replicas": 2,
            "selector": {"match_labels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
        opts=opts,
    )


def test_a_roll_out_that_cannot_finish_fails_in_time_and_is_mended_by_the_next_up(
    stack: Stack, namespace: str, on_cluster: OnCluster, live: Live
) -> None:
    """Engineering rules 12 and 17: a bounded wait, a state that knows the object. Why it cannot finish is
    asked of its cluster afterwards (`madeploy.doctor`)."""

    def body(cpu: str) -> Callable[[pulumi.ResourceOptions], None]:
        def declare(opts: pulumi.ResourceOptions) -> None:
            deployment(namespace, cpu, limited(opts, "4s"))

        return declare

    began = time.monotonic()
    run = stack.up(on_cluster(body("90000")))
    assert run.failed
    assert time.monotonic() - began < 300, "without a limit of its own it waits ten minutes"
    assert live("apps/v1", "Deployment", "main") is not None
    mended = stack.up(on_cluster(body("10m")))
    assert not mended.failed, mended.text
    assert mended.operations["main"] == "update"


def test_the_annotation_says_what_is_waited_for(stack: Stack, namespace: str, on_cluster: OnCluster) -> None:
    """`pulumi.com/waitFor`: several conditions at once, and one that never comes true."""

    def body(condition: str) -> Callable[[pulumi.ResourceOptions], None]:
        def declare(opts: pulumi.ResourceOptions) -> None:
            k8s.core.v1.ConfigMap(
                "map",
                metadata={
                    "namespace": namespace,
                    "name": "map",
                    "annotations": {"pulumi.com/waitFor": condition},
                },
                data={"state": "done"},
                opts=limited(opts, "3s"),
            )

        return declare

    met = stack.up(on_cluster(body('["jsonpath={.data.state}=done", "jsonpath={.metadata.uid}"]')))
    assert not met.failed, met.text
    began = time.monotonic()
    unmet = stack.up(on_cluster(body("jsonpath={.data.state}=finished")))
    assert unmet.failed
    assert 2 < time.monotonic() - began < 300
    assert "map" in unmet.text


def test_an_ingress_without_a_controller_is_waited_for_unless_told_otherwise(
    stack: Stack, namespace: str, on_cluster: OnCluster
) -> None:
    """Why the project's Ingresses carry `pulumi.com/skipAwait` where no controller sets their status."""

    def body(annotations: dict[str, str]) -> Callable[[pulumi.ResourceOptions], None]:
        def declare(opts: pulumi.ResourceOptions) -> None:
            k8s.networking.v1.Ingress(
                "ingress",
                metadata={"namespace": namespace, "name": "ingress", "annotations": annotations},
                spec={
                    "ingress_class_name": "nobody",
                    "default_backend": {"service": {"name": "none", "port": {"number": 80}}},
                },
                opts=limited(opts, "3s"),
            )

        return declare

    assert stack.up(on_cluster(body({}))).failed
    assert not (run := stack.up(on_cluster(body({"pulumi.com/skipAwait": "true"})))).failed, run.text


def test_a_deletion_waits_for_finalizers_and_names_them_when_it_gives_up(
    stack: Stack, namespace: str, on_cluster: OnCluster, live: Live, api: Any
) -> None:
    """Engineering rule 17: the controller that has to let go may be gone; the next destroy finishes."""

    def body(opts: pulumi.ResourceOptions) -> None:
        k8s.core.v1.ConfigMap(
            "map",
            metadata={"namespace": namespace, "name": "map", "finalizers": ["example.org/keep"]},
            opts=limited(opts, delete="3s"),
        )

    stack.up(on_cluster(body))
    stuck = stack.destroy()
    assert stuck.failed
    assert "example.org/keep" in stuck.text
    found = live("v1", "ConfigMap", "map")
    assert found is not None
    assert found["metadata"]["deletionTimestamp"]
    api.resources.get(api_version="v1", kind="ConfigMap").patch(
        name="map",
        namespace=namespace,
        body={"metadata": {"finalizers": None}},
        content_type="application/merge-patch+json",
    )
    freed = stack.destroy()
    assert not freed.failed, freed.text
    assert live("v1", "ConfigMap", "map") is None


def test_a_definition_and_a_resource_of_it_come_in_one_program(
    stack: Stack, namespace: str, on_cluster: OnCluster, api: Any
) -> None:
    """CP-8: a preview of both is green, `up` waits until the definition is served."""
    group = f"{namespace}.example.org"

    def body(opts: pulumi.ResourceOptions) -> None:
        spec = {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": "things", "singular": "thing", "kind": "Thing"},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {
                        "open_apiv3_schema": {
                            "type": "object",
                            "properties": {
                                "spec": {"type": "object", "x_kubernetes_preserve_unknown_fields": True}
                            },
                        }
                    },
                }
            ],
        }
        definition = k8s.apiextensions.v1.CustomResourceDefinition(
            "definition", metadata={"name": f"things.{group}"}, spec=spec, opts=opts
        )
        k8s.apiextensions.CustomResource(
            "thing",
            api_version=f"{group}/v1",
            kind="Thing",
            metadata={
                "namespace": namespace,
                "name": "thing",
                # The garbage collector hears of a new kind only every half minute; nothing hangs on this
                # object.
                "annotations": {"pulumi.com/deletionPropagationPolicy": "background"},
            },
            spec={"size": 3, "ratio": 0.5, "parts": [{"name": "a"}]},
            opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[definition])),
        )

    program = on_cluster(body)
    preview = stack.preview(program)
    assert not preview.failed, preview.text
    run = stack.up(program)
    assert not run.failed, run.text
    custom = kubernetes.client.CustomObjectsApi(api.client)
    found = custom.get_namespaced_custom_object(group, "v1", namespace, "things", "thing")
    assert found["spec"] == {"size": 3, "ratio": 0.5, "parts": [{"name": "a"}]}
    assert stack.up(program).changes == {}
    assert stack.refresh().changes == {}
    assert not (gone := stack.destroy()).failed, gone.text
