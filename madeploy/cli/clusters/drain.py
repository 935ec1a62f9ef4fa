"""`madeploy clusters drain`: what runs on a cluster, and waiting until nothing does."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated

import typer

from madeploy.cli.asking import limit_of
from madeploy.cli.options import AsJson, OfStack
from madeploy.cli.output import print_json
from madeploy.clusters.access import chosen_clusters, stack_given
from madeploy.clusters.workloads import Work, drained
from madeploy.findings.text import report, write
from madeploy.stacks.files import open_environment
from madeploy.stacks.session import StackSession

CAVEAT = (
    "The platform has no way to keep new jobs away from a cluster that is registered: the label "
    "michelangelo/cluster-affinity of new jobs has to name another one, or they may come here while you wait."
)


def drain(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Cluster to drain.")],
    stack: OfStack = "",
    timeout: Annotated[
        str, typer.Option("--timeout", metavar="TIME", help="How long to wait: 90s, 30m, 2h; 0 looks once.")
    ] = "30m",
    as_json: AsJson = False,
) -> None:
    """Show what runs on a cluster, and wait until nothing does.

    Looks at the platform's RayClusters and RayJobs that are assigned to it, and at Ray's own objects on it.
    Ends nothing and changes nothing. Ends with 0 when nothing runs, 1 when something still does at the limit,
    3 when a cluster does not answer.
    """
    stack_name, _, environment = open_environment(stack_given(stack))
    chosen_clusters([name], False, list(environment.clusters), stack_name)
    shown = silent if as_json else running_on(name)
    there, findings = drained(StackSession(stack, [name]), name, limit_of(timeout), shown)
    if as_json:
        data = {
            "stack": stack_name,
            "cluster": name,
            "drained": not there,
            "running": [work.to_data() for work in there],
            "caveat": CAVEAT,
            "findings": [item.to_data() for item in findings],
        }
        print_json(data)
    else:
        if not there:
            print(f"Nothing runs on {name}.")  # noqa: T201
        write(report(f"stack {stack_name}", findings), sys.stdout)
    raise typer.Exit(1 if there else 0)


def running_on(name: str) -> Callable[[list[Work]], None]:
    """Prints what runs on a cluster."""

    def show(there: list[Work]) -> None:
        print("\n".join([f"On {name}:", *(f"  {work}" for work in there), CAVEAT]))  # noqa: T201

    return show


def silent(there: list[Work]) -> None:
    """Prints nothing of it."""
