"""`madeploy models list`: every model of a namespace, or of all."""

from __future__ import annotations

import sys
from datetime import datetime, timezone
from typing import Annotated

import typer

from madeploy.cli.models.access import counted, registry
from madeploy.cli.options import AsJson, OfStack
from madeploy.cli.output import columns, note, print_json
from madeploy.registry.registry import Model, models

_HEADER = ("NAMESPACE", "NAME", "KIND", "PACKAGE", "REVISION", "AGE", "RAW", "DEPLOYABLE")


def list_models(
    stack: OfStack,
    namespace: Annotated[
        str | None,
        typer.Option("--namespace", "-n", metavar="NAMESPACE", help="Only this namespace. Default: all."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List models: kind, package, revision, age in days, and how many artifact URIs they have.

    Ends with 1 when models are not defined or may not be read.
    """
    with registry(stack, namespace) as (_, client):
        read = counted(models(client, namespace), "models read")
        found = sorted(read, key=lambda model: (model.namespace, model.name))
    if as_json:
        print_json([model.to_data() for model in found])
    elif found:
        now = datetime.now(timezone.utc)
        sys.stdout.write(columns(_HEADER, [_row(model, now) for model in found]))
    if not found:
        where = f"namespace {namespace}" if namespace else "any namespace"
        note(f"No models in {where}: nothing has been registered, or it went elsewhere.")


def _row(model: Model, now: datetime) -> tuple[str, ...]:
    return (
        model.namespace,
        model.name,
        model.kind.removeprefix("MODEL_KIND_") or "-",
        model.package_type.removeprefix("DEPLOYABLE_MODEL_PACKAGE_TYPE_") or "-",
        str(model.revision),
        f"{(now - model.created).days}d" if model.created else "-",
        str(len(model.raw)),
        str(len(model.deployable)),
    )
