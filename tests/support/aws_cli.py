"""The AWS CLI, played: its arguments are read as the real one reads them, by the service's own model, and the
call is made."""

from __future__ import annotations

from typing import Any

SERVICES = {"s3api": "s3"}
"""Commands that are called otherwise than their service (AWS CLI, command reference)."""


def aws(words: list[str]) -> None:
    """Make the call that `aws SERVICE OPERATION --option value …` makes; fails for options that the operation
    does not have."""
    import boto3
    from botocore import xform_name

    _, service, operation, *rest = words
    given = dict(zip(rest[::2], rest[1::2], strict=True))
    client = boto3.client(
        SERVICES.get(service, service),
        region_name=given.pop("--region", None),
        endpoint_url=given.pop("--endpoint-url", None),
    )
    method = operation.replace("-", "_")
    shape = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[method]).input_shape
    members = {} if shape is None else shape.members
    named = {f"--{xform_name(name, '-')}": name for name in members}
    arguments: dict[str, Any] = {}
    for option, value in given.items():
        name = named[option]
        arguments[name] = _shorthand(value) if members[name].type_name == "structure" else value
    getattr(client, method)(**arguments)


def _shorthand(text: str) -> dict[str, str]:
    """`Key=value,Key=value` (AWS CLI, shorthand syntax)."""
    return dict(pair.split("=", 1) for pair in text.split(","))
