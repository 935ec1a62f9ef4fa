"""Whatever a file of manifests holds is read: lists of every form, other kinds, hostile and empty ones."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from madeploy.registry.lint import KINDS, lint
from tests.registry.manifests import GOOD, codes, found


def test_lists_and_json_are_read_as_kubectl_prints_them() -> None:
    """MR-9."""
    documents = list(yaml.safe_load_all(GOOD))
    documents[0]["spec"]["revision_id"] = documents[0]["spec"].pop("revisionId")
    documents[0]["metadata"] |= {"uid": "u", "resourceVersion": "1", "managedFields": [{"manager": "x"}]}
    whole = {"apiVersion": "v1", "kind": "List", "items": documents}
    assert codes(json.dumps(whole, indent=1)) == ["MA353"]


NAMES = ("spec", "metadata", "name", "initSpec", "init_spec", "resourceSpec", "cpu", "kind", "labels", "x y")
"""Names of fields of every level, and some that are none."""


VALUES: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=12,
)


def listed(items: list[dict[str, Any]], **head: Any) -> str:
    return yaml.safe_dump({"metadata": {"resourceVersion": "1"}, **head, "items": items})


@pytest.mark.parametrize("version", ["v1", "michelangelo.api/v2"])
@pytest.mark.parametrize("bare", [False, True])
@pytest.mark.parametrize("number", [0, 1])
def test_a_typed_list_is_its_items(version: str, bare: bool, number: int) -> None:
    """MR-9: as the API answers it, and as kubectl reads items that say neither version nor kind."""
    item = list(yaml.safe_load_all(GOOD))[number]
    kind = item["kind"]
    if bare:
        del item["kind"], item["apiVersion"]
    assert codes(listed([item], apiVersion=version, kind=f"{kind}List")) == (
        ["MA352"] if bare and version == "v1" else []
    )
    item["spec"]["own_er"] = item["spec"].pop("owner")
    ((code, subject, place),) = found(listed([item], apiVersion="michelangelo.api/v2", kind=f"{kind}List"))
    assert (code, subject.split()[0]) == ("MA353", kind)
    assert place.startswith("x.yaml:")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (listed([], apiVersion="michelangelo.api/v2", kind="ModelList"), []),
        ("apiVersion: michelangelo.api/v2\nkind: PipelineList\nitems: [{metadata: {name: a}}]\n", ["MA351"]),
        ("apiVersion: apps/v1\nkind: DeploymentList\nitems: [{metadata: {name: a}}]\n", ["MA351"]),
        ("apiVersion: michelangelo.api/v2\nkind: ModelList\nitems:\n", []),
        ("apiVersion: michelangelo.api/v2\nkind: ModelList\n", []),
        ("apiVersion: michelangelo.api/v2\nkind: ModelList\nitems: {}\n", ["MA355"]),
        ("apiVersion: michelangelo.api/v2\nkind: ModelVersionList\nitems: []\n", ["MA352"]),
        ("apiVersion: v1\nkind: List\nitems: [{metadata: {name: a}}]\n", ["MA350"]),
        ("kind: List\nitems: [{apiVersion: v1, kind: List, items: [{kind: Pod}]}]\n", ["MA351"]),
    ],
)
def test_lists_of_every_kind_are_read(text: str, expected: list[str]) -> None:
    """MR-9: empty ones, other kinds', lists in lists; kinds that do not exist have no list."""
    assert codes(text) == expected


@given(st.sampled_from(sorted(KINDS)), VALUES)
def test_whatever_a_list_holds_is_reported_and_never_a_failure(kind: str, items: Any) -> None:
    """MR-9."""
    whole = {"apiVersion": "michelangelo.api/v2", "kind": f"{kind}List", "items": items}
    lint("x.yaml", yaml.safe_dump(whole, allow_unicode=True).encode("utf-8", "surrogatepass"))


def test_other_kinds_are_named_and_left_out() -> None:
    """MR-9: a note, no error."""
    text = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\n---\n" + GOOD
    assert codes(text) == ["MA351"]
    assert codes("apiVersion: michelangelo.api/v2\nkind: Project\n") == ["MA351"]


BOMB = "a: &a [x]\n" + "".join(f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]\n" for a, b in pairwise("abcdefgh"))
"""Five million values, written with aliases."""


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("kind: [", "MA104"),
        ("- a\n- b\n", "MA350"),
        ("just text", "MA350"),
        ("apiVersion: v1\n", "MA350"),
        ("kind: Model\nkind: Model\napiVersion: michelangelo.api/v2\nmetadata: {name: x}\n", "MA107"),
        ("kind: !!python/object:os.system x\n", "MA106"),
        (BOMB, "MA105"),
        ("[" * 100, "MA105"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_manifest_says_so(text: str, code: str) -> None:
    """MR-9, UX-3: hostile files included."""
    assert code in codes(text)


def test_what_is_not_text_says_so() -> None:
    """MR-9."""
    assert [finding.code for finding in lint("x", b"\xff\xfe\x00")] == ["MA104"]


def test_an_empty_file_has_no_findings() -> None:
    """MR-9."""
    assert found("") == []
    assert found("---\n---\n# nothing\n") == []


@given(st.sampled_from(sorted(KINDS)), VALUES, VALUES)
def test_whatever_an_object_holds_is_reported_and_never_a_failure(kind: str, spec: Any, meta: Any) -> None:
    """MR-9."""
    item = {"apiVersion": "michelangelo.api/v2", "kind": kind, "metadata": meta, "spec": spec}
    for finding in lint("x.yaml", yaml.safe_dump(item, allow_unicode=True).encode("utf-8", "surrogatepass")):
        assert finding.location is not None
        assert finding.fix
