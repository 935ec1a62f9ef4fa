"""`madeploy recover`: after an engine that was killed."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from madeploy.cli.options import AsJson, Stack
from madeploy.cli.output import print_json
from madeploy.findings import exit_code, in_order
from madeploy.findings.text import report, write
from madeploy.progress import phase, say
from madeploy.stacks import recovery
from madeploy.stacks.updates import open_stacks

BUSY = 3
"""Exit code when a stack was left alone because somebody may be at work on it."""


def recover(
    stack: Stack,
    force: Annotated[
        bool,
        typer.Option("--force", help="Remove locks of other machines too, once you know that nobody works."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Put an environment's stacks in order after an engine that was killed; then run the update again.

    Ends plugins that no engine uses any more, removes locks whose owner is gone, puts damaged states in
    order, and finds out what became of operations that were under way: what exists is taken into the state.
    A bucket that a rename left waiting for its deletion is taken back where the settings name it again.
    A lock whose owner lives is never touched.

    Exit codes: 0 all is in order, 3 a stack was left alone.
    """
    stacks = open_stacks(stack)
    with phase(f"recovering {stacks.environment}") as running:
        done = recovery.recover(stacks, force=force, tell=say, note=running.note)
    if as_json:
        print_json(done.to_data())
    elif done.findings:
        write(report("left alone", in_order(done.findings)), sys.stdout)
    elif done.found_nothing:
        say("nothing was left behind")
    else:
        say(f"all is in order: run the update again, `bin/madeploy fleet up {stack}` or `pulumi up`")
    raise typer.Exit(exit_code(done.findings, errors=BUSY))
