"""Results as a table and as data. Each row keeps when it was measured and on how busy a machine: the record
that the page is made from may come of several runs, the sides of a row never do."""

from __future__ import annotations

import datetime
import json
import os
import platform
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from benchmarks.catalogue import ROWS
from benchmarks.rows import Result, Row

PIPE_WIDTH = 140
RECORD = Path(__file__).with_name("record.json")
"""What `docs/performance.md` is made from."""

_LATER = "it was part of no recorded run yet: `bin/madeploy bench --only {} --record`"


def measured(row: Row, result: Result, load: float) -> dict[str, Any]:
    """A row that was measured. `load` is how many processes wanted a processor when it began, by the system's
    average of a minute."""
    return {
        "measured": row.measured,
        "beside": row.beside,
        "figures": [figure.to_data() for figure in result.figures],
        "points": result.points,
        "phases": result.phases,
        "nextStep": row.next_step,
        "rounds": result.rounds,
        "load": round(load, 1),
        "day": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
    }


def left_out(row: Row, why: str) -> dict[str, Any]:
    """A row that cannot be measured here."""
    return {"measured": row.measured, "beside": row.beside, "figures": [], "why": why}


def as_data(rows: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """Rows by name, with the machine."""
    machine = {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.system()}
    return {"machine": machine, "rows": dict(rows)}


def record(rows: Mapping[str, dict[str, Any]], path: Path = RECORD) -> None:
    """Put rows into the record in place of older ones; what could not be measured now replaces nothing that
    was. The record names every row there is."""
    there = json.loads(path.read_text(encoding="utf-8"))["rows"] if path.exists() else {}
    fresh = {name: row for name, row in rows.items() if row["figures"] or not there.get(name, row)["figures"]}
    merged = {**there, **fresh}
    data = as_data(
        {name: merged.get(name) or left_out(row, _LATER.format(name)) for name, row in ROWS.items()}
    )
    path.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def show(rows: Mapping[str, dict[str, Any]]) -> None:
    """Rows for a person."""
    # Whatever reads a pipe has no width of its own.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_WIDTH)
    table = Table("row", "figure", "measured", "by round", "goal", "", box=None, pad_edge=False)
    for name, row in rows.items():
        for figure in row["figures"]:
            unit = figure["unit"]
            spread = f"{figure['lowest']:.2f} to {figure['highest']:.2f}"
            table.add_row(
                name, escape(figure["what"]), f"{figure['value']:.2f} {unit}", spread, *_goal(figure)
            )
    if table.row_count:
        console.print(table)
    for name, row in rows.items():
        if row["figures"]:
            console.print(escape(f"{name}: {row['measured']}, beside {row['beside']}"))
        else:
            console.print(escape(f"{name}: not measured, {row['why']}"))


def _goal(figure: Mapping[str, Any]) -> tuple[str, str]:
    goal = figure["goal"]
    if goal is None:
        return "", ""
    sign = "≥" if goal["least"] else "≤"
    return f"{sign} {goal['limit']:g}", "met" if goal["met"] else "not met"
