"""Nodes and edges of the picture, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["caller", "entry", "door", "service", "system", "store", "cluster"]
"""`caller`: people and pods that start calls; `entry`: a public address; `door`: what carries traffic in;
`service`: a part of the control plane; `system`: something it needs; `store`: where data is; `cluster`:
compute clusters."""


@dataclass(frozen=True)
class Node:
    """One box."""

    id: str
    """Letters, digits and underscores, unique."""

    kind: Kind
    column: int
    """How far from the callers, from 0."""

    title: str
    details: tuple[str, ...] = ()
    """Lines below the title."""


@dataclass(frozen=True)
class Edge:
    """One arrow: `source` opens connections to `target`."""

    source: str
    target: str
    ports: str
    """Ports and protocol, such as `443, 6443`; empty where any port may be used."""

    purposes: tuple[str, ...]

    @property
    def purpose(self) -> str:
        return "; ".join(self.purposes)


@dataclass(frozen=True)
class Cluster:
    """One registered compute cluster."""

    name: str
    server: str
    """Its API server, or where its address comes from."""

    region: str
    zone: str


@dataclass(frozen=True)
class Topology:
    """The whole picture."""

    stack: str
    tier: str
    namespace: str
    """Namespace of the control plane's pods."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    clusters: tuple[Cluster, ...]
    """Every cluster, also where the picture shows groups of them."""

    notes: tuple[str, ...]
    """What the picture leaves out."""

    @property
    def title(self) -> str:
        return f"Michelangelo, stack {self.stack}"

    @property
    def description(self) -> str:
        """The picture in one sentence, for whoever cannot see it."""
        services = ", ".join(node.title for node in self.nodes if node.kind == "service")
        entries = " and ".join(node.title for node in self.nodes if node.kind == "entry")
        count = len(self.clusters)
        return (
            f"Calls come in at {entries} and reach the services {services} in namespace {self.namespace}, "
            f"which use {count} compute cluster{'' if count == 1 else 's'} and the systems to their right."
        )

    def node(self, identity: str) -> Node:
        """The node of that id. Raises StopIteration when there is none."""
        return next(node for node in self.nodes if node.id == identity)

    def to_data(self) -> dict[str, Any]:
        """Plain data for JSON; keys are constant."""
        return {
            "stack": self.stack,
            "tier": self.tier,
            "namespace": self.namespace,
            "nodes": [
                {
                    "id": node.id,
                    "kind": node.kind,
                    "column": node.column,
                    "title": node.title,
                    "details": list(node.details),
                }
                for node in self.nodes
            ],
            "edges": [
                {
                    "source": edge.source,
                    "target": edge.target,
                    "ports": edge.ports,
                    "purposes": list(edge.purposes),
                }
                for edge in self.edges
            ],
            "clusters": [
                {
                    "name": cluster.name,
                    "server": cluster.server,
                    "region": cluster.region,
                    "zone": cluster.zone,
                }
                for cluster in self.clusters
            ],
            "notes": list(self.notes),
        }
