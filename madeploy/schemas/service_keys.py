"""Types of the keys of the services' configuration files, by JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from madeploy.releases.keys import Type
from madeploy.schemas.files import Schema, schema

if TYPE_CHECKING:
    from jsonschema.protocols import Validator


@cache
def shape(kind: Type) -> Schema:
    """The schema of a type; its description says in words what is accepted."""
    types = schema("service-keys")["definitions"]

    def whole(item: Any) -> Any:
        if not isinstance(item, dict):
            return item
        if "$ref" in item:
            return whole(types[item["$ref"].rpartition("/")[2]])
        return {key: whole(value) for key, value in item.items()}

    return dict(whole(types[kind]))


def accepted(kind: Type) -> str:
    """What a type accepts, in words."""
    return str(shape(kind)["description"])


def fits(kind: Type, value: Any) -> bool:
    """Whether a value is of a key's type, as the service would read it."""
    return _validator(kind).is_valid(value)


@cache
def _validator(kind: Type) -> Validator:
    # Imported here, because loading it takes longer than most commands.
    from jsonschema import Draft202012Validator, validators

    strict = Draft202012Validator.TYPE_CHECKER.redefine_many(
        {
            # A service reads 3.0 as no whole number.
            "integer": lambda _, value: isinstance(value, int) and not isinstance(value, bool),
            "object": lambda _, value: isinstance(value, Mapping),
            "array": lambda _, value: isinstance(value, (list, tuple)),
        }
    )
    reader = validators.extend(Draft202012Validator, type_checker=strict)  # type: ignore[no-untyped-call]
    made: Validator = reader(shape(kind))
    return made
