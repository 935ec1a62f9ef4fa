"""`madeploy clusters rotate`: new credentials for registered clusters, without a moment without one."""

from __future__ import annotations

import json
import re
import sys
from functools import partial
from typing import Annotated, Literal, Optional

import typer

from madeploy.clients.bounded import run_bounded
from madeploy.clients.errors import ClientError
from madeploy.clusters import credentials
from madeploy.clusters.checks.health import control_plane_clock
from madeploy.clusters.failures import administrator_finding
from madeploy.clusters.rotation import CALL_SECONDS, Rotated, Rotation
from madeploy.clusters.rotation_plan import Planned
from madeploy.errors import ToolkitError
from madeploy.findings import Finding, find
from madeploy.findings.text import report, write
from madeploy.sandbox.progress import phase, say
from madeploy.settings import CONTROL_PLANE
from madeploy.stacks.files import open_environment
from madeploy.stacks.session import StackSession

_AGE = re.compile(r"(?P<number>[0-9]{1,5})(?P<unit>[mhd])")
_SECONDS = {"m": 60, "h": 3600, "d": 86400}


def rotate(
    names: Annotated[
        Optional[list[str]],  # noqa: UP045 - typer reads this at run time, on Python 3.10 too
        typer.Argument(metavar="[NAME]...", help="Clusters to rotate.", show_default=False),
    ] = None,
    stack: Annotated[
        str, typer.Option("--stack", "-s", metavar="STACK", help="Name or file of the stack.")
    ] = "",
    every: Annotated[bool, typer.Option("--all", help="All clusters of the stack.")] = False,
    older_than: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--older-than", metavar="AGE", help="With --all: older credentials only (90d, 12h)."),
    ] = None,
    kind: Annotated[
        Optional[Literal["longLived", "bounded"]],  # noqa: UP045
        typer.Option("--kind", help="Kind of the new credential. Default: that of the old one."),
    ] = None,
    rollback: Annotated[
        bool, typer.Option("--rollback", help="Go back to the credential there was before.")
    ] = False,
    parallel: Annotated[
        int, typer.Option("--parallel", min=1, max=64, help="Clusters asked at the same time.")
    ] = 8,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what happened as JSON.")] = False,
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
        chosen, findings = _due(session, chosen, _seconds(older_than), parallel)
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


def stack_given(stack: str) -> str:
    """The stack that was named. Raises ToolkitError (2) for none."""
    if not stack:
        raise ToolkitError(
            "no stack is named", "clusters belong to a stack", "name it: --stack STACK", exit_code=2
        )
    return stack


def chosen_clusters(
    names: list[str], every: bool, there: list[str], stack: str, older_than: str | None = None
) -> list[str]:
    """The clusters that are meant. Raises ToolkitError (2)."""
    if bool(names) == every:
        raise ToolkitError(
            "which clusters?",
            "names or --all are needed, not both",
            "name clusters, or say --all",
            exit_code=2,
        )
    if older_than is not None and not every:
        raise ToolkitError(
            "--older-than chooses among all clusters",
            "clusters are named as well",
            "say --all --older-than AGE, or name clusters only",
            exit_code=2,
        )
    unknown = [name for name in names if name not in there]
    if unknown:
        raise ToolkitError(
            f"stack {stack} has no cluster {', '.join(unknown)}",
            f"its clusters are: {', '.join(there) or 'none'}",
            "name one of these",
            exit_code=2,
        )
    return there if every else list(dict.fromkeys(names))


def _seconds(age: str) -> float:
    matched = _AGE.fullmatch(age)
    if matched is None:
        raise ToolkitError(
            f"{age!r} is no age", "an age is a number and m, h or d", "such as --older-than 90d", exit_code=2
        )
    return int(matched["number"]) * _SECONDS[matched["unit"]]


def _due(
    session: StackSession, names: list[str], seconds: float, parallel: int
) -> tuple[list[str], list[Finding]]:
    """Clusters whose credential is older than that, or whose rotation is under way; and why the age of others
    is not known."""
    settings = session.settings()
    now = control_plane_clock(session.client(CONTROL_PLANE))

    def look(name: str) -> bool | Finding:
        credential = settings.clusters[name].credential
        if credential.keep:
            return True
        try:
            age = credentials.age(session.client(name), credential, now)
        except ClientError as error:
            return administrator_finding(error, name)
        except ToolkitError as error:
            return find("MA402", name, f"{error.what}: {error.why}", fix=error.fix)
        if age is None:
            return find("MA476", name, f"generation {credential.generation} has no Secret there")
        return age > seconds

    def late(name: str) -> bool | Finding:
        return find("MA432", name, f"no answer within {CALL_SECONDS:.0f} s")

    answers = run_bounded({name: partial(look, name) for name in names}, late, CALL_SECONDS, parallel)
    due = [name for name, answer in answers.items() if answer is True]
    return due, [answer for answer in answers.values() if isinstance(answer, Finding)]


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


def confirm(question: str) -> None:
    """Ask before something is done. Raises ToolkitError (2) where nobody can answer."""
    if not sys.stdin.isatty():
        raise ToolkitError(
            "nothing was done", "the command asks before it begins", "say --yes, or --dry-run", exit_code=2
        )
    typer.confirm(question, abort=True, err=True)


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
        sys.stdout.write(json.dumps(data, indent=2) + "\n")
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
