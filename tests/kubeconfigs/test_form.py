"""The form of a kubeconfig is checked as its schema says, as jsonschema would check it."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from madeploy.kubeconfigs.document import LISTS, Document, form
from madeploy.schemas.files import Schema, schema
from tests.kubeconfigs.documents import document

CHECKED = {"type", "properties", "items", "required", "minLength"}
"""Keywords of JSON Schema that the check knows."""

SCALARS = st.one_of(st.booleans(), st.integers(), st.sampled_from(["", "x", "true"]))
VALUES = st.one_of(SCALARS, st.lists(SCALARS, max_size=2), st.dictionaries(st.just("name"), SCALARS))


def schemas(within: Schema) -> list[Schema]:
    """A schema and all that stand in it."""
    inner = [*within.get("properties", {}).values(), *([within["items"]] if "items" in within else [])]
    return [within, *(found for each in inner for found in schemas(each))]


def test_the_schema_says_nothing_that_is_not_checked() -> None:
    """REG-1: a keyword added there has to be added to the check."""
    for each in schemas(schema("kubeconfig")):
        assert each.keys() <= CHECKED
        assert each.get("minLength", 1) == 1
        assert set(each.get("required", ())) <= each.get("properties", {}).keys()


@st.composite
def misshapen(draw: st.DrawFn) -> dict[str, Any]:
    """A kubeconfig in which some values are others."""
    data = document()
    for kind, body in LISTS.items():
        entry = data[kind][0]
        fields = schema("kubeconfig")["properties"][kind]["items"]["properties"][body]["properties"]
        for key in draw(st.lists(st.sampled_from(sorted(fields)), max_size=2)):
            entry[body][key] = draw(VALUES)
        if draw(st.booleans()):
            entry["name"] = draw(VALUES)
        if draw(st.booleans()):
            entry[body] = draw(VALUES)
        if draw(st.booleans()):
            del entry[draw(st.sampled_from(sorted(entry)))]
        if draw(st.booleans()):
            data[kind] = draw(st.one_of(st.just([entry, *draw(st.lists(VALUES, max_size=1))]), SCALARS))
    return data


@given(misshapen())
def test_as_many_values_are_refused_as_jsonschema_refuses(data: dict[str, Any]) -> None:
    """REG-1: each value of a wrong type, and each missing name."""
    refused = list(Draft202012Validator(schema("kubeconfig")).iter_errors(data))
    found = [
        item
        for item in form(Document("FILE", data))
        if (item.code, item.severity) == ("MA412", "error") and "neither clusters" not in item.evidence
    ]
    assert len(found) == len(refused)
