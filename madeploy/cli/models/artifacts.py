"""`madeploy models artifacts`: the URIs of one model, for scripts."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

import typer

from madeploy.cli.models.access import NameArgument, NamespaceOption, complain, named, registry
from madeploy.cli.options import AsJson, OfStack
from madeploy.cli.output import print_json


class Kind(str, Enum):
    """Which of a model's artifacts."""

    deployable = "deployable"
    raw = "raw"


def artifacts(
    name: NameArgument,
    namespace: NamespaceOption,
    stack: OfStack,
    kind: Annotated[
        Kind, typer.Option("--kind", help="Packaged for serving, or as trained.")
    ] = Kind.deployable,
    as_json: AsJson = False,
) -> None:
    """Print a model's artifact URIs, one per line.

    Ends with 1 when there are none, or no such model: a model has no condition that could be waited for,
    this is the signal that it is ready.
    """
    with registry(stack, namespace) as (_, client):
        found = named(client, namespace, name)
    uris = found.deployable if kind is Kind.deployable else found.raw
    if as_json:
        print_json(list(uris))
    else:
        for uri in uris:
            print(uri)  # noqa: T201
    if not uris:
        wanted = "MA343" if kind is Kind.deployable else "MA342"
        complain([finding for finding in found.findings() if finding.code == wanted])
        raise typer.Exit(1)
