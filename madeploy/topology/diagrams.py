"""The picture as text for other programs that draw: Mermaid and Graphviz."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from typing import Final, get_args

from madeploy.topology.model import Kind, Node, Topology
from madeploy.topology.svg import LIGHT

_FILL: Final[dict[Kind, str]] = {kind: LIGHT[kind] for kind in get_args(Kind)}
_INK: Final = LIGHT["ink"]
_LINE: Final = LIGHT["line"]


def _grouped(topology: Topology, line: Callable[[Node], str], opening: str, closing: str) -> list[str]:
    """One line for each box, those of the control plane's services together."""
    lines = []
    ordered = sorted(topology.nodes, key=lambda node: node.kind != "service")
    for inside, nodes in groupby(ordered, lambda node: node.kind == "service"):
        lines += [opening] if inside else []
        lines += [line(node) for node in nodes]
        lines += [closing] if inside else []
    return lines


def _mermaid_text(text: str) -> str:
    """Text fit for a quoted label: entities in place of what Mermaid or HTML would read (Mermaid, flowchart
    syntax, entity codes)."""
    codes = {"&": "amp", '"': "quot", "<": "lt", ">": "gt", "#": "35", "`": "96"}
    return "".join(f"#{codes[letter]};" if letter in codes else letter for letter in text)


def to_mermaid(topology: Topology) -> str:
    """A Mermaid flowchart, ending in a newline."""

    def line(node: Node) -> str:
        text = "<br/>".join(map(_mermaid_text, (node.title, *node.details)))
        opened, closed = {"store": ("[(", ")]"), "entry": ("([", "])")}.get(node.kind, ("[", "]"))
        return f'  n_{node.id}{opened}"{text}"{closed}:::{node.kind}'

    caption = _mermaid_text(f"control plane, namespace {topology.namespace}")
    lines = [
        "---",
        f"title: {_quoted(topology.title)}",
        "---",
        "flowchart LR",
        f"  accTitle: {_plain(topology.title)}",
        f"  accDescr: {_plain(topology.description)}",
        *_grouped(topology, line, f'  subgraph control_plane["{caption}"]', "  end"),
    ]
    for edge in topology.edges:
        label = f'|"{_mermaid_text(edge.ports)}"|' if edge.ports else ""
        lines.append(f"  n_{edge.source} -->{label} n_{edge.target}")
    for kind, fill in _FILL.items():
        if any(node.kind == kind for node in topology.nodes):
            lines.append(f"  classDef {kind} fill:{fill},stroke:{_LINE},color:{_INK}")
    return "\n".join(lines) + "\n"


def _plain(text: str) -> str:
    """Text on one line, without what ends a statement."""
    return " ".join(text.replace(";", ",").replace("#", "").split())


def _quoted(text: str) -> str:
    """A double-quoted string of DOT, which YAML reads alike."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def to_dot(topology: Topology) -> str:
    """A Graphviz digraph, ending in a newline."""

    def line(node: Node) -> str:
        label = r"\n".join(_quoted(text)[1:-1] for text in (node.title, *node.details))
        shape = "cylinder" if node.kind == "store" else "box"
        return f'  {_quoted(node.id)} [label="{label}", shape={shape}, fillcolor="{_FILL[node.kind]}"];'

    caption = _quoted(f"control plane, namespace {topology.namespace}")
    lines = [
        f"digraph {_quoted(topology.title)} {{",
        f"  graph [rankdir=LR, label={_quoted(topology.title)}, tooltip={_quoted(topology.description)}];",
        f'  node [style="filled,rounded", fontname="sans-serif", fontcolor="{_INK}", color="{_LINE}"];',
        f'  edge [fontname="sans-serif", fontsize=10, color="{_LINE}"];',
        *_grouped(topology, line, f"  subgraph cluster_control_plane {{ label={caption};", "  }"),
    ]
    for edge in topology.edges:
        label = f"label={_quoted(edge.ports)}, tooltip={_quoted(edge.purpose)}"
        lines.append(f"  {_quoted(edge.source)} -> {_quoted(edge.target)} [{label}];")
    return "\n".join([*lines, "}"]) + "\n"
