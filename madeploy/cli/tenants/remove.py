"""`madeploy tenants remove`: a tenant goes, and everything of it."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Annotated

import typer

from madeploy.cli.asking import limit_of
from madeploy.cli.options import AsJson, OfStack
from madeploy.cli.output import note, print_json
from madeploy.cli.tenants.access import control_plane, queued_clusters
from madeploy.errors import UsageError
from madeploy.stacks.access import connector
from madeploy.stacks.files import edit, open_environment
from madeploy.tenants.live import Holdings, delete, holdings
from madeploy.tenants.queues import delete_queues, queues


def remove(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Tenant to remove.")],
    stack: OfStack,
    confirm: Annotated[
        str,
        typer.Option(
            "--confirm", metavar="NAME", help="The tenant's name once more, in place of a question."
        ),
    ] = "",
    timeout: Annotated[
        str, typer.Option("--timeout", metavar="TIME", help="How long to wait for finalizers: 90s, 10m.")
    ] = "5m",
    as_json: AsJson = False,
) -> None:
    """Remove a tenant: its entry in the file, its Project, its namespace with all that is in it, its queues.

    Says what goes with it and wants its name typed. Refuses, with 1, while something of it runs. Artifacts in
    the object store stay. Interrupted anywhere, the same command goes on.
    """
    stack_name, path, environment = open_environment(stack)
    with control_plane(stack) as client:
        found = holdings(client, environment.release, name)
        if not found.namespace and name not in environment.tenants:
            raise UsageError(
                f"there is no tenant {name} in stack {stack_name}",
                "neither the file nor the cluster has it",
                f"bin/madeploy tenants status --stack {stack_name} shows those there are",
            )
        clusters, connect = queued_clusters(environment), connector(stack_name, path, environment)
        for queue in queues(connect, clusters, [name])[name]:
            if queue.problem:
                _print(
                    found, as_json, f"not removed: cluster {queue.cluster} cannot be asked: {queue.problem}"
                )
                raise typer.Exit(1)
            if queue.pending or queue.admitted:
                found = replace(found, running=(*found.running, f"Queue {queue}"))
        if found.running:
            _print(found, as_json, "not removed: it still runs")
            raise typer.Exit(1)
        _confirmed(found, confirm)
        edit(path, [(("tenants", name), None)])
        delete_queues(connect, clusters, name)
        left = delete(client, name, limit_of(timeout), note)
    _print(found, as_json, f"not removed yet: {left}" if left else "removed")
    if not left:
        note(f"Next, so that the stack forgets it: pulumi up --stack {stack_name}")
    raise typer.Exit(1 if left else 0)


def _confirmed(found: Holdings, given: str) -> None:
    note(f"With tenant {found.name} go for good: {_said(found)}. Artifacts in the object store stay.")
    if not given and sys.stdin.isatty():
        given = typer.prompt("Type the tenant's name to go on", err=True)
    if given != found.name:
        raise UsageError(
            "nothing was done",
            f"{given!r} is not the tenant's name" if given else "the command wants the tenant's name typed",
            f"say --confirm {found.name}",
        )


def _said(found: Holdings) -> str:
    counted = [f"{number} {kind}" for kind, number in found.objects.items()]
    project = ["its Project"] if found.project else []
    return ", ".join([*project, *counted, "its namespace with all rights, quotas and Secrets in it"])


def _print(found: Holdings, as_json: bool, said: str) -> None:
    if as_json:
        print_json({"tenant": found.to_data(), "outcome": said})
        return
    typer.echo(f"{found.name}: {said}")
    for item in found.running:
        typer.echo(f"  {item}")
