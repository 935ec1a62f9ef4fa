"""Results as a table and as JSON: ratios only, because a time says more of a machine than of a program."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from benchmarks.catalogue import BENCHMARKS
from benchmarks.measure import Comparison, Ratio

PIPE_WIDTH = 120
DIGITS = 3


@dataclass(frozen=True)
class Results:
    """One run of the command."""

    rounds: int
    load: float
    """Processes that wanted a processor during the minute before the run, by the system's average."""

    comparisons: Mapping[str, Comparison]
    left_out: Mapping[str, str]
    """Why, by benchmark."""


def as_data(results: Results) -> dict[str, Any]:
    """The results as JSON shows them."""
    return {
        "machine": {
            "cores": os.cpu_count(),
            "load_before": round(results.load, 1),
            "python": platform.python_version(),
        },
        "rounds": results.rounds,
        "benchmarks": [
            {
                "name": name,
                "measured": BENCHMARKS[name].measured,
                "baseline": BENCHMARKS[name].baseline,
                **{
                    quantity: {figure: round(value, DIGITS) for figure, value in ratio.items()}
                    for quantity, ratio in asdict(comparison).items()
                },
            }
            for name, comparison in results.comparisons.items()
        ],
        "left_out": [{"name": name, "why": why} for name, why in results.left_out.items()],
    }


def show(results: Results) -> None:
    """The results for a person."""
    # Whatever reads a pipe has no width of its own.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_WIDTH)
    if results.comparisons:
        table = Table(
            "benchmark", "processor", "clock", "memory", "processor, by round", box=None, pad_edge=False
        )
        for name, comparison in results.comparisons.items():
            cpu = comparison.cpu
            table.add_row(
                name,
                *map(_shown, (cpu, comparison.wall, comparison.memory)),
                f"{cpu.lowest:.2f} to {cpu.highest:.2f}",
            )
        console.print(table)
        console.print()
        for name in results.comparisons:
            benchmark = BENCHMARKS[name]
            console.print(escape(f"{name}: {benchmark.measured}, over {benchmark.baseline}"))
        console.print(
            f"\nEach figure is a ratio, median (least), of {results.rounds} rounds A-B-B-A; "
            f"{os.cpu_count()} cores, load {results.load:.1f} before."
        )
    for name, why in results.left_out.items():
        console.print(escape(f"{name}: left out, {why}"))


def _shown(ratio: Ratio) -> str:
    return f"{ratio.median:.2f} ({ratio.least:.2f})"
