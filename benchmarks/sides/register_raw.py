"""Register recorded resources by hand, with nothing of the toolkit, and write what was registered:
`python -m benchmarks.sides.register_raw RECORDING OUT [generic]`.

Such a program is mostly written with typed classes, which it then imports; `generic` does without. Either way
resources are made as generic ones, which is the cheaper way."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi

from benchmarks.sides.recordings import write
from tests.support.recording import record


def register(recorded: list[dict[str, Any]]) -> None:
    """Make each resource with the parent, provider, inputs and options it was recorded with."""
    made: dict[str, pulumi.Resource] = {}
    providers: dict[str, pulumi.ProviderResource] = {}
    for item in recorded:
        type_, name = item["type"], item["name"]
        options = pulumi.ResourceOptions(
            parent=made.get(item["parent"]),
            provider=providers.get(item["provider"]),
            depends_on=[made[urn] for urn in item["dependencies"]],
            protect=item["protect"],
            retain_on_delete=item["retain_on_delete"],
            delete_before_replace=item["delete_before_replace"],
            custom_timeouts=pulumi.CustomTimeouts(**item["timeouts"]) if item["timeouts"] else None,
        )
        resource: pulumi.Resource
        if type_.startswith("pulumi:providers:"):
            package = type_.removeprefix("pulumi:providers:")
            resource = providers[name] = pulumi.ProviderResource(package, name, _inputs(item), options)
        elif type_.startswith("michelangelo:"):
            resource = pulumi.ComponentResource(type_, name, {}, options)
        else:
            resource = pulumi.CustomResource(type_, name, _inputs(item), options)
        made[item["urn"]] = resource


def _inputs(item: Mapping[str, Any]) -> dict[str, Any]:
    secret = item["secret_inputs"]
    return {
        key: pulumi.Output.secret(value) if key in secret else value for key, value in item["inputs"].items()
    }


if __name__ == "__main__":
    recording, out = map(Path, sys.argv[1:3])
    if sys.argv[3:] != ["generic"]:
        import benchmarks.sides.sdk  # noqa: F401 - typed classes of what is registered
    recorded = json.loads(recording.read_text(encoding="utf-8"))
    write(record(lambda: register(recorded)), out)
