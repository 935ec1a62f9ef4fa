"""Properties keep their meaning on the wire, and secrets stay secret whatever shape they are in."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from google.protobuf import json_format, struct_pb2
from hypothesis import given
from hypothesis import strategies as st

from madeploy.sandbox.plugins import properties
from madeploy.sandbox.plugins.kubernetes import objects
from madeploy.sandbox.plugins.properties import (
    UNKNOWN,
    Secret,
    decode,
    encode,
    has_secret,
    keep_secret,
    plain,
)

keys = st.text("abcdefgh.-/_", min_size=1, max_size=6)
scalars = st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8) | st.floats(-1e6, 1e6)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3) | inner.map(Secret),
    max_leaves=12,
)
canaries = st.integers(0, 10**6).map(lambda number: f"canary{number:07d}")
with_canaries = st.recursive(
    scalars | canaries.map(Secret),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3) | inner.map(Secret),
    max_leaves=12,
)


def visible(value: Any) -> str:
    """All that can be read of a value without opening a secret."""
    if isinstance(value, Secret):
        return ""
    if isinstance(value, dict):
        return " ".join(f"{key} {visible(item)}" for key, item in value.items())
    if isinstance(value, list):
        return " ".join(map(visible, value))
    return str(value)


def secret_strings(value: Any, inside: bool = False) -> list[str]:
    if isinstance(value, Secret):
        return secret_strings(value.value, inside=True)
    if isinstance(value, dict):
        return [text for item in value.values() for text in secret_strings(item, inside)]
    if isinstance(value, list):
        return [text for item in value for text in secret_strings(item, inside)]
    return [value] if inside and isinstance(value, str) and value.startswith("canary") else []


def flattened(value: Any) -> Any:
    """Secrets in secrets are one secret, and the wire has one kind of number."""
    if isinstance(value, Secret):
        inner = flattened(value.value)
        return inner if isinstance(inner, Secret) else Secret(inner)
    if isinstance(value, dict):
        return {key: flattened(item) for key, item in value.items()}
    if isinstance(value, list):
        return [flattened(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


@given(st.dictionaries(keys, values, max_size=4))
def test_what_is_encoded_is_decoded_again(value: dict[str, Any]) -> None:
    """Both directions of the wire form agree, secrets and lists in maps included."""
    assert decode(encode(value)) == flattened(value)


@given(st.dictionaries(keys, with_canaries, max_size=4))
def test_an_api_that_answers_with_the_inputs_shows_no_secret(inputs: dict[str, Any]) -> None:
    """S2: every secret of the inputs is inside a secret of the outputs."""
    outputs = keep_secret(plain(inputs), inputs)
    assert plain(outputs) == plain(inputs)
    shown = visible(outputs)
    for text in secret_strings(inputs):
        assert text not in shown


@given(st.dictionaries(keys, with_canaries, max_size=4))
def test_a_secret_that_the_api_moved_is_still_hidden(inputs: dict[str, Any]) -> None:
    """S2: copies in other fields, in base64 and within longer texts are found by their value."""
    secrets = secret_strings(inputs)
    encoded = [base64.b64encode(text.encode()).decode() for text in secrets]
    outputs = keep_secret(
        {"status": {"log": [f"got {text}!" for text in secrets], "data": {"x": encoded}}, "k": secrets},
        inputs,
    )
    shown = visible(outputs)
    for text in (*secrets, *encoded):
        assert text not in shown


@given(st.dictionaries(keys, with_canaries, max_size=4), st.text("abc", min_size=1))
def test_the_state_of_an_object_shows_no_secret(inputs: dict[str, Any], name: str) -> None:
    """S2: neither the live part of the state nor the inputs kept beside it."""
    inputs = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, **inputs}
    state = objects.checkpoint(inputs, plain(inputs), "v1", "manager")
    shown = visible(state)
    for text in secret_strings(inputs):
        assert text not in shown
    kept, live = objects.parsed_checkpoint(state)
    assert plain(kept) == plain(inputs) == live


@given(st.dictionaries(keys, with_canaries, max_size=4))
def test_messages_are_redacted(inputs: dict[str, Any]) -> None:
    """An API's refusal quotes the value it refuses."""
    for text in secret_strings(inputs):
        told = properties.redacted(f'Invalid value: "{text}"', inputs)
        assert text not in told
        assert "[secret]" in told


def test_contents_of_a_kubernetes_secret_are_secret_even_where_nobody_said_so() -> None:
    """REG-2: tokens are put into Secrets by the cluster, so no input marks them."""
    live = {
        "kind": "Secret",
        "data": {"token": "dG9rZW4="},
        "metadata": {"annotations": {objects.LAST_APPLIED: '{"data":{"token":"dG9rZW4="}}', "other": "kept"}},
        "items": [{"kind": "Secret", "stringData": {"a": "b"}}],
    }
    shielded = objects.shielded(live)
    assert "dG9rZW4=" not in visible(shielded)
    assert "kept" in visible(shielded)
    assert shielded["items"][0]["stringData"] == Secret({"a": "b"})


def test_a_secret_does_not_show_itself() -> None:
    """Secrets end up in exceptions and debuggers by `repr`."""
    assert "hidden" not in repr({"a": [Secret("hidden")]})


def test_unknown_values_of_every_type_are_recognised() -> None:
    """The engine has one sentinel for each type it expects; a plugin answers with the string's."""
    struct = struct_pb2.Struct()
    for number, sentinel in enumerate(sorted(properties.UNKNOWN_SENTINELS)):
        struct.fields[f"k{number}"].string_value = sentinel
    decoded = decode(struct)
    assert len(decoded) == 7
    assert all(value is UNKNOWN for value in decoded.values())
    assert encode({"a": UNKNOWN}).fields["a"].string_value == properties.UNKNOWN_STRING


def test_keys_without_a_value_are_left_out() -> None:
    """`null` in a program means: not set."""
    struct = struct_pb2.Struct()
    json_format.ParseDict({"a": None, "b": {"c": None, "d": 1}, "e": [None, 2]}, struct)
    assert decode(struct) == {"b": {"d": 1}, "e": [None, 2]}


def test_files_are_refused() -> None:
    """Assets and archives would have to be read and sent; the message says what is wrong."""
    struct = encode({"file": {properties.SIGNATURE_KEY: "c44067f5952c0a294b673a41bacd8c17", "path": "x"}})
    with pytest.raises(properties.UnsupportedValueError, match="asset"):
        decode(struct)


def test_a_marker_in_the_wire_form_is_what_the_engine_expects() -> None:
    """The signatures are the protocol's, not ours."""
    wire = json.loads(json_format.MessageToJson(encode({"a": Secret("b")})))
    assert wire == {
        "a": {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "value": "b"}
    }
    assert has_secret(decode(encode({"a": [Secret("b")]})))
