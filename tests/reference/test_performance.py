"""The page of performance says of each row what it came to, and its plots are to scale."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from madeploy.reference import performance
from madeploy.reference.performance import performance_plots, performance_reference
from madeploy.reference.plots import Line, plot
from madeploy.reference.timeline import timeline

SVG = "{http://www.w3.org/2000/svg}"


def row(value: float, **more: Any) -> dict[str, Any]:
    goal = {"limit": 1.5, "least": False, "met": value <= 1.5}
    spread = {"value": value, "lowest": value - 0.1, "highest": value + 0.1}
    figure = {"what": "processor time, × it", "unit": "×", "goal": goal, **spread}
    kept = {"rounds": 2, "load": 0.5, "day": "2026-11-01", "points": [], "nextStep": f"less than {value}"}
    return {"measured": "ours", "beside": "theirs", "figures": [figure], **kept, **more}


def keep(monkeypatch: pytest.MonkeyPatch, folder: Path, rows: dict[str, Any]) -> None:
    """Let these rows be the record."""
    machine = {"cores": 2, "python": "3.11.7", "system": "Linux"}
    path = folder / "record.json"
    path.write_text(json.dumps({"machine": machine, "rows": rows}), encoding="utf-8")
    monkeypatch.setattr(performance, "RECORD", path)


def test_goals_that_are_missed_and_rows_without_figures_say_why(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """UX-2."""
    unmeasured = {"measured": "a", "beside": "b", "figures": [], "why": "no sandbox runs"}
    keep(monkeypatch, tmp_path, {"quick": row(1.2), "slow": row(1.8), "live": unmeasured})
    page = performance_reference()
    assert "| `quick` | ours | theirs | processor time, × it: **1.20** (1.10 to 1.30) | ≤ 1.5 | met |" in page
    assert "**1.80** (1.70 to 1.90) | ≤ 1.5 | **not met** |" in page
    assert "- `slow`: less than 1.8" in page
    assert "less than 1.2" not in page
    assert "- `live`: no sandbox runs" in page
    assert performance_plots() == {}


def test_plots_of_a_series_stand_beside_the_page(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """UX-2."""
    points = [{"clusters": 10**power, "cpu": 10.0**power, "memory": 50} for power in range(4)]
    keep(monkeypatch, tmp_path, {"render-series": row(1.0, points=points)})
    assert set(performance_plots()) == {"docs/performance-time.svg", "docs/performance-memory.svg"}
    assert "(performance-time.svg)" in performance_reference()


def test_both_axes_are_logarithmic() -> None:
    """Ten times as much is the same way everywhere, so work in proportion is a straight line."""
    drawn = ElementTree.fromstring(plot("Time", "s", [Line("a", ((1, 0.2), (10, 2), (100, 20)))]))
    dots = [(float(dot.attrib["cx"]), float(dot.attrib["cy"])) for dot in drawn.iter(f"{SVG}circle")]
    steps = [(b[0] - a[0], a[1] - b[1]) for a, b in itertools.pairwise(dots)]
    assert steps[0] == pytest.approx(steps[1], abs=0.2)
    assert min(steps[0]) > 0
    assert all(0 < x < 640 and 0 < y < 400 for x, y in dots)


def phase(name: str, *memory: int) -> dict[str, Any]:
    """A second between two samples."""
    samples = [{"seconds": at, "MiB": taken, "processes": 3} for at, taken in enumerate(memory)]
    return {"name": name, "seconds": float(len(memory)), "samples": samples}


def test_a_run_over_time_stands_beside_the_page(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """UX-2."""
    keep(monkeypatch, tmp_path, {"fleet": row(1.0, phases=[phase("first", 10, 900)])})
    assert set(performance_plots()) == {"docs/performance-fleet.svg"}
    assert "(performance-fleet.svg)" in performance_reference()


def test_phases_stand_beside_each_other_and_share_their_scales() -> None:
    """A column for each phase; what is twice as much is twice as high in all of them."""
    drawn = ElementTree.fromstring(timeline("A fleet", [phase("first", 0, 400, 800), phase("then", 800)]))
    memory, later, *processes = [
        [tuple(map(float, point.split(","))) for point in line.attrib["points"].split()]
        for line in drawn.iter(f"{SVG}polyline")
    ]
    (none, half, all_of_it), (same,) = [[y for _, y in line] for line in (memory, later)]
    assert none - half == pytest.approx(half - all_of_it, abs=0.2)
    assert same == all_of_it < none
    assert max(x for x, _ in memory) < min(x for x, _ in later)
    assert all(y > none for line in processes for _, y in line)
    assert all(0 < x < 860 and 0 < y < 400 for line in (memory, later, *processes) for x, y in line)
    said = [text.text for text in drawn.iter(f"{SVG}text")]
    assert {"first", "3 s", "then", "1 s"} <= set(said)
