"""Property values as they travel between the engine and a provider plugin.

On the wire a value is protobuf's `Value`; secrets and unknown values are marked as the Pulumi provider
protocol says (a map with a signature key, and sentinel strings). In Python a value is a plain JSON value,
plus `Secret` around whatever must never be shown and `UNKNOWN` for what only the real run will tell."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf import struct_pb2

Properties = dict[str, Any]

SIGNATURE_KEY: Final = "4dabf18193072939515e22adb298388d"
SECRET_SIGNATURE: Final = "1b47061264138c4ac30d75fd1eb44270"
ASSET_SIGNATURES: Final = frozenset({"c44067f5952c0a294b673a41bacd8c17", "0def7320c3a5731c473e5ecbe6d01bc7"})

UNKNOWN_STRING: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
# The engine names the type it expects behind an unknown value; what a provider answers is always the string
# form.
UNKNOWN_SENTINELS: Final = frozenset(
    {
        UNKNOWN_STRING,
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    }
)

SHORTEST_TRACED_SECRET: Final = 8
"""Secret strings shorter than this are followed by their place only: "data" occurs in every object."""


class Unknown:
    """The type of `UNKNOWN`."""

    def __repr__(self) -> str:
        return "UNKNOWN"

    def __copy__(self) -> Unknown:
        return self

    def __deepcopy__(self, memo: object) -> Unknown:
        return self


UNKNOWN: Final = Unknown()


@dataclass(frozen=True)
class Secret:
    """A value that is encrypted in the state and shown as `[secret]`. It hides itself from `repr`, too."""

    value: Any

    def __repr__(self) -> str:
        return "Secret(...)"


class UnsupportedValueError(Exception):
    """A kind of value (a file asset, say) that a sandbox plugin cannot pass on."""


def decode(struct: struct_pb2.Struct) -> Properties:
    """The properties in `struct`. Keys without a value are left out, at every depth.

    Raises:
        UnsupportedValueError: `struct` holds an asset, an archive or a resource reference.
    """
    return {
        key: decoded for key, value in struct.fields.items() if (decoded := decode_value(value)) is not None
    }


def decode_value(value: struct_pb2.Value) -> Any:
    """One value; numbers without a fraction become `int`, as Kubernetes and AWS expect them."""
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        text = value.string_value
        return UNKNOWN if text in UNKNOWN_SENTINELS else text
    if kind == "struct_value":
        fields = value.struct_value.fields
        if SIGNATURE_KEY in fields:
            return _decode_marked(fields)
        return decode(value.struct_value)
    if kind == "list_value":
        return [decode_value(item) for item in value.list_value.values]
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    if kind == "bool_value":
        return value.bool_value
    return None


def _decode_marked(fields: Mapping[str, struct_pb2.Value]) -> Any:
    signature = fields[SIGNATURE_KEY].string_value
    if signature == SECRET_SIGNATURE:
        inner = decode_value(fields["value"])
        return inner if isinstance(inner, Secret) else Secret(inner)
    if signature in ASSET_SIGNATURES:
        raise UnsupportedValueError("a file asset or archive cannot be part of this resource")
    raise UnsupportedValueError(
        "this kind of property value (a resource reference) cannot be part of this resource"
    )


def encode(properties: Mapping[str, Any]) -> struct_pb2.Struct:
    """The inverse of `decode`."""
    struct = struct_pb2.Struct()
    _fill_struct(struct, properties)
    return struct


def _fill_struct(struct: struct_pb2.Struct, properties: Mapping[str, Any]) -> None:
    for key, value in properties.items():
        if value is not None:
            _fill_value(struct.fields[key], value)


def _fill_value(target: struct_pb2.Value, value: Any) -> None:
    if value is None:
        target.null_value = struct_pb2.NULL_VALUE
    elif isinstance(value, Secret):
        target.struct_value.fields[SIGNATURE_KEY].string_value = SECRET_SIGNATURE
        _fill_value(target.struct_value.fields["value"], value.value)
    elif value is UNKNOWN:
        target.string_value = UNKNOWN_STRING
    elif isinstance(value, bool):
        target.bool_value = value
    elif isinstance(value, str):
        target.string_value = value
    elif isinstance(value, int | float):
        target.number_value = value
    elif isinstance(value, Mapping):
        target.struct_value.SetInParent()
        _fill_struct(target.struct_value, value)
    elif isinstance(value, list | tuple):
        target.list_value.SetInParent()
        for item in value:
            _fill_value(target.list_value.values.add(), item)
    else:
        raise TypeError(f"no wire form for {type(value).__name__}")


def plain(value: Any) -> Any:
    """A deep copy of `value` with every `Secret` opened. For sending to an API, never for showing."""
    if isinstance(value, Secret):
        return plain(value.value)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def has_unknown(value: Any) -> bool:
    """Whether `UNKNOWN` occurs anywhere in `value`."""
    return any(leaf is UNKNOWN for leaf in _leaves(value))


def has_secret(value: Any) -> bool:
    """Whether a `Secret` occurs anywhere in `value`."""
    if isinstance(value, Secret):
        return True
    if isinstance(value, dict):
        return any(has_secret(item) for item in value.values())
    if isinstance(value, list):
        return any(has_secret(item) for item in value)
    return False


def rename_keys(value: Any, rename: Callable[[str], str]) -> Any:
    """`value` with `rename` applied to the keys of every map in it."""
    if isinstance(value, Secret):
        return Secret(rename_keys(value.value, rename))
    if isinstance(value, dict):
        return {rename(key): rename_keys(item, rename) for key, item in value.items()}
    if isinstance(value, list):
        return [rename_keys(item, rename) for item in value]
    return value


def keep_secret(outputs: Properties, inputs: Properties) -> Properties:
    """`outputs` with everything secret in `inputs` marked secret again.

    An API answers in plain text, so secretness has to be carried over. Two rules, both applied. By place: a
    secret input marks the output of the same path, and a list with a secret anywhere in it marks the whole
    output list, for APIs reorder lists. By value: a secret string of at least eight characters marks any
    output string that contains it, or its base64 form, wherever the API put it.
    """
    texts = _secret_texts(inputs)
    placed: Properties = _keep_by_place(outputs, inputs)
    return {key: _keep_by_value(value, texts) for key, value in placed.items()}


def _keep_by_place(outputs: Any, inputs: Any) -> Any:
    if isinstance(outputs, Secret):
        return outputs
    if isinstance(inputs, Secret):
        return Secret(outputs)
    if isinstance(outputs, dict) and isinstance(inputs, dict):
        return {
            key: _keep_by_place(value, inputs[key]) if key in inputs else value
            for key, value in outputs.items()
        }
    return Secret(outputs) if has_secret(inputs) else outputs


def _keep_by_value(outputs: Any, texts: tuple[str, ...]) -> Any:
    if not texts or isinstance(outputs, Secret):
        return outputs
    if isinstance(outputs, str):
        return Secret(outputs) if any(text in outputs for text in texts) else outputs
    if isinstance(outputs, list):
        return [_keep_by_value(item, texts) for item in outputs]
    if isinstance(outputs, dict):
        # A key cannot be marked, so a map that shows a secret in a key is secret as a whole.
        if any(text in key for key in outputs for text in texts):
            return Secret(outputs)
        return {key: _keep_by_value(item, texts) for key, item in outputs.items()}
    return outputs


def redacted(text: str, value: Any) -> str:
    """`text` with every secret string of `value` replaced. For messages that quote what an API said."""
    for secret in sorted(_secret_texts(value), key=len, reverse=True):
        text = text.replace(secret, "[secret]")
    return text


def _secret_texts(value: Any) -> tuple[str, ...]:
    found: set[str] = set()
    for secret in _secrets(value):
        for leaf in _leaves(secret.value):
            if isinstance(leaf, str) and len(leaf) >= SHORTEST_TRACED_SECRET:
                found.add(leaf)
                found.add(base64.b64encode(leaf.encode()).decode())
    return tuple(found)


def _secrets(value: Any) -> Iterator[Secret]:
    if isinstance(value, Secret):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _secrets(item)
    elif isinstance(value, list):
        for item in value:
            yield from _secrets(item)


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, Secret):
        yield from _leaves(value.value)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    else:
        yield value
