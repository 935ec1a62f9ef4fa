"""The generated part of `docs/performance.md`, from the record of `bin/madeploy bench --record`: every row,
its goal, what it came to, what is to be done where that is not enough, and the plots."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from madeploy.reference.plots import Line, plot
from madeploy.reference.timeline import timeline

RECORD: Final = Path(__file__).resolve().parents[2] / "benchmarks" / "record.json"


def performance_reference() -> str:
    """What is generated of `docs/performance.md`."""
    data, rows, series = _record()
    return "\n".join(_page(data, rows, bool(series)))


def performance_plots() -> Mapping[str, str]:
    """The page's plots, by path in the project."""
    _, rows, series = _record()
    over_time = {
        f"docs/performance-{name}.svg": timeline(_sentence(row["measured"]), row["phases"])
        for name, row in rows.items()
        if row.get("phases")
    }
    return over_time | {
        f"docs/performance-{name}.svg": plot(
            title, unit, [_line(each, row, quantity) for each, row in series.items()]
        )
        for name, title, unit, quantity in (
            ("time", "Processor time", "s", "cpu"),
            ("memory", "Peak memory", "MiB", "memory"),
        )
        if series
    }


def _record() -> tuple[Mapping[str, Any], Mapping[str, Any], Mapping[str, Any]]:
    """The record, its rows, and those measured at several sizes."""
    data = json.loads(RECORD.read_text(encoding="utf-8"))
    rows: Mapping[str, Any] = data["rows"]
    return data, rows, {name: row for name, row in rows.items() if row.get("points")}


def _page(data: Mapping[str, Any], rows: Mapping[str, Any], plotted: bool) -> Iterator[str]:
    yield "## Rows\n"
    yield "| Row | Measured | Beside | Figure | Goal | |\n|---|---|---|---|---|---|"
    for name, row in rows.items():
        for number, figure in enumerate(row["figures"]):
            first = (f"`{name}`", row["measured"], row["beside"]) if number == 0 else ("", "", "")
            yield _line_of(*first, f"{figure['what']}: {_value(figure)}", *_goal(figure))
        if not row["figures"]:
            yield _line_of(f"`{name}`", row["measured"], row["beside"], "–", "–", "not measured")
    missed = [
        f"- `{name}`: {row['nextStep']}"
        for name, row in rows.items()
        if row.get("nextStep") and any(each["goal"] and not each["goal"]["met"] for each in row["figures"])
    ]
    if missed:
        yield "\n## Goals that are not met, and the next step\n"
        yield from missed
    unmeasured = [f"- `{name}`: {row['why']}" for name, row in rows.items() if not row["figures"]]
    if unmeasured:
        yield "\n## Not measured\n"
        yield from unmeasured
    if plotted:
        yield "\n## From one cluster to thousands\n"
        yield "![Processor time over clusters, both logarithmic](performance-time.svg)\n"
        yield "![Peak memory over clusters, both logarithmic](performance-memory.svg)\n"
        yield (
            "The slope is that of processor time above what one cluster takes, between the two largest "
            "sizes: 1 is work in proportion to the clusters, 2 is work in proportion to their square."
        )
    for name, row in rows.items():
        if row.get("phases"):
            yield f"\n## `{name}` over time\n"
            yield f"![Memory and processes in each phase](performance-{name}.svg)\n"
            yield f"{_sentence(row['measured'])}; each phase has a scale of time of its own."
    yield "\n## The machine\n"
    machine = data["machine"]
    yield f"{machine['cores']} cores, {machine['system']}, Python {machine['python']}.\n"
    yield "| Row | Day | Rounds | Processes that wanted a processor when it began |\n|---|---|---|---|"
    for name, row in rows.items():
        if row["figures"]:
            rounds = str(row["rounds"] or "one run")
            yield _line_of(f"`{name}`", row["day"], rounds, f"{row['load']:g}")
    yield ""


def _line_of(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


def _value(figure: Mapping[str, Any]) -> str:
    digits = 0 if figure["unit"] == "MiB" else 2
    unit = f" {figure['unit']}" if figure["unit"] not in ("", "×") else ""
    value, lowest, highest = (f"{figure[each]:.{digits}f}" for each in ("value", "lowest", "highest"))
    return f"**{value}**{unit} ({lowest} to {highest})"


def _goal(figure: Mapping[str, Any]) -> tuple[str, str]:
    goal = figure["goal"]
    if goal is None:
        return "–", ""
    return f"{'≥' if goal['least'] else '≤'} {goal['limit']:g}", "met" if goal["met"] else "**not met**"


def _line(name: str, row: Mapping[str, Any], quantity: str) -> Line:
    slopes = [figure["value"] for figure in row["figures"] if "exponent" in figure["what"]]
    note = f", slope {slopes[0]:.2f} above start-up" if quantity == "cpu" and slopes else ""
    title = name.removesuffix("-series")
    return Line(f"{title}{note}", tuple((point["clusters"], point[quantity]) for point in row["points"]))
