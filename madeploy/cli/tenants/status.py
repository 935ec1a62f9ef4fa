"""`madeploy tenants status`: what tenants have on the control plane's cluster."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from madeploy.cli.options import AsJson, OfStack
from madeploy.cli.output import columns, print_json
from madeploy.cli.tenants.access import control_plane, queued_clusters
from madeploy.stacks.access import connector
from madeploy.stacks.files import open_environment
from madeploy.tenants.live import Holdings, holdings, there
from madeploy.tenants.queues import Queue, queues

_HEADER = ("NAME", "IN THE FILE", "PROJECT", "OBJECTS", "RUNNING", "QUOTA IN USE", "QUEUES")


def status(
    stack: OfStack,
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Only this tenant. Default: all.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Ask the cluster what tenants have there, those that left the file included.

    Ends with 1 when a tenant of the file, or its queue on a cluster with queues, is not there, or one that
    left the file still is.
    """
    stack_name, path, environment = open_environment(stack)
    with control_plane(stack) as client:
        names = [name] if name else sorted({*environment.tenants, *there(client)})
        found = [holdings(client, environment.release, each) for each in names]
    clusters = queued_clusters(environment)
    connect = connector(stack_name, path, environment)
    queued = queues(connect, clusters, [each.name for each in found])
    lacking = {
        f"cluster {queue.cluster} cannot be asked: {queue.problem}"
        if queue.problem
        else f"{name} has no queue on cluster {queue.cluster} yet: pulumi up --stack {stack_name}"
        for name in queued
        for queue in queued[name]
        if not queue.there and name in environment.tenants
    }
    wrong = [
        each for each in found if (each.name in environment.tenants) != (each.namespace and each.project)
    ]
    if as_json:
        data = [
            {
                **each.to_data(),
                "queues": [queue.to_data() for queue in queued[each.name]],
                "inFile": each.name in environment.tenants,
            }
            for each in found
        ]
        print_json({"stack": stack_name, "tenants": data})
    else:
        rows = [_row(each, each.name in environment.tenants, queued[each.name]) for each in found]
        sys.stdout.write(columns(_HEADER, rows))
        for line in sorted(lacking):
            typer.echo(line, err=True)
        for each in wrong:
            if each.name not in environment.tenants:
                typer.echo(
                    f"{each.name} left the file and was kept: tenants add takes it up again, "
                    f"bin/madeploy tenants remove {each.name} --stack {stack_name} deletes it",
                    err=True,
                )
            else:
                typer.echo(f"{each.name} is not there yet: pulumi up --stack {stack_name}", err=True)
    raise typer.Exit(1 if wrong or lacking else 0)


def _row(found: Holdings, in_file: bool, queued: Sequence[Queue]) -> tuple[str, ...]:
    return (
        found.name,
        "yes" if in_file else "no",
        "yes" if found.project else "no",
        str(sum(found.objects.values())),
        str(len(found.running)),
        ", ".join(f"{key} {used}/{hard}" for key, (used, hard) in found.quota.items() if used != "0") or "-",
        "; ".join(map(str, queued)) or "-",
    )
