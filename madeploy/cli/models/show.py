"""`madeploy models show`: one model, and what its registration left out."""

from __future__ import annotations

import json

from madeploy.cli.models.access import (
    JsonOption,
    NameArgument,
    NamespaceOption,
    StackOption,
    complain,
    named,
    registry,
)


def show(
    name: NameArgument, namespace: NamespaceOption, stack: StackOption, as_json: JsonOption = False
) -> None:
    """Show one model with its artifacts. Ends with 1 when there is none."""
    with registry(stack, namespace) as (_, client):
        found = named(client, namespace, name)
    if as_json:
        print(json.dumps(found.to_data(), indent=2, ensure_ascii=False))  # noqa: T201
    else:
        for field, value in found.to_data().items():
            values = value if isinstance(value, list) else [value]
            for item in values or [None]:
                print(f"{field + ':':<23}{item if item not in (None, '') else '-'}")  # noqa: T201
    complain(found.findings())
