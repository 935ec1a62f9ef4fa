"""`madeploy models show`: one model, and what its registration left out."""

from __future__ import annotations

from madeploy.cli.models.access import NameArgument, NamespaceOption, complain, named, registry
from madeploy.cli.options import AsJson, OfStack
from madeploy.cli.output import print_json


def show(name: NameArgument, namespace: NamespaceOption, stack: OfStack, as_json: AsJson = False) -> None:
    """Show one model with its artifacts. Ends with 1 when there is none."""
    with registry(stack, namespace) as (_, client):
        found = named(client, namespace, name)
    if as_json:
        print_json(found.to_data())
    else:
        for field, value in found.to_data().items():
            values = value if isinstance(value, list) else [value]
            for item in values or [None]:
                print(f"{field + ':':<23}{item if item not in (None, '') else '-'}")  # noqa: T201
    complain(found.findings())
