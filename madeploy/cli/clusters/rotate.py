"""`madeploy clusters rotate`: new credentials for registered clusters, without a moment without one."""

from __future__ import annotations

import sys
from typing import Annotated, Literal

import typer

from madeploy.cli.asking import age_of, confirm
from madeploy.cli.options import AsJson, OfStack, Yes
from madeploy.cli.output import print_json
from madeploy.clusters.access import chosen_clusters, stack_given
from madeploy.clusters.rotation import Rotation
from madeploy.clusters.rotation_plan import Planned, Rotated, due
from madeploy.findings import Finding
from madeploy.findings.text import report, write
from madeploy.progress import phase, say
from madeploy.stacks.files import open_environment
from madeploy.stacks.session import StackSession


def rotate(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Clusters to rotate.", show_default=False)
    ] = None,
    stack: OfStack = "",
    every: Annotated[bool, typer.Option("--all", help="All clusters of the stack.")] = False,
    older_than: Annotated[
        str | None,
        typer.Option("--older-than", metavar="AGE", help="With --all: older credentials only (90d, 12h)."),
    ] = None,
    kind: Annotated[
        Literal["longLived", "bounded"] | None,
        typer.Option("--kind", help="Kind of the new credential. Default: that of the old one."),
    ] = None,
    rollback: Annotated[
        bool, typer.Option("--rollback", help="Go back to the credential there was before.")
    ] = False,
    parallel: Annotated[
        int, typer.Option("--parallel", min=1, max=64, help="Clusters asked at the same time.")
    ] = 8,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done.")] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Rotate the platform's credentials on compute clusters.

    Makes a new credential, proves it with itself, registers it, rolls the controller manager once for all
    clusters, waits until the platform has reached each with it, withdraws the old one and shows that it is
    refused. Interrupted anywhere, the same command goes on, and --rollback takes it back. Ends with 1 when a
    cluster is not done: whatever it still needs is valid.
    """
    stack_name, _, environment = open_environment(stack_given(stack))
    chosen = chosen_clusters(names or [], every, list(environment.clusters), stack_name, older_than)
    session = StackSession(stack, chosen)
    findings: list[Finding] = []
    if older_than is not None:
        chosen, findings = due(session, chosen, age_of(older_than), parallel)
    rotation = Rotation(session, say, workers=parallel)
    with phase(f"looking at {len(chosen)} clusters"):
        plans = rotation.plan(chosen, rollback=rollback, kind=kind)
    if not as_json:
        print(_plan_text(plans, chosen, rollback))  # noqa: T201
    if dry_run or not plans:
        _finish(stack_name, plans, list(rotation.results.values()), findings, as_json, dry_run)
        return
    if not yes:
        confirm(f"Rotate {len(plans)} of stack {stack_name}?")
    _finish(stack_name, plans, rotation.run(), findings, as_json, dry_run)


def _plan_text(plans: dict[str, Planned], chosen: list[str], rollback: bool) -> str:
    lines = []
    for name, plan in plans.items():
        ended = ", ".join(str(item.generation) for item in plan.withdrawn)
        if plan.goal.generation == plan.before:
            doing = f"generation {plan.before} stays registered"
        else:
            doing = f"generation {plan.goal.generation} ({plan.goal.kind}) takes over from {plan.before}"
        lines.append(f"{name}: {doing}" + (f"; {ended} is withdrawn" if ended else ""))
    if rollback:
        lines += [f"{name}: nothing to go back to" for name in chosen if name not in plans]
    return "\n".join(lines) or "No credential is to be rotated."


def _finish(
    stack: str,
    plans: dict[str, Planned],
    results: list[Rotated],
    findings: list[Finding],
    as_json: bool,
    dry_run: bool,
) -> None:
    """Say what happened, and end with 1 where something is not done."""
    every = [*findings, *(item for result in results for item in result.findings)]
    if as_json:
        data = {
            "stack": stack,
            "dryRun": dry_run,
            "plan": {name: plan.to_data() for name, plan in plans.items()},
            "clusters": [result.to_data() for result in results],
            "findings": [item.to_data() for item in findings],
        }
        print_json(data)
    else:
        if not dry_run:
            for result in results:
                if result.name in plans:
                    print(_result_text(result))  # noqa: T201
        if every:
            write(report(f"stack {stack}", every), sys.stdout)
    raise typer.Exit(1 if every else 0)


def _result_text(result: Rotated) -> str:
    if not result.done:
        return f"{result.name}: not done; generation {result.after} is registered, and nothing was cut off"
    dead = [
        f"generation {generation} "
        + (f"was refused {seconds:.0f} s later" if seconds is not None else "has no Secret any more")
        for generation, seconds in result.refused.items()
    ]
    return f"{result.name}: generation {result.after} is registered and used" + "".join(
        f"; {item}" for item in dead
    )
