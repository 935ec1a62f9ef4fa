"""Rows of programs that measure themselves: they start servers and engines, and print what these took."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.commands import ROOT
from benchmarks.measure import Spread, output_of
from benchmarks.rows import Figure, Goal, Note, Result, no_obstacle
from madeploy.sandbox.tools import inspect

Said = Mapping[str, Any]
"""What a program printed, as JSON."""


@dataclass(frozen=True)
class Reported:
    """Programs that are run one after the other in every round, and figures from what they say."""

    measured: str
    beside: str
    programs: Mapping[str, tuple[str, ...]]
    """Arguments for this interpreter, by name."""

    figures: Callable[[Mapping[str, Sequence[Said]]], list[Figure]]
    """Of what each program said in every round."""

    next_step: str = ""
    obstacle: Callable[[], str] = no_obstacle
    most_rounds: int = 1
    phases: Callable[[Mapping[str, Sequence[Said]]], list[dict[str, Any]]] = lambda _: []
    """What is drawn over time."""

    def measure(self, scratch: Path, rounds: int, note: Note) -> Result:
        """Run each program once in every round. Raises CommandFailed: one that did other work fails."""
        said: dict[str, list[Said]] = {name: [] for name in self.programs}
        rounds = min(rounds, self.most_rounds)
        for number in range(rounds):
            for name, arguments in self.programs.items():
                note(f"round {number + 1}, {name}")
                output = output_of([sys.executable, *arguments], f"python {' '.join(arguments)}", ROOT)
                said[name].append(json.loads(output.splitlines()[-1]))
        return Result(self.figures(said), rounds, phases=self.phases(said))


def values(what: str, taken: Sequence[float], unit: str, goal: Goal | None = None) -> Figure:
    """A figure of one value in each round."""
    ordered = sorted(taken)
    return Figure(what, Spread(ordered[len(ordered) // 2], ordered[0], ordered[-1]), unit, goal)


def warm(said: Mapping[str, Sequence[Said]]) -> list[Figure]:
    """Of `benchmarks.warm`."""
    return [
        values("time by the clock", [each["seconds"] for each in said["up"]], "s", Goal(45)),
        values("processor time", [each["cpuSeconds"] for each in said["up"]], "s"),
    ]


def no_fleet() -> str:
    """Why fleets cannot be measured here."""
    missing = [name for name in ("pulumi", "etcd", "kube-apiserver") if inspect([name])[0].found is None]
    return f"{', '.join(missing)} would have to be built first: bin/madeploy tools --build" if missing else ""


def rotation(said: Mapping[str, Sequence[Said]]) -> list[Figure]:
    """Of `benchmarks.rotation`."""
    now, before = ([each[mode] for each in said["updates"]] for mode in ("as-it-is", "as-it-was"))
    shares = [one / four for one, four in zip(now, before, strict=True)]
    return [
        values("processor time, × its four updates", shares, "×", Goal(0.5)),
        values("processor time", now, "s"),
    ]


def silent(said: Mapping[str, Sequence[Said]]) -> list[Figure]:
    """Of `benchmarks.silent`."""
    alone, beside = ([each[which] for each in said["updates"]] for which in ("alone", "beside"))
    later = [one - other for one, other in zip(beside, alone, strict=True)]
    return [
        values("time by the clock, later by", later, "s", Goal(25)),
        values("time by the clock while all answer", alone, "s"),
    ]


def preflight(said: Mapping[str, Sequence[Said]]) -> list[Figure]:
    """Of `benchmarks.preflight`."""
    looks = said["look"]
    return [
        values("time by the clock", [each["seconds"] for each in looks], "s", Goal(12)),
        values("processor time", [each["cpuSeconds"] for each in looks], "s"),
    ]


def fleet(said: Mapping[str, Sequence[Said]]) -> list[Figure]:
    """Of `benchmarks.fleet`, in the layout with one stack for several clusters, and in the one before it."""

    def each(name: str, phase: str, key: str, per_cluster: bool = False) -> list[float]:
        return [run["phases"][phase][key] / (run["clusters"] if per_cluster else 1) for run in said[name]]

    first = each("together", "first update", "cpuSeconds", per_cluster=True)
    before = each("apart", "first update", "cpuSeconds", per_cluster=True)
    return [
        values("processor time a cluster", first, "s", Goal(0.7)),
        values(
            "processor time, × a stack for each", [a / b for a, b in zip(first, before, strict=True)], "×"
        ),
        values("memory with plugins", each("together", "first update", "peakMiB"), "MiB", Goal(2048)),
        values("processor time of one more", each("together", "one added", "cpuSeconds"), "s", Goal(4)),
        values("nothing to do, a cluster", each("together", "nothing to do", "cpuSeconds", True), "s"),
    ]


PHASES: Mapping[str, float | None] = {
    "one added": 4.0,
    "one rotated": None,
    "one removed": None,
    "one dead": None,
}
"""Phases of a fleet that are about one cluster, and what each may take, seconds of processor time."""

POINTS: int = 80
"""Most samples of a phase that are drawn."""


def whole_fleet(said: Mapping[str, Sequence[Said]]) -> list[Figure]:
    """Of `benchmarks.fleet`, every phase."""
    runs = said["fleet"]

    def each(phase: str, key: str = "cpuSeconds") -> list[float]:
        return [run["phases"][phase][key] for run in runs]

    clusters = runs[0]["clusters"]
    first, idle = ([taken / clusters for taken in each(phase)] for phase in ("first update", "nothing to do"))
    return [
        values("first update: processor time a cluster", first, "s", Goal(0.7)),
        values("memory with plugins", each("first update", "peakMiB"), "MiB", Goal(2048)),
        values("nothing to do: processor time a cluster", idle, "s"),
        *(
            values(f"{phase}: processor time", each(phase), "s", Goal(limit) if limit else None)
            for phase, limit in PHASES.items()
        ),
    ]


def over_time(said: Mapping[str, Sequence[Said]]) -> list[dict[str, Any]]:
    """Phases of the last run: of many samples the highest in each stretch."""
    found = []
    for name, phase in said["fleet"][-1]["phases"].items():
        samples = phase["samples"]
        stretch = -(-len(samples) // POINTS)
        parts = [samples[start : start + stretch] for start in range(0, len(samples), stretch)]
        highest = [
            {"seconds": part[0][0], "MiB": max(s[1] for s in part), "processes": max(s[2] for s in part)}
            for part in parts
        ]
        found.append({"name": name, "seconds": phase["seconds"], "samples": highest})
    return found


@dataclass(frozen=True)
class Elsewhere:
    """A row that is shown in another way."""

    measured: str
    beside: str
    why: str
    next_step: str = ""

    def obstacle(self) -> str:
        """How it is shown."""
        return self.why

    def measure(self, scratch: Path, rounds: int, note: Note) -> Result:
        """Never asked for: there is always an obstacle."""
        raise NotImplementedError
