"""`madeploy fleet up` and `madeploy fleet preview`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from madeploy.cli.options import AsJson, Stack
from madeploy.cli.output import print_json
from madeploy.clusters.preflight import unreachable
from madeploy.findings import in_order
from madeploy.findings.text import report, write
from madeploy.progress import duration, phase, say
from madeploy.stacks.apply import apply
from madeploy.stacks.sharded import Sharded
from madeploy.stacks.updates import Applied, apply_inline, open_stacks

Only = Annotated[
    list[str] | None,
    typer.Option("--cluster", "-c", metavar="NAME", help="Only this cluster (repeat it for more)."),
]


def up(stack: Stack, cluster: Only = None, as_json: AsJson = False) -> None:
    """Bring the environment and its clusters to what the stack file says.

    Clusters that cannot be reached are set aside before the engine starts and stay as they are; one that
    fails stops no other. Run again, it goes on from where it stopped. Ends with the list of what is not
    done: 0 when that is empty, 1 when not.
    """
    with phase("asking the clusters") as asking:
        aside = unreachable(stack, asking.note, cluster)
    with phase(f"fleet up {stack}") as running:
        applied = apply(stack, cluster, tell=say, note=running.note, aside=aside)
    _end(applied, stack, "up", as_json)


def preview(stack: Stack, cluster: Only = None, as_json: AsJson = False) -> None:
    """Show what `up` would change. Nothing is changed, and no stack is made.

    Ends with 1 when `up` could not do everything: a preview of a cluster that cannot be reached would look
    as if all were well, so that such clusters are named instead.
    """
    with phase("asking the clusters") as asking:
        aside = unreachable(stack, asking.note, cluster)
    stacks = open_stacks(stack)
    with phase(f"fleet preview {stack}") as running:
        if stacks.settings.fleet.layout == "sharded":
            applied = Sharded(stacks, say, running.note, "preview").run(cluster, aside)
        else:
            applied = apply_inline(stacks, cluster, aside, say, running.note, "preview")
    _end(applied, stack, "preview", as_json)


def _end(applied: Applied, stack: str, verb: str, as_json: bool) -> None:
    if as_json:
        data = {
            "stack": stack,
            "verb": verb,
            "done": applied.done,
            "changes": applied.changes,
            "seconds": round(applied.seconds, 1),
            "notDone": [finding.to_data() for finding in in_order(applied.findings)],
        }
        print_json(data)
    else:
        _show(applied, verb)
    raise typer.Exit(applied.exit_code)


def _show(applied: Applied, verb: str) -> None:
    counted = ", ".join(
        f"{count} {what}" for what, count in sorted(applied.changes.items()) if what != "same"
    )
    same = applied.changes.get("same", 0)
    say(f"{counted or 'no changes'}; {same} unchanged; {duration(applied.seconds)}")
    if not applied.findings:
        say(f"{len(applied.done)} clusters are as the stack file says" if verb == "up" else "all can be done")
        return
    write(report("not done", in_order(applied.findings)), sys.stdout)
