"""A program written by hand: recorded resources with literal arguments, and nothing of the toolkit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pulumi


def register(recorded: Iterable[Mapping[str, Any]]) -> None:
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
