"""The picture as SVG 1.1 with its own style: light and dark, no script, nothing loaded from anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Final

from madeploy.topology.layout import HEAD, LINE_HEIGHT, PADDING, TITLE_HEIGHT, Arrow, Box, layout
from madeploy.topology.model import Topology

LIGHT: Final = {
    "ink": "#1b2733",
    "soft": "#53626f",
    "line": "#7c8b99",
    "paper": "#ffffff",
    "frame": "#f3f6f9",
    "caller": "#e9edf1",
    "entry": "#dbe9ff",
    "door": "#e6e0fb",
    "service": "#d7f0e0",
    "system": "#fdf0cf",
    "store": "#fbe1d5",
    "cluster": "#d9eef5",
}
DARK: Final = {
    "ink": "#e6edf3",
    "soft": "#aab7c3",
    "line": "#7d8c9b",
    "paper": "#10161c",
    "frame": "#19222b",
    "caller": "#2a353f",
    "entry": "#19385c",
    "door": "#352c61",
    "service": "#17422a",
    "system": "#4a3a15",
    "store": "#512e1e",
    "cluster": "#164250",
}
_KINDS: Final = ("caller", "entry", "door", "service", "system", "store", "cluster")


def _colours(palette: Mapping[str, str]) -> str:
    """Rules of one palette. No variables: not every viewer of SVG knows them."""
    rules = {
        "text": f"fill: {palette['ink']}",
        ".detail": f"fill: {palette['soft']}",
        ".paper": f"fill: {palette['paper']}",
        ".frame": f"fill: {palette['frame']}; stroke: {palette['line']}",
        ".box": f"stroke: {palette['line']}",
        ".arrow": f"stroke: {palette['line']}",
        ".head": f"fill: {palette['line']}",
        ".halo": f"stroke: {palette['paper']}",
        ".inside": f"stroke: {palette['frame']}",
        **{f".{kind} .box": f"fill: {palette[kind]}" for kind in _KINDS},
    }
    return "".join(f".topology {selector} {{ {rule} }}\n" for selector, rule in rules.items())


STYLE: Final = (
    ".topology text { font-family: system-ui, sans-serif; font-size: 12px }\n"
    ".topology .title { font-size: 14px; font-weight: 600 }\n"
    ".topology .port { font-size: 11px }\n"
    ".topology .halo { stroke-width: 4px; stroke-linejoin: round }\n"
    ".topology .arrow { fill: none; stroke-width: 1.4 }\n"
    ".topology .frame { stroke-dasharray: 4 4 }\n"
    ".topology g:hover > .arrow { stroke-width: 3 }\n"
    f"{_colours(LIGHT)}@media (prefers-color-scheme: dark) {{\n{_colours(DARK)}}}\n"
)


def _number(value: float) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".")


def _box(box: Box) -> list[str]:
    node = box.node
    height = PADDING * 2 + TITLE_HEIGHT + LINE_HEIGHT * len(box.lines)
    y = box.y + (box.height - height) / 2 + PADDING + 16
    whole = escape(" — ".join((node.title, *node.details)))
    lines = [
        f'<g class="node {node.kind}"><title>{whole}</title>',
        f'<rect class="box" x="{_number(box.x)}" y="{_number(box.y)}" width="{_number(box.width)}" '
        f'height="{_number(box.height)}" rx="8"/>',
        f'<text class="title" x="{_number(box.x + 12)}" y="{_number(y)}">{escape(box.title)}</text>',
    ]
    for index, line in enumerate(box.lines, 1):
        below = y + 4 + index * LINE_HEIGHT
        lines.append(
            f'<text class="detail" x="{_number(box.x + 12)}" y="{_number(below)}">{escape(line)}</text>'
        )
    return [*lines, "</g>"]


def _path(arrow: Arrow) -> str:
    """Curves between columns, straight lines through lanes."""
    (x, y), *others = arrow.points
    parts = [f"M{_number(x)} {_number(y)}"]
    for to_x, to_y in others:
        if y == to_y:
            parts.append(f"H{_number(to_x)}")
        else:
            half = _number((x + to_x) / 2)
            parts.append(f"C{half} {_number(y)} {half} {_number(to_y)} {_number(to_x)} {_number(to_y)}")
        x, y = to_x, to_y
    return " ".join(parts)


def _arrow(arrow: Arrow, inside: bool, topology: Topology) -> list[str]:
    edge = arrow.edge
    x, y = arrow.points[-1]
    source, target = topology.node(edge.source).title, topology.node(edge.target).title
    back = 7 if arrow.backward else -7
    said = escape(f"{source} to {target}, port {edge.ports or 'any'}: {edge.purpose}")
    anchor, gap = ("start", 12) if arrow.backward else ("end", -12)
    head = f"M{_number(x)} {_number(y)} l{back} -4 v8 z"
    place = f'x="{_number(x + gap)}" y="{_number(y - 3)}" text-anchor="{anchor}"'
    halo = "port halo inside" if inside else "port halo"
    return [
        f"<g><title>{said}</title>",
        f'<path class="arrow" d="{_path(arrow)}"/>',
        f'<path class="head" d="{head}"/>',
        # Twice: what lies under a label is hidden by the first, and not every viewer can order the two.
        f'<text class="{halo}" {place} aria-hidden="true">{escape(edge.ports)}</text>',
        f'<text class="port" {place}>{escape(edge.ports)}</text>',
        "</g>",
    ]


def to_svg(topology: Topology) -> str:
    """The whole document, ending in a newline."""
    drawn = layout(topology)
    x, y, width, height = map(_number, drawn.frame)
    left, right = drawn.frame[0], drawn.frame[0] + drawn.frame[2]
    size = f"{_number(drawn.width)} {_number(drawn.height)}"
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="topology" viewBox="0 0 {size}" '
        f'width="{_number(drawn.width)}" height="{_number(drawn.height)}" role="img" '
        'aria-labelledby="topology-title topology-description">',
        f'<title id="topology-title">{escape(topology.title)}</title>',
        f'<desc id="topology-description">{escape(topology.description)}</desc>',
        f"<style>{STYLE}</style>",
        '<rect class="paper" width="100%" height="100%"/>',
        f'<rect class="frame" x="{x}" y="{y}" width="{width}" height="{height}" rx="12"/>',
        f'<text class="detail" x="{_number(left + 14)}" y="{_number(drawn.frame[1] + HEAD / 2 - 2)}">'
        f"control plane, namespace {escape(topology.namespace)}</text>",
    ]
    for arrow in drawn.arrows:
        lines += _arrow(arrow, left < arrow.points[-1][0] - 20 < right - 100, topology)
    for box in drawn.boxes:
        lines += _box(box)
    return "\n".join([*lines, "</svg>"]) + "\n"
