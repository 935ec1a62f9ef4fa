"""Whole processes, measured alternately and compared."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

METER = Path(__file__).with_name("meter.py")
PER_ROUND = 2
"""Runs of each side in a round: A-B-B-A."""


class CommandFailed(Exception):  # noqa: N818 - it names what happened
    """A command under measurement did not end with 0; the text says which, and its last words."""


@dataclass(frozen=True)
class Command:
    """One side of a comparison."""

    argv: tuple[str, ...]
    where: Path
    """Working directory."""

    environ: Mapping[str, str] | None = None
    """Whole environment; None for this process's own."""


@dataclass(frozen=True)
class Sample:
    """What one run took."""

    cpu: float
    """User and system seconds."""

    wall: float
    """Seconds by the clock."""

    memory: float
    """Peak resident memory of the largest process, in the system's unit."""


@dataclass(frozen=True)
class Ratio:
    """One quantity of the measured side over that of the baseline."""

    median: float
    """Median over median."""

    least: float
    """Least over least: the figure other users of the machine disturb least."""

    lowest: float
    """Lowest ratio of any single round."""

    highest: float
    """Highest ratio of any single round."""


@dataclass(frozen=True)
class Comparison:
    """All three quantities."""

    cpu: Ratio
    wall: Ratio
    memory: Ratio


def run(command: Command) -> Sample:
    """Run a command once.

    Raises CommandFailed when it cannot be started or does not end with 0.
    """
    # Output goes through a pipe that is read all the time, so no command waits for a reader.
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(METER), *command.argv],
        cwd=command.where,
        env=dict(os.environ if command.environ is None else command.environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        words = "\n".join(done.stderr.strip().splitlines()[-15:])
        raise CommandFailed(f"`{' '.join(command.argv)}` ended with {done.returncode}:\n{words}")
    cpu, wall, memory = map(float, done.stdout.split())
    return Sample(cpu, wall, memory)


def alternate(
    measured: Command, baseline: Command, rounds: int, note: Callable[[str], None]
) -> tuple[list[Sample], list[Sample]]:
    """Samples of both sides, two of each per round in the order A-B-B-A, so that a machine that becomes
    slower during a round slows both alike."""
    ours: list[Sample] = []
    theirs: list[Sample] = []
    for number in range(1, rounds + 1):
        note(f"round {number} of {rounds}")
        ours.append(run(measured))
        theirs += [run(baseline), run(baseline)]
        ours.append(run(measured))
    return ours, theirs


def ratio(measured: Sequence[float], baseline: Sequence[float]) -> Ratio:
    """Compare one quantity. Both sequences hold `PER_ROUND` values per round, in order."""
    starts = range(0, len(measured), PER_ROUND)
    by_round = [sum(measured[i : i + PER_ROUND]) / sum(baseline[i : i + PER_ROUND]) for i in starts]
    return Ratio(
        median(measured) / median(baseline), min(measured) / min(baseline), min(by_round), max(by_round)
    )


def compare(measured: Sequence[Sample], baseline: Sequence[Sample]) -> Comparison:
    """Compare every quantity."""
    return Comparison(
        cpu=ratio([s.cpu for s in measured], [s.cpu for s in baseline]),
        wall=ratio([s.wall for s in measured], [s.wall for s in baseline]),
        memory=ratio([s.memory for s in measured], [s.memory for s in baseline]),
    )
