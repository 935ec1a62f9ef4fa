"""`madeploy clusters drain`: what runs on a cluster, and waiting until nothing does."""

from __future__ import annotations

import json
import re
import sys
from typing import Annotated

import typer

from madeploy.cli.clusters.rotate import chosen_clusters, stack_given
from madeploy.clients.errors import ClientError
from madeploy.clients.kubernetes import Kubernetes
from madeploy.clusters.workloads import (
    Work,
    assigned,
    busy_finding,
    running,
    wait_until_idle,
    without_cluster,
)
from madeploy.errors import ToolkitError
from madeploy.findings import Finding
from madeploy.findings.text import report, write
from madeploy.sandbox.progress import phase
from madeploy.settings import CONTROL_PLANE
from madeploy.stacks.files import open_environment
from madeploy.stacks.session import StackSession

CAVEAT = (
    "The platform has no way to keep new jobs away from a cluster that is registered: the label "
    "michelangelo/cluster-affinity of new jobs has to name another one, or they may come here while you wait."
)
_LIMIT = re.compile(r"(?P<number>[0-9]{1,5})(?P<unit>[smh]?)")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600}


def drain(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Cluster to drain.")],
    stack: Annotated[
        str, typer.Option("--stack", "-s", metavar="STACK", help="Name or file of the stack.")
    ] = "",
    timeout: Annotated[
        str, typer.Option("--timeout", metavar="TIME", help="How long to wait: 90s, 30m, 2h; 0 looks once.")
    ] = "30m",
    as_json: Annotated[bool, typer.Option("--json", help="Print what runs as JSON.")] = False,
) -> None:
    """Show what runs on a cluster, and wait until nothing does.

    Looks at the platform's RayClusters and RayJobs that are assigned to it, and at Ray's own objects on it.
    Ends nothing and changes nothing. Ends with 0 when nothing runs, 1 when something still does at the limit,
    3 when a cluster does not answer.
    """
    stack_name, _, environment = open_environment(stack_given(stack))
    chosen_clusters([name], False, list(environment.clusters), stack_name)
    there, findings = drained(StackSession(stack, [name]), name, seconds_of(timeout), quiet=as_json)
    if as_json:
        data = {
            "stack": stack_name,
            "cluster": name,
            "drained": not there,
            "running": [work.to_data() for work in there],
            "caveat": CAVEAT,
            "findings": [item.to_data() for item in findings],
        }
        sys.stdout.write(json.dumps(data, indent=2) + "\n")
    else:
        if not there:
            print(f"Nothing runs on {name}.")  # noqa: T201
        write(report(f"stack {stack_name}", findings), sys.stdout)
    raise typer.Exit(1 if there else 0)


def drained(
    session: StackSession, name: str, seconds: float, *, quiet: bool
) -> tuple[list[Work], list[Finding]]:
    """What still runs on a cluster after waiting, and what there is to say of it. Raises ToolkitError (3)
    when one of the two sides does not answer."""
    try:
        control_plane, compute = session.client(CONTROL_PLANE), session.client(name)
        there = _look(control_plane, compute, name)
        if there and not quiet:
            print("\n".join([f"On {name}:", *(f"  {work}" for work in there), CAVEAT]))  # noqa: T201
        if there and seconds > 0:
            with phase(f"waiting until nothing runs on {name}") as waiting:
                there = wait_until_idle(lambda: _look(control_plane, compute, name), seconds, waiting.note)
    except ClientError as error:
        raise ToolkitError(
            f"what runs on {name} cannot be seen",
            str(error),
            f"see why: bin/madeploy clusters verify {name} --stack {session.name}",
        ) from None
    findings = [busy_finding(name, there, seconds)] if there else []
    return there, [*findings, without_cluster(session.settings(), name)]


def seconds_of(text: str) -> float:
    """A length of time as it is typed. Raises ToolkitError (2)."""
    matched = _LIMIT.fullmatch(text)
    if matched is None:
        raise ToolkitError(
            f"{text!r} is no length of time",
            "a number and s, m or h are expected",
            "such as 30m",
            exit_code=2,
        )
    return float(int(matched["number"]) * _SECONDS[matched["unit"]])


def _look(control_plane: Kubernetes, compute: Kubernetes, name: str) -> list[Work]:
    return [*assigned(control_plane, name), *running(compute)]
