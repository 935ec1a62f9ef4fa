"""`madeploy bench`: what the toolkit costs beside something known, in the same minutes."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from madeploy.errors import ToolkitError


def bench(
    only: Annotated[
        Optional[list[str]],  # noqa: UP045 - typer reads this at run time, on Python 3.10 too
        typer.Option("--only", metavar="ROW", help="Only this row. Any number. Default: all."),
    ] = None,
    rounds: Annotated[int, typer.Option("--rounds", min=1, help="Rounds A-B-B-A of each.")] = 5,
    record: Annotated[
        bool, typer.Option("--record", help="Also put the rows into the record of docs/performance.md.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure the toolkit beside other programs that do the same work, in turns, as ratios with their goals.

    What cannot be measured here says why. Ends with 0 when something was measured, with 1 when sides did
    different work or a command failed, with 2 for a row there is none of, with 3 when nothing could be
    measured here.
    """
    try:
        from benchmarks import command
    except ModuleNotFoundError:
        raise ToolkitError(
            "there is nothing to measure with",
            "the benchmarks are part of a checkout of the project, not of its package",
            "run bin/madeploy bench in a checkout",
        ) from None
    raise typer.Exit(command.bench(only or (), rounds, as_json, record))
