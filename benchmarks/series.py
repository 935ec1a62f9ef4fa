"""One command over stacks of several sizes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import fleets, measure
from benchmarks.measure import Command, Sample, Spread, by_round, run
from benchmarks.rows import Figure, Goal, Note, Result, no_obstacle
from tests.support.stacks import stack_text

SIZES = (1, 10, 100, 1000, 2500)
"""Clusters. The last is near what a stack file may hold; from the one before it the slope is taken."""


def stack_of(scratch: Path, clusters: int) -> Path:
    """A stack file with this many clusters."""
    path = scratch / f"Pulumi.fleet{clusters}.yaml"
    path.write_text(stack_text(fleets.sections(clusters)), encoding="utf-8")
    return path


@dataclass(frozen=True)
class Series:
    """A command measured at every size, in turns."""

    measured: str
    beside: str
    command: Callable[[Path], Command]
    """Of a stack file."""

    memory: Goal
    """At 1,000 clusters, MiB."""

    exponent: Goal
    next_step: str = ""
    obstacle: Callable[[], str] = no_obstacle

    def measure(self, scratch: Path, rounds: int, note: Note) -> Result:
        """Processor time and memory at each size, and the slope."""
        commands = [self.command(stack_of(scratch, size)) for size in SIZES]
        note("first run")
        run(commands[0])
        samples = dict(zip(SIZES, measure.alternate(commands, rounds, note), strict=True))
        points = [
            {
                "clusters": size,
                "cpu": round(measure.spread([each.cpu for each in taken]).median, 4),
                "memory": round(max(each.memory for each in taken), 1),
            }
            for size, taken in samples.items()
        ]
        thousand = measure.spread([each.memory for each in samples[1000]])
        figures = [
            Figure("memory at 1,000 clusters", thousand, "MiB", self.memory),
            Figure("exponent of processor time above start-up", exponent(samples), "", self.exponent),
        ]
        return Result(figures, rounds, points)


def exponent(samples: dict[int, list[Sample]]) -> Spread:
    """Slope of processor time over clusters, both as logarithms, between the two largest sizes. What one
    cluster takes is start-up, and taken off: with it every program looks better than it is."""
    small, large = SIZES[-2:]
    above = math.log(large / small)

    def slope(one: float, some: float, many: float) -> float:
        return math.log((many - one) / (some - one)) / above

    medians, rounds = zip(
        *(
            (measure.spread(times).median, by_round(times))
            for times in ([each.cpu for each in samples[size]] for size in (SIZES[0], small, large))
        ),
        strict=True,
    )
    slopes = [slope(*each) for each in zip(*rounds, strict=True)]
    return Spread(slope(*medians), min(slopes), max(slopes))
