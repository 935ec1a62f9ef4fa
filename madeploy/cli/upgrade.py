"""`madeploy upgrade`: lead a running environment to another release of the platform."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from madeploy.cli.options import AsJson, Stack
from madeploy.cli.output import print_json
from madeploy.errors import UsageError
from madeploy.findings import Finding, in_order
from madeploy.findings.text import report, write
from madeploy.progress import say
from madeploy.releases import DEFAULT
from madeploy.settings import CONTROL_PLANE
from madeploy.stacks.access import open_stack
from madeploy.stacks.session import StackSession
from madeploy.upgrade import dump, steps
from madeploy.upgrade.look import Look, look
from madeploy.upgrade.target import edits
from madeploy.upgrade.target import target as release_called


def upgrade(
    stack: Stack,
    to: Annotated[str, typer.Option("--to", metavar="RELEASE", help="The release.")] = DEFAULT,
    dump_to: Annotated[
        Path | None,
        typer.Option("--dump", metavar="FILE", help="Where all of the platform's objects are written first."),
    ] = None,
    from_chart: Annotated[
        Path | None,
        typer.Option(
            "--from-chart", metavar="FILE.tgz", help="The release's chart, for Envoy's descriptors."
        ),
    ] = None,
    until: Annotated[
        str, typer.Option("--until", metavar="STEP", help=f"The last step to take: {', '.join(steps.NAMES)}.")
    ] = steps.NAMES[-1],
    check: Annotated[bool, typer.Option("--check", help="Only look for obstacles; change nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Look for obstacles, write a dump of every object, edit the stack file, and update in a safe order.

    Ended anywhere, run it again: what is done is not done twice. `pulumi up` goes on as well. There is no way
    back: services of an earlier release fail on what this one writes.
    """
    if until not in steps.NAMES:
        raise UsageError(f"{until} is no step", "", f"Name one of {', '.join(steps.NAMES)}.")
    access = open_stack(stack, required=[CONTROL_PLANE])
    release = release_called(access.environment, to)
    seen = look(access, release)
    if dump_to is not None and not seen.is_taken_over:
        written = dump.write(dump_to, seen.objects, seen.control_plane)
        kept = f", {written.gone} of them from an earlier run" if written.gone else ""
        say(f"{dump_to}: {written.objects} objects{kept}")
    stopped = any(item.severity == "error" for item in seen.findings) and not seen.is_taken_over
    if stopped or check:
        _print(access.name, to, seen, [], as_json)
        raise typer.Exit(int(stopped))
    if dump_to is None and seen.objects and not seen.is_taken_over:
        raise UsageError(
            "no dump is asked for",
            "nothing leads back from this release but objects made again from a dump",
            "Give --dump FILE.",
        )
    session = StackSession(stack, list(access.environment.clusters))
    changed = edits(access.path.parent, access.environment, release, from_chart)
    if changed:
        session.edit(changed)
        say(f"{access.path.name}: platform.release is {release.name}")
    failed = steps.take(session, until, say)
    _print(access.name, to, seen, failed.values(), as_json)
    if failed:
        raise typer.Exit(1)
    if until != steps.NAMES[-1]:
        left = ", ".join(steps.NAMES[steps.NAMES.index(until) + 1 :])
        say(f"left: {left}. Run the command again without --until, or `pulumi up`")
    elif not as_json:
        sys.stdout.write(f"{access.name} runs release {release.name}\n")


def _print(name: str, to: str, seen: Look, failed: Iterable[Finding], as_json: bool) -> None:
    """Everything that was found, what failed in the end among it."""
    findings = in_order([*seen.findings, *failed])
    if as_json:
        data: dict[str, Any] = {
            "stack": name,
            "release": to,
            "objects": len(seen.objects),
            "takenOver": seen.is_taken_over,
            "findings": [item.to_data() for item in findings],
        }
        print_json(data)
    elif findings:
        write(report(name, findings), sys.stdout)
