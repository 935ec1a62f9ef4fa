"""`madeploy tenants add`: a tenant is written into a stack's file."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from madeploy.cli.options import Editors, OfStack, Viewers
from madeploy.cli.output import note
from madeploy.errors import UsageError
from madeploy.stacks.files import edit, open_environment


def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of its project and its namespace.")],
    stack: OfStack,
    team: Annotated[str, typer.Option(metavar="UUID", help="Id of the owning team.")],
    description: Annotated[str, typer.Option(metavar="TEXT", help="What the project is for.")],
    git_repo: Annotated[str, typer.Option(metavar="URL", help="Repository of its code.")],
    viewers: Viewers = None,
    editors: Editors = None,
) -> None:
    """Write a tenant into the stack's file; the next update makes it.

    A tenant that was taken out of the file and is still on the cluster is taken up again as it is.
    """
    stack_name, path, environment = open_environment(stack)
    if name in environment.tenants:
        raise UsageError(
            f"{name} is a tenant of stack {stack_name} already",
            f"tenants.{name} is in the file",
            f"change it there: bin/madeploy explain tenants.{name}",
        )
    entry: dict[str, Any] = {"team": team, "description": description, "gitRepo": git_repo}
    for key, groups in (("viewers", viewers), ("editors", editors)):
        if groups:
            entry[key] = {"groups": list(groups)}
    edit(path, [(("tenants", name), entry)])
    note(f"Wrote tenants.{name}. Next: pulumi up --stack {stack_name}")
