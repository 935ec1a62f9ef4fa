"""`python -m benchmarks [NAME]... [--json]`: measure, and print ratios."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Optional

import typer

from benchmarks.catalogue import BENCHMARKS
from benchmarks.measure import CommandFailed, Comparison, alternate, compare, run
from benchmarks.report import Results, as_data, show
from madeploy.sandbox import progress
from madeploy.sandbox.errors import SandboxError

DIFFERENT, WRONG_USE, UNREACHABLE = 1, 2, 3


class SidesDiffer(Exception):  # noqa: N818 - it names what happened
    """The two sides did different work: no ratio of theirs means anything."""


def measure(name: str, rounds: int) -> Comparison:
    """Run one benchmark.

    Raises SidesDiffer, CommandFailed, SandboxError.
    """
    benchmark = BENCHMARKS[name]
    with tempfile.TemporaryDirectory(prefix="madeploy-benchmark-") as scratch, progress.phase(name) as phase:
        sides = benchmark.prepare(Path(scratch), benchmark.clusters)
        # Once without measuring: compiled modules and the files read are then at hand for both.
        phase.note("first run")
        run(sides.measured)
        run(sides.baseline)
        if difference := sides.difference():
            raise SidesDiffer(f"the two sides of {name} did different work: {difference}")
        return compare(*alternate(sides.measured, sides.baseline, rounds, phase.note))


def main(
    names: Annotated[
        Optional[list[str]],  # noqa: UP045 - typer reads this at run time, on Python 3.10 too
        typer.Argument(metavar="[NAME]...", help=f"Of: {', '.join(BENCHMARKS)}. Default: all."),
    ] = None,
    rounds: Annotated[int, typer.Option("--rounds", min=1, help="Rounds A-B-B-A of each.")] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure the toolkit against baselines in the same run, as ratios.

    Exit codes: 0 measured, 1 two sides did different work or a command failed, 2 wrong use, 3 nothing
    could be measured here.
    """
    unknown = sorted(set(names or ()) - BENCHMARKS.keys())
    if unknown:
        _end(f"There is no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}.", WRONG_USE)
    load = os.getloadavg()[0]
    comparisons: dict[str, Comparison] = {}
    left_out: dict[str, str] = {}
    for name in names or BENCHMARKS:
        try:
            if why := BENCHMARKS[name].obstacle():
                left_out[name] = why
            else:
                comparisons[name] = measure(name, rounds)
        except (SidesDiffer, CommandFailed) as error:
            _end(str(error), DIFFERENT)
        except SandboxError as error:
            _end(str(error), error.exit_code)
    results = Results(rounds, load, comparisons, left_out)
    if as_json:
        typer.echo(json.dumps(as_data(results), indent=2))
    else:
        show(results)
    if not comparisons:
        raise typer.Exit(UNREACHABLE)


def _end(text: str, code: int) -> None:
    print(text, file=sys.stderr)  # noqa: T201
    raise typer.Exit(code)


if __name__ == "__main__":
    typer.run(main)
