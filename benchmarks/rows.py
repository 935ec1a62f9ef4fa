"""What a row of measurements is: sides, figures, goals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from benchmarks import measure
from benchmarks.measure import Command, Sample, Spread, run

Note = Callable[[str], None]
"""Told what is being done."""

Quantity = Literal["cpu", "wall", "memory"]
How = Literal["ratio", "over", "itself"]

WORDS: Mapping[Quantity, str] = {"cpu": "processor time", "wall": "time by the clock", "memory": "memory"}


class SidesDiffer(Exception):  # noqa: N818 - it names what happened
    """The sides did different work: no figure of theirs means anything."""


@dataclass(frozen=True)
class Goal:
    """What a figure has to be."""

    limit: float
    least: bool = False
    """Whether the figure has to be at least the limit, rather than at most."""

    def met(self, value: float) -> bool:
        """Whether a figure is as it has to be."""
        return value >= self.limit if self.least else value <= self.limit


@dataclass(frozen=True)
class Figure:
    """One number."""

    what: str
    """In words, such as `processor time, × libyaml`."""

    spread: Spread
    unit: str
    """`×`, `s`, `MiB`, or nothing."""

    goal: Goal | None = None

    def to_data(self) -> dict[str, Any]:
        """As JSON shows it."""
        goal = self.goal
        return {
            "what": self.what,
            "value": round(self.spread.median, 4),
            "lowest": round(self.spread.lowest, 4),
            "highest": round(self.spread.highest, 4),
            "unit": self.unit,
            "goal": goal and {"limit": goal.limit, "least": goal.least, "met": goal.met(self.spread.median)},
        }


@dataclass(frozen=True)
class Result:
    """What a row came to."""

    figures: list[Figure]
    rounds: int
    """Of each side; 0 where each ran once."""

    points: list[dict[str, float]] = field(default_factory=list)
    """Of a series: `clusters`, `cpu` (s), `memory` (MiB)."""

    phases: list[dict[str, Any]] = field(default_factory=list)
    """Of a run that is drawn over time: `name`, `seconds`, and `samples` of `seconds`, `MiB`, `processes`."""


@dataclass(frozen=True)
class Sides:
    """Commands ready to run."""

    measured: Command
    beside: Mapping[str, Command]
    """By the name that figures call them."""

    difference: Callable[[], str]
    """Called when each has run once: what they did differently, empty when nothing."""


@dataclass(frozen=True)
class Wanted:
    """One figure of a comparison."""

    quantity: Quantity
    beside: str = ""
    """Which of the other sides; empty for the measured side by itself."""

    how: How = "ratio"
    goal: Goal | None = None

    def figure(self, samples: Mapping[str, Sequence[Sample]]) -> Figure:
        """The figure, from the samples of each side; the measured one's name is empty."""
        ours, theirs = (
            [getattr(sample, self.quantity) for sample in samples[name]] for name in ("", self.beside)
        )
        words = WORDS[self.quantity]
        if self.how == "ratio":
            return Figure(f"{words}, × {self.beside}", measure.ratio(ours, theirs), "×", self.goal)
        unit = "MiB" if self.quantity == "memory" else "s"
        if self.how == "over":
            return Figure(f"{words} over {self.beside}", measure.difference(ours, theirs), unit, self.goal)
        return Figure(words, measure.spread(ours), unit, self.goal)


class Row(Protocol):
    """One row of the page."""

    @property
    def measured(self) -> str:
        """What is measured, in words."""

    @property
    def beside(self) -> str:
        """Beside what."""

    @property
    def next_step(self) -> str:
        """What is to be done where a goal is not met."""

    @property
    def obstacle(self) -> Callable[[], str]:
        """Why it cannot be measured here; empty when it can."""

    def measure(self, scratch: Path, rounds: int, note: Note) -> Result:
        """Measure. Raises SidesDiffer, CommandFailed, SandboxError."""


def no_obstacle() -> str:
    """It can be measured anywhere."""
    return ""


@dataclass(frozen=True)
class Comparison:
    """Commands side by side."""

    measured: str
    beside: str
    prepare: Callable[[Path, int], Sides]
    """Writes the inputs into a folder, for this many clusters."""

    wanted: tuple[Wanted, ...]
    clusters: int = 0
    """Compute clusters of the stack; 0 where the stack is a committed one."""

    next_step: str = ""
    obstacle: Callable[[], str] = no_obstacle
    most_rounds: int = 100
    """0 for sides that take minutes: the run whose result is compared is the one that is measured."""

    def measure(self, scratch: Path, rounds: int, note: Note) -> Result:
        """Run all sides once, compare what they did, then measure them in turns."""
        sides = self.prepare(scratch, self.clusters)
        commands = {"": sides.measured, **sides.beside}
        # Once without measuring: compiled modules and the files read are then at hand for all.
        samples = {}
        for name, command in commands.items():
            note(f"first run of {name or 'what is measured'}")
            samples[name] = [run(command)]
        if difference := sides.difference():
            raise SidesDiffer(difference)
        if rounds := min(rounds, self.most_rounds):
            taken = measure.alternate(list(commands.values()), rounds, note)
            samples = dict(zip(commands, taken, strict=True))
        return Result([each.figure(samples) for each in self.wanted], rounds)
