"""Whole processes, measured alternately and compared."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

METER = Path(__file__).with_name("meter.py")
MEBIBYTE = 1024**2 if sys.platform == "darwin" else 1024
"""In the unit that getrusage(2) counts memory in."""

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
    """Peak resident memory of the largest process, MiB."""


@dataclass(frozen=True)
class Spread:
    """One quantity of many runs: what is in the middle, and how far rounds lie apart."""

    median: float
    lowest: float
    """Of any single round."""

    highest: float
    """Of any single round."""


def run(command: Command) -> Sample:
    """Run a command once.

    Raises CommandFailed when it cannot be started or does not end with 0.
    """
    metered = (sys.executable, "-I", "-S", str(METER), *command.argv)
    said = output_of(metered, " ".join(command.argv), command.where, command.environ)
    cpu, wall, memory = map(float, said.split())
    return Sample(cpu, wall, memory / MEBIBYTE)


def output_of(argv: Sequence[str], name: str, where: Path, environ: Mapping[str, str] | None = None) -> str:
    """Standard output of a program.

    Args:
        argv: the program and its arguments.
        name: what a failure calls the command.
        where: working directory.
        environ: whole environment; None for this process's own.

    Raises CommandFailed when it does not end with 0.
    """
    # Output goes through a pipe that is read all the time, so no command waits for a reader.
    done = subprocess.run(
        argv,
        cwd=where,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        words = "\n".join(done.stderr.strip().splitlines()[-15:])
        raise CommandFailed(f"`{name}` ended with {done.returncode}:\n{words}")
    return done.stdout


def alternate(sides: Sequence[Command], rounds: int, note: Callable[[str], None]) -> list[list[Sample]]:
    """Samples of each side, two per round in the order A-B-B-A (A-B-C-C-B-A where there are three), so that a
    machine that becomes slower during a round slows all alike."""
    samples: list[list[Sample]] = [[] for _ in sides]
    forth = list(enumerate(sides))
    for number in range(1, rounds + 1):
        for place, side in (*forth, *reversed(forth)):
            note(f"round {number} of {rounds}, side {place + 1} of {len(sides)}")
            samples[place].append(run(side))
    return samples


def by_round(values: Sequence[float]) -> list[float]:
    """The mean of each round of values in order."""
    rounds = (values[i : i + PER_ROUND] for i in range(0, len(values), PER_ROUND))
    return [sum(each) / len(each) for each in rounds]


def spread(values: Sequence[float]) -> Spread:
    """One side by itself."""
    rounds = by_round(values)
    return Spread(median(values), min(rounds), max(rounds))


def ratio(measured: Sequence[float], beside: Sequence[float]) -> Spread:
    """One quantity of a side over another's: median over median, and each round over its own. Both hold
    `PER_ROUND` values per round, in order."""
    rounds = [one / other for one, other in zip(by_round(measured), by_round(beside), strict=True)]
    return Spread(median(measured) / median(beside), min(rounds), max(rounds))


def difference(measured: Sequence[float], beside: Sequence[float]) -> Spread:
    """The same for how much one is above the other."""
    rounds = [one - other for one, other in zip(by_round(measured), by_round(beside), strict=True)]
    return Spread(median(measured) - median(beside), min(rounds), max(rounds))
