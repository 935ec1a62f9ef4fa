"""Plain objects become resources of the engine, one for one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pulumi

from madeploy.names.tenants import TENANT_LABEL
from manifests.objects import Bundle, Object

WAIT_FOR_ANNOTATION = "pulumi.com/waitFor"
"""Annotation that says when an object is ready (pulumi-kubernetes, resource readiness)."""

READ_BY_PODS: Final = frozenset({"ConfigMap", "Secret"})
"""Kinds that pods read when they start: a pod that is rolled for a change must find it there."""

READINESS: Final[dict[str, tuple[str, str]]] = {
    "ClusterIssuer": (WAIT_FOR_ANNOTATION, "condition=Ready"),
    "Ingress": (WAIT_FOR_ANNOTATION, "jsonpath={.status.loadBalancer.ingress[0]}"),
    "Service": ("pulumi.com/skipAwait", "true"),
}
"""Annotation and value by kind. A `Certificate` is not in it: with ACME it becomes ready only after DNS
points at the front door, which this update may be the first to make. Nor is a `Cluster`: its condition proves
nothing (V15).

Of Ingresses and Services the plugin would watch the endpoints for ten seconds, and hold up each part of the
platform that comes after. The Deployments behind them are waited for; of an Ingress what counts besides is
the address that its controller gives it."""


def type_token(obj: Object) -> str:
    """Type token of an object's resource: `kubernetes:apps/v1:Deployment`; the core group, which has no
    name in `apiVersion`, is called `core` (pulumi-kubernetes schema). The ServiceAccount that Kubernetes
    makes in every namespace is patched: it can be neither created nor deleted."""
    api_version: str = obj["apiVersion"]
    group_version = api_version if "/" in api_version else f"core/{api_version}"
    patched = obj["kind"] == "ServiceAccount" and obj["metadata"]["name"] == "default"
    return f"kubernetes:{group_version}:{obj['kind']}{'Patch' if patched else ''}"


def logical_name(bundle: str, obj: Object) -> str:
    """`<bundle>-<kind>-<name>`, with the namespace where two objects would share it: built from names
    that the platform or the toolkit fixes, so it never changes."""
    metadata = obj["metadata"]
    parts = (bundle, obj["kind"].lower(), metadata.get("namespace"), metadata["name"])
    return "-".join(part for part in parts if part)


def _awaited(obj: Object) -> Object:
    if obj["kind"] not in READINESS:
        return obj
    annotation, value = READINESS[obj["kind"]]
    metadata = obj["metadata"]
    annotations = {**metadata.get("annotations", {}), annotation: value}
    return {**obj, "metadata": {**metadata, "annotations": annotations}}


def _kept(obj: Object, opts: pulumi.ResourceOptions) -> pulumi.ResourceOptions:
    """A tenant's objects stay on the cluster when it leaves the settings: they go by a command that says what
    goes with them, never by a typo."""
    if TENANT_LABEL not in obj["metadata"].get("labels", {}):
        return opts
    return pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(retain_on_delete=True))


def create(
    bundle: Bundle,
    opts: pulumi.ResourceOptions,
    depends_on: Sequence[pulumi.Resource] = (),
    hooks: pulumi.ResourceHookBinding | None = None,
) -> Sequence[pulumi.CustomResource]:
    """Create a bundle's objects and return their resources, for others to depend on.

    `READINESS` says what is waited for otherwise than the engine's plugin would, which knows of its own when
    Kubernetes' own kinds are ready.

    The generic resource class is used on purpose: builders already speak Kubernetes' own spelling, and
    typed classes would only translate it twice.
    """
    made: list[pulumi.CustomResource] = []
    for part in bundle.split(READ_BY_PODS):
        own = pulumi.ResourceOptions(depends_on=[*depends_on, *made], hooks=hooks)
        merged = pulumi.ResourceOptions.merge(opts, own)
        made += [
            pulumi.CustomResource(
                type_token(obj), logical_name(bundle.name, obj), _awaited(obj), _kept(obj, merged)
            )
            for obj in part.objects
        ]
    return made
