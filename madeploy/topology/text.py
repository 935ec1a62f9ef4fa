"""The picture for a terminal: who calls whom as a tree of each caller, columns aligned."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from madeploy.findings.text import aligned
from madeploy.topology.model import Node, Topology

MAX_CLUSTERS: Final = 20
"""Clusters that are listed; how many more there are is said."""

_LINES: Final = {True: ("├─", "└─", "→"), False: ("|-", "`-", "->")}


def _caller(topology: Topology, node: Node, unicode: bool) -> Iterable[str]:
    """One box and the arrows that leave it."""
    edges = [edge for edge in topology.edges if edge.source == node.id]
    if not edges:
        return
    details = f"  ({', '.join(node.details)})" if node.details else ""
    yield f"{node.title}{details}"
    branch, last, arrow = _LINES[unicode]
    rows = [
        (
            f"{last if index == len(edges) - 1 else branch} {edge.ports or 'any port'}",
            f"{arrow} {topology.node(edge.target).title}",
            edge.purpose,
        )
        for index, edge in enumerate(edges)
    ]
    yield from (f"  {line}" for line in aligned(rows))


def to_text(topology: Topology, unicode: bool = True) -> str:
    """Lines for a terminal, ending in a newline. Without `unicode`, in ASCII as far as names allow."""
    lines = [f"{topology.title} ({topology.tier}), namespace {topology.namespace}"]
    for node in sorted(topology.nodes, key=lambda item: item.column):
        block = list(_caller(topology, node, unicode))
        lines += ["", *block] if block else []
    if topology.clusters:
        rows = [("CLUSTER", "API SERVER", "REGION", "ZONE")]
        rows += [
            (item.name, item.server, item.region, item.zone) for item in topology.clusters[:MAX_CLUSTERS]
        ]
        lines += ["", *aligned(rows)]
        more = len(topology.clusters) - MAX_CLUSTERS
        if more > 0:
            lines.append(f"and {more} more; --format json lists all")
    return "\n".join([*lines, "", *topology.notes]) + "\n"
