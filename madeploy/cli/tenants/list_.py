"""`madeploy tenants list`: the tenants of a stack as its file has them, without asking anything."""

from __future__ import annotations

import sys

import typer

from madeploy.cli.options import AsJson, OfStack
from madeploy.cli.output import columns, print_json
from madeploy.stacks.files import open_environment

_HEADER = ("NAME", "TIER", "TEAM", "QUEUE", "VIEWERS", "EDITORS", "DESCRIPTION")


def list_tenants(
    stack: OfStack,
    as_json: AsJson = False,
) -> None:
    """List a stack's tenants: tier, team, queue, who may look and who may change.

    Reads the stack file only; `tenants status` asks the cluster.
    """
    name, _, environment = open_environment(stack)
    if as_json:
        found = [{"name": key, **tenant.to_yaml_data()} for key, tenant in environment.tenants.items()]
        print_json({"stack": name, "tenants": found})
        return
    if not environment.tenants:
        typer.echo(f"stack {name} has no tenants; bin/madeploy tenants add NAME --stack {name} adds one")
        return
    rows = [
        (
            key,
            str(tenant.tier),
            tenant.team,
            tenant.worker_queue or environment.workflow.task_list,
            ", ".join((*tenant.viewers.groups, *tenant.viewers.users)) or "-",
            ", ".join((*tenant.editors.groups, *tenant.editors.users)) or "-",
            tenant.description,
        )
        for key, tenant in environment.tenants.items()
    ]
    sys.stdout.write(columns(_HEADER, rows))
