"""YAML as Pulumi reads it, with places."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from madeploy.documents.nodes import MAX_DEPTH, MAX_ITEMS, UnreadableError, compose, resolve
from madeploy.documents.text import dump

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(JSON.filter(lambda data: not (isinstance(data, str) and not data)))
def test_what_was_dumped_is_read_again(data: Any) -> None:
    """CARD-5: plain data in, the same plain data out, keys `<<` excepted; for YAML 1.1 readers too."""
    text = dump(data)
    if "<<" in text:
        return
    node, problems = compose(text.encode())
    assert problems == []
    assert (None if node is None else node.data()) == data
    assert yaml.safe_load(text) == data


@pytest.mark.parametrize("text", ["0E0", "12e5", "0o17", "1e+3", "-1e3", "y", "N"])
def test_text_that_another_reader_takes_for_something_else_is_written_in_quotes(text: str) -> None:
    """CARD-4, CARD-5, ACC-1: a tag of digits and an e for one, a group called `y` for another."""
    assert dump({"tag": text}) == f"tag: '{text}'\n"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"), ("on", "on"), ("12:30", "12:30"), ("2026-01-01", "2026-01-01"), ("true", True),
        ("False", False), ("null", None), ("~", None), ("", None), ("017", 15), ("0o17", 15), ("0x1F", 31),
        ("-0b11", -3), ("1_000", 1000), ("09", 9.0), ("1.10", 1.1), (".5", 0.5), ("1e3", 1000.0), ("-", "-"),
        (".", "."), ("1.2.3", "1.2.3"), ("+1", 1), ("0", 0), (".inf", ".inf"), (".nan", ".nan"),
        ("9" * 100, "9" * 100),
    ],
)  # fmt: skip
def test_plain_scalars_mean_what_pulumi_reads(text: str, value: Any) -> None:
    """CARD-3: YAML 1.2's core schema with YAML 1.1's octal, as Go's reader has it; no sexagesimals, no
    dates, no `yes`."""
    found = resolve(text)
    assert found == value
    assert type(found) is type(value)


def test_quoted_scalars_stay_text() -> None:
    """CARD-5: quotes are how an operator says that something is text."""
    node, _ = compose(b"a: '1'\nb: \"true\"\nc: !!str 5\nd: |\n  7\n")
    assert node is not None
    assert node.data() == {"a": "1", "b": "true", "c": "5", "d": "7\n"}


def test_places_are_those_of_an_editor() -> None:
    """UX-3: lines and columns count characters, in every form of line end."""
    for end in ("\n", "\r\n"):
        node, _ = compose(f"é: 1{end}b:{end}  - ü: x{end}".encode())
        assert node is not None
        item = node.value["b"][1].value[0]
        key, value = item.value["ü"]
        assert (key.line, key.column, value.column) == (2, 4, 7)


def test_an_alias_is_its_anchors_value() -> None:
    """CARD-5: aliases repeat whole values."""
    node, problems = compose(b"a: &x {b: [1]}\nc: *x\n")
    assert problems == []
    assert node is not None
    assert node.data() == {"a": {"b": [1]}, "c": {"b": [1]}}
    assert node.value["c"][1].line == 1


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a: " + "[" * (MAX_DEPTH + 2) + "]" * (MAX_DEPTH + 2), "MA105"),
        ("a: [" + "x," * (MAX_ITEMS + 1) + "]", "MA105"),
        ("".join(f"k{i}: 1\n" for i in range(MAX_ITEMS + 1)), "MA105"),
        ("a: *nowhere", "MA104"),
        ("a: &x [*x]", "MA104"),
        ("a: [1", "MA104"),
        ("a: 'x", "MA104"),
    ],
)
def test_what_cannot_be_read_names_its_place(text: str, code: str) -> None:
    """UX-3: syntax errors and limits, as one problem."""
    with pytest.raises(UnreadableError) as refusal:
        compose(text.encode())
    assert refusal.value.problem.code == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a: 1\na: 2\n", "MA107"),
        ("a: 1\n---\nb: 2\n", "MA106"),
        ("<<: {a: 1}\n", "MA106"),
        ("? [a]\n: 1\n", "MA106"),
        ("a: !!binary aGVsbG8=\n", "MA106"),
        ("a: !custom {}\n", "MA106"),
        ("a: !!python/object:os.system []\n", "MA106"),
    ],
)
def test_what_is_refused_leaves_the_rest_readable(text: str, code: str) -> None:
    """UX-3: these are collected, so that others are seen as well."""
    node, problems = compose(text.encode())
    assert node is not None
    assert [problem.code for problem in problems] == [code]
