"""Memory and processes over the phases of a run as SVG 1.1: a column for each phase, all of one width."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any, Final

from madeploy.reference.plots import drawing

WIDTH: Final = 860
HEIGHT: Final = 400
_LEFT: Final = 64
_RIGHT: Final = 12
_TOP: Final = 56
_BOTTOM: Final = 58
_BETWEEN: Final = 34
_GAP: Final = 10
_PANELS: Final = (("MiB", "Memory", "MiB, all processes together", "a"), ("processes", "Processes", "", "b"))


def timeline(title: str, phases: Sequence[Mapping[str, Any]]) -> str:
    """Each phase has a `name`, `seconds`, and `samples` of `seconds`, `MiB` and `processes`."""
    height = (HEIGHT - _TOP - _BOTTOM - _BETWEEN) / len(_PANELS)
    width = (WIDTH - _LEFT - _RIGHT - _GAP * (len(phases) - 1)) / len(phases)
    described = "; ".join(
        f"{phase['name']}: {phase['seconds']:g} s, at most "
        f"{max(each['MiB'] for each in phase['samples']):g} MiB in "
        f"{max(each['processes'] for each in phase['samples']):g} processes"
        for phase in phases
    )
    parts = [f'<text class="title" x="{_LEFT}" y="24">{escape(title)}</text>']
    for row, (key, name, unit, colour) in enumerate(_PANELS):
        top = _TOP + row * (height + _BETWEEN)
        said = f"{name}, {unit}" if unit else name
        parts.append(f'<text class="{colour}" x="{_LEFT}" y="{top - 8:.1f}">{escape(said)}</text>')
        high = _round_up(max(each[key] for phase in phases for each in phase["samples"]))
        for column, phase in enumerate(phases):
            left = _LEFT + column * (width + _GAP)
            parts += _panel(phase, key, colour, (left, top, width, height), high)
        for part in (0.0, 0.5, 1.0):
            y = top + height * (1 - part)
            parts.append(f'<text x="{_LEFT - 8}" y="{y + 5:.1f}" text-anchor="end">{high * part:g}</text>')
    for column, phase in enumerate(phases):
        middle = _LEFT + column * (width + _GAP) + width / 2
        for line, text in enumerate((phase["name"], f"{phase['seconds']:.0f} s")):
            y = HEIGHT - _BOTTOM + 22 + 18 * line
            parts.append(f'<text x="{middle:.1f}" y="{y}" text-anchor="middle">{escape(text)}</text>')
    return drawing((WIDTH, HEIGHT), title, described, parts)


def _panel(
    phase: Mapping[str, Any], key: str, colour: str, place: tuple[float, float, float, float], high: float
) -> Iterator[str]:
    left, top, width, height = place
    for part in (0.0, 0.5, 1.0):
        y = top + height * (1 - part)
        yield f'<line class="grid" x1="{left:.1f}" y1="{y:.1f}" x2="{left + width:.1f}" y2="{y:.1f}"/>'
    points = " ".join(
        f"{left + width * each['seconds'] / phase['seconds']:.1f},{top + height * (1 - each[key] / high):.1f}"
        for each in phase["samples"]
    )
    yield f'<polyline class="line {colour}" points="{points}"/>'


def _round_up(value: float) -> float:
    """The next number of one digit, or of one and a half."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if step * power >= value)
