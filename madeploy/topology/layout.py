"""Layout of boxes and arrows: columns from callers on the left to clusters on the right.

A layered drawing in the manner of Sugiyama: arrows that pass a column get a lane of their own in it, boxes
and lanes of each column are ordered by where their neighbours are, and every arrow has a place of its own on
each side of a box. The same picture always gives the same layout. Lengths are in pixels.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise
from typing import Final

from madeploy.topology.model import Edge, Node, Topology

BOX_WIDTH: Final = 236
COLUMN_GAP: Final = 100
ROW_GAP: Final = 22
LANE_HEIGHT: Final = 18
"""Height of an arrow's place, in a column it passes and at the side of a box."""

TITLE_HEIGHT: Final = 22
LINE_HEIGHT: Final = 16
PADDING: Final = 10
MARGIN: Final = 28
HEAD: Final = 44
"""Room for the frame's caption."""

_ROOM: Final = 16
"""Between the frame and what it holds."""

_BELOW: Final = (16, 10, 22)
"""The same below, by preference: the frame's edge should not lie on an arrow."""

_SWEEPS: Final = 8
_CHARACTERS: Final = 29
_TITLE_CHARACTERS: Final = 24
"""Characters of a detail and of a title that fit in a box, in a wide font."""

Point = tuple[float, float]


@dataclass
class _Slot:
    """A box, or the lane of an arrow that passes, in one column."""

    key: str
    column: int
    height: float
    node: Node | None = None
    y: float = 0
    left: list[str] = field(default_factory=list)
    right: list[str] = field(default_factory=list)
    """Keys of neighbours in the columns beside."""


@dataclass(frozen=True)
class Box:
    """A node and its rectangle."""

    node: Node
    x: float
    y: float
    width: float
    height: float
    lines: tuple[str, ...]
    """Details, shortened to fit."""

    title: str
    """Title, shortened to fit."""


@dataclass(frozen=True)
class Arrow:
    """An edge and the points it passes; the last is at its target."""

    edge: Edge
    points: tuple[Point, ...]
    backward: bool
    """Whether it goes from right to left."""


@dataclass(frozen=True)
class Layout:
    """The whole drawing."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    frame: tuple[float, float, float, float]
    """Rectangle around the control plane's services: x, y, width, height."""


def shortened(text: str, characters: int = _CHARACTERS) -> str:
    """Text that fits a box: the middle gives way, because names differ at both ends."""
    if len(text) <= characters:
        return text
    tail = characters // 3
    return f"{text[: characters - tail - 1]}…{text[-tail:]}"


def layout(topology: Topology) -> Layout:
    """The drawing of a picture."""
    slots, lanes = _slots(topology)
    _place(_ordered(slots))
    top = min(slot.y - (HEAD if _in_frame(slot) else 0) for slot in slots.values())
    for slot in slots.values():
        slot.y += MARGIN - top
    boxes = tuple(
        Box(
            slot.node,
            MARGIN + slot.column * (BOX_WIDTH + COLUMN_GAP),
            slot.y,
            BOX_WIDTH,
            slot.height,
            tuple(shortened(line) for line in slot.node.details),
            shortened(slot.node.title, _TITLE_CHARACTERS),
        )
        for slot in slots.values()
        if slot.node is not None
    )
    by_id = {box.node.id: box for box in boxes}
    arrows = tuple(_arrows(topology, slots, lanes, by_id))
    inside = [box for box in boxes if box.node.kind == "service"]
    left, top = min(box.x for box in inside), min(box.y for box in inside)
    right = max(box.x + box.width for box in inside)
    bottom = max(box.y + box.height for box in inside)
    below = next(room for room in _BELOW if _free(bottom + room, slots.values()) or room == _BELOW[-1])
    frame = (left - _ROOM, top - HEAD + _ROOM, right - left + 2 * _ROOM, bottom + below - top + HEAD - _ROOM)
    width = max(box.x + box.width for box in boxes) + MARGIN
    height = max(slot.y + slot.height for slot in slots.values()) + MARGIN
    return Layout(width, max(height, frame[1] + frame[3] + MARGIN), boxes, arrows, frame)


def _height(node: Node, incoming: int, outgoing: int) -> float:
    text = PADDING * 2 + TITLE_HEIGHT + LINE_HEIGHT * len(node.details)
    return max(text, LANE_HEIGHT * max(incoming, outgoing) + PADDING)


def _in_frame(slot: _Slot) -> bool:
    return slot.node is not None and slot.node.kind == "service"


def _free(y: float, slots: Iterable[_Slot]) -> bool:
    """Whether no lane runs along a height."""
    return all(abs(slot.y + slot.height / 2 - y) > LANE_HEIGHT / 4 for slot in slots if slot.node is None)


def _ends(topology: Topology, edge: Edge) -> tuple[Node, Node]:
    """The left and the right end of an arrow, whichever way it points."""
    ends = sorted((topology.node(edge.source), topology.node(edge.target)), key=lambda node: node.column)
    return ends[0], ends[1]


def _slots(topology: Topology) -> tuple[dict[str, _Slot], dict[Edge, list[str]]]:
    """Boxes and lanes by key, and the keys each arrow passes from left to right."""
    left: dict[str, int] = defaultdict(int)
    right: dict[str, int] = defaultdict(int)
    for edge in topology.edges:
        first, last = _ends(topology, edge)
        right[first.id] += 1
        left[last.id] += 1
    slots = {
        node.id: _Slot(node.id, node.column, _height(node, left[node.id], right[node.id]), node)
        for node in topology.nodes
    }
    passed: dict[Edge, list[str]] = {}
    for edge in topology.edges:
        first, last = _ends(topology, edge)
        keys = [first.id]
        for column in range(first.column + 1, last.column):
            lane = _Slot(f"{edge.source} {edge.target} {column}", column, LANE_HEIGHT)
            slots[lane.key] = lane
            keys.append(lane.key)
        keys.append(last.id)
        passed[edge] = keys
        for one, other in pairwise(keys):
            slots[one].right.append(other)
            slots[other].left.append(one)
    return slots, passed


def _ordered(slots: dict[str, _Slot]) -> list[list[_Slot]]:
    """Columns, each ordered by the mean place of its neighbours; of several sweeps to the right and back the
    one with the fewest crossings counts."""
    columns: list[list[_Slot]] = [[] for _ in range(max(slot.column for slot in slots.values()) + 1)]
    for slot in slots.values():
        columns[slot.column].append(slot)
    position: dict[str, float] = {}

    def settle(column: list[_Slot]) -> None:
        for index, slot in enumerate(column):
            position[slot.key] = index / max(1, len(column))

    for column in columns:
        settle(column)
    best, fewest = [list(column) for column in columns], _crossings(columns)
    for sweep in range(_SWEEPS):
        rightwards = sweep % 2 == 0
        for column in columns if rightwards else reversed(columns):
            column.sort(key=lambda slot: _middle(slot, slot.left if rightwards else slot.right, position))
            settle(column)
        count = _crossings(columns)
        if count < fewest:
            best, fewest = [list(column) for column in columns], count
    return best


def _crossings(columns: list[list[_Slot]]) -> int:
    """Pairs of arrows that cross between two columns."""
    index = {slot.key: place for column in columns for place, slot in enumerate(column)}
    found = 0
    for column in columns:
        steps = [(index[slot.key], index[key]) for slot in column for key in slot.right]
        found += sum((a - c) * (b - d) < 0 for (a, b), (c, d) in combinations(steps, 2))
    return found


def _middle(slot: _Slot, beside: Sequence[str], position: Mapping[str, float]) -> float:
    """Where a slot is drawn to: between those beside it; where it is, without any."""
    return sum(position[key] for key in beside) / len(beside) if beside else position[slot.key]


def _place(columns: list[list[_Slot]]) -> None:
    """Heights: columns are stacked, then centred on the tallest."""
    totals = [sum(slot.height for slot in column) + ROW_GAP * (len(column) - 1) for column in columns]
    tallest = max(totals)
    for column, total in zip(columns, totals, strict=True):
        y = (tallest - total) / 2
        for slot in column:
            slot.y = y
            y += slot.height + ROW_GAP


def _arrows(
    topology: Topology, slots: dict[str, _Slot], lanes: dict[Edge, list[str]], boxes: dict[str, Box]
) -> list[Arrow]:
    def middle(key: str) -> float:
        return slots[key].y + slots[key].height / 2

    leaving: dict[str, list[Edge]] = defaultdict(list)
    arriving: dict[str, list[Edge]] = defaultdict(list)
    for edge, keys in lanes.items():
        leaving[keys[0]].append(edge)
        arriving[keys[-1]].append(edge)
    for edges in leaving.values():
        edges.sort(key=lambda edge: middle(lanes[edge][1]))
    for edges in arriving.values():
        edges.sort(key=lambda edge: middle(lanes[edge][-2]))

    def anchor(key: str, edges: list[Edge], edge: Edge) -> float:
        return middle(key) + (edges.index(edge) - (len(edges) - 1) / 2) * LANE_HEIGHT

    arrows = []
    for edge, keys in lanes.items():
        first, last = boxes[keys[0]], boxes[keys[-1]]
        points: list[Point] = [(first.x + first.width, anchor(keys[0], leaving[keys[0]], edge))]
        for key in keys[1:-1]:
            x = MARGIN + slots[key].column * (BOX_WIDTH + COLUMN_GAP)
            points += [(x, middle(key)), (x + BOX_WIDTH, middle(key))]
        points.append((last.x, anchor(keys[-1], arriving[keys[-1]], edge)))
        backward = edge.source == keys[-1]
        arrows.append(Arrow(edge, tuple(reversed(points)) if backward else tuple(points), backward))
    return arrows
