"""The form of a kubeconfig is what its schema says."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from madeploy.kubeconfigs.document import LISTS, parse
from madeploy.schemas.files import schema

VALUES: dict[str, list[Any]] = {
    "string": ["x"],
    "boolean": [True],
    "array": [[]],
    "object": [{}],
}
FIELDS = [
    (kind, name, field["type"])
    for kind, body in LISTS.items()
    for name, field in schema("kubeconfig")["properties"][kind]["items"]["properties"][body][
        "properties"
    ].items()
]


def said(data: Any) -> list[tuple[str, str]]:
    """Severity and subject of every finding about the form."""
    _, findings = parse(yaml.safe_dump(data).encode(), "x")
    return [(finding.severity, finding.subject) for finding in findings]


def test_it_is_a_json_schema() -> None:
    """REG-2."""
    Draft202012Validator.check_schema(schema("kubeconfig"))


@pytest.mark.parametrize(("kind", "name", "expected"), FIELDS, ids=lambda value: str(value))
def test_every_field_takes_its_type_or_null_and_no_other(kind: str, name: str, expected: str) -> None:
    """REG-2, UX-3: at the field, with its entry's name."""
    for given_type, values in VALUES.items():
        data = {kind: [{"name": "east", LISTS[kind]: {name: values[0]}}]}
        assert said(data) == ([] if given_type == expected else [("error", f"{kind}[east].{name}")])
    assert said({kind: [{"name": "east", LISTS[kind]: {name: None}}]}) == []


JUNK: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", *LISTS, *LISTS.values(), "server", "servr"]), inner, max_size=4
        )
    ),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from([*LISTS, "kind", "users", "preferences"]), JUNK, max_size=4))
def test_whatever_a_kubeconfig_holds_is_reported_and_never_a_failure(data: Any) -> None:
    """UX-3."""
    for severity, subject in said(data):
        assert severity in ("error", "warning")
        assert subject
