"""Rules about the platform's own objects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .model import Rule

_CLUSTER = "kubernetes:michelangelo.api/v2:Cluster"


def _bare(token: str, properties: Mapping[str, Any]) -> Iterator[str]:
    metadata = properties.get("metadata") or {}
    for key in ("labels", "annotations"):
        if token == _CLUSTER and metadata.get(key):
            yield (
                f"Cluster {metadata.get('name')} has {key}. The platform stops reporting a cluster's health "
                f"when they change; put what changes on the cluster's Secrets."
            )


def _in_place(token: str, properties: Mapping[str, Any]) -> Iterator[str]:
    metadata = properties.get("metadata") or {}
    if token == _CLUSTER and metadata.get("namespace") != "ma-system":
        yield (
            f"Cluster {metadata.get('name')} is in namespace {metadata.get('namespace')}; the controller "
            "manager reads clusters in ma-system only."
        )


CLUSTER_METADATA = Rule(
    "cluster-without-labels-and-annotations",
    "A Cluster carries neither labels nor annotations: a later change to them ends its health reports.",
    _bare,
)
CLUSTER_NAMESPACE = Rule(
    "cluster-in-its-namespace", "A Cluster is in the one namespace that the platform reads.", _in_place
)
