"""Lines over logarithmic axes as SVG 1.1: light and dark, no script, nothing loaded from anywhere."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

WIDTH: Final = 640
HEIGHT: Final = 400
_LEFT: Final = 70
_RIGHT: Final = 44
_TOP: Final = 44
_BOTTOM: Final = 52

_STYLE: Final = """<style>
text { font: 14px system-ui, sans-serif; fill: #1b2733 }
.title { font-weight: 600; font-size: 16px }
.paper { fill: #ffffff }
.grid { stroke: #d5dce3; stroke-width: 1 }
.line { fill: none; stroke-width: 2.5 }
.a { stroke: #0b62c4 } .a.dot, text.a { fill: #0b62c4; stroke: none }
.b { stroke: #b3450b } .b.dot, text.b { fill: #b3450b; stroke: none }
.c { stroke: #1c7a43 } .c.dot, text.c { fill: #1c7a43; stroke: none }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .paper { fill: #10161c } .grid { stroke: #33404c }
.a { stroke: #6db1ff } .a.dot, text.a { fill: #6db1ff }
.b { stroke: #ff9d66 } .b.dot, text.b { fill: #ff9d66 }
.c { stroke: #6bd494 } .c.dot, text.c { fill: #6bd494 }
}
</style>"""
_CLASSES: Final = ("a", "b", "c")


@dataclass(frozen=True)
class Line:
    """One line: what it is called, and its points."""

    title: str
    points: tuple[tuple[float, float], ...]


def plot(title: str, unit: str, lines: Sequence[Line]) -> str:
    """Up to three lines over numbers of clusters."""
    xs = [x for line in lines for x, _ in line.points]
    ys = [y for line in lines for _, y in line.points]
    axes = _Axes(*_around(xs), *_around(ys))
    parts = [*axes.drawn(f"{title}, {unit}")]
    for line, colour in zip(lines, _CLASSES, strict=False):
        places = [axes.place(x, y) for x, y in line.points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        parts.append(f'<polyline class="line {colour}" points="{path}"/>')
        for (x, y), (_, value) in zip(places, line.points, strict=True):
            parts.append(f'<circle class="dot {colour}" cx="{x:.1f}" cy="{y:.1f}" r="4"/>')
            said = f"{value:.0f}" if value >= 10 else f"{value:.2f}"
            # On the axis itself it would hide the axis' own number.
            anchor, shift = ("start", 6) if x == _LEFT else ("middle", 0)
            place = f'x="{x + shift:.1f}" y="{y - 11:.1f}" text-anchor="{anchor}"'
            parts.append(f'<text class="{colour}" {place}>{said}</text>')
    for number, (line, colour) in enumerate(zip(lines, _CLASSES, strict=False)):
        y = _TOP + 22 + number * 20
        parts.append(f'<text class="{colour}" x="{_LEFT + 14}" y="{y}">{escape(line.title)}</text>')
    described = "; ".join(
        f"{line.title}: " + ", ".join(f"{x:g}: {y:g}" for x, y in line.points) for line in lines
    )
    return drawing((WIDTH, HEIGHT), f"{title} over clusters", described, parts)


def drawing(size: tuple[int, int], title: str, described: str, parts: Sequence[str]) -> str:
    """A whole picture of its parts, on paper of its own, with what a screen reader says of it."""
    width, height = size
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
            f'width="{width}" height="{height}">',
            f"<title>{escape(title)}</title><desc>{escape(described)}</desc>",
            _STYLE,
            f'<rect class="paper" width="{width}" height="{height}"/>',
            *parts,
            "</svg>\n",
        ]
    )


def _around(values: Sequence[float]) -> tuple[int, int]:
    """Two different powers of ten, below and above all values."""
    low = math.floor(math.log10(min(values)))
    return low, max(low + 1, math.ceil(math.log10(max(values))))


@dataclass(frozen=True)
class _Axes:
    left: int
    right: int
    low: int
    high: int

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Where a point is drawn."""
        across = (math.log10(x) - self.left) / (self.right - self.left)
        up = (math.log10(y) - self.low) / (self.high - self.low)
        return (
            _LEFT + across * (WIDTH - _LEFT - _RIGHT),
            HEIGHT - _BOTTOM - up * (HEIGHT - _TOP - _BOTTOM),
        )

    def drawn(self, title: str) -> Iterator[str]:
        """Grid, numbers and titles."""
        yield f'<text class="title" x="{_LEFT}" y="26">{escape(title)}</text>'
        for power in range(self.left, self.right + 1):
            x, bottom = self.place(10.0**power, 10.0**self.low)
            yield f'<line class="grid" x1="{x:.1f}" y1="{_TOP}" x2="{x:.1f}" y2="{bottom:.1f}"/>'
            yield f'<text x="{x:.1f}" y="{bottom + 20:.1f}" text-anchor="middle">{10**power:,}</text>'
        for power in range(self.low, self.high + 1):
            x, y = self.place(10.0**self.left, 10.0**power)
            yield f'<line class="grid" x1="{x:.1f}" y1="{y:.1f}" x2="{WIDTH - _RIGHT}" y2="{y:.1f}"/>'
            yield f'<text x="{x - 8:.1f}" y="{y + 5:.1f}" text-anchor="end">{10.0**power:g}</text>'
        said = "clusters; both axes are logarithmic"
        yield f'<text x="{WIDTH - _RIGHT}" y="{HEIGHT - 10}" text-anchor="end">{said}</text>'
