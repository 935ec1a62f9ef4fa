"""`clusters.<name>.queues`: Kueue's queues on a compute cluster, from release 0.12 on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from madeploy.settings.base import (
    Accepts,
    AnnotationKey,
    DnsLabel,
    DnsSubdomain,
    LabelValue,
    Quantity,
    Section,
)

ResourceName = Annotated[
    str,
    Field(
        pattern=r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[a-zA-Z0-9]([a-zA-Z0-9_.-]*[a-zA-Z0-9])?$",
        max_length=63,
    ),
    Accepts("a resource of Kubernetes", "nvidia.com/gpu"),
]


class Flavor(Section):
    """Nodes of one kind, and how much of them jobs may use at once."""

    name: DnsSubdomain = Field(examples=["a100"])
    """Name of the ResourceFlavor."""

    node_labels: Mapping[AnnotationKey, LabelValue] = Field(default_factory=dict, max_length=8)
    """Labels of its nodes. Default: any node."""

    quotas: Mapping[ResourceName, Quantity] = Field(
        min_length=1, max_length=16, examples=[{"cpu": "64", "memory": "256Gi"}]
    )
    """How much of each resource. A job that asks for a resource that is not listed waits for ever."""


class Queues(Section):
    """One ClusterQueue, which the LocalQueues `ma-<project>` of all tenants and of other projects draw from.
    The `Cluster` then says that its jobs go to Kueue, which they do once the control plane is told so
    (`controlPlane.controllermgr.scheduler: kueue`)."""

    projects: tuple[DnsLabel, ...] = Field(default=(), max_length=500, examples=[["fraud"]])
    """Projects that have a queue, besides every tenant. Jobs of others are refused: `KueueQueueNotFound`.
    Default: tenants only."""

    flavors: tuple[Flavor, ...] = Field(min_length=1, max_length=16)
    """Nodes by kind, in the order in which they are tried."""

    cluster_queue: DnsSubdomain = "michelangelo"
    """Name of the ClusterQueue. Default `michelangelo`."""
