"""The platform's kinds stand in one place, and everything that judges their shape reads it there."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from madeploy.registry.lint import KINDS, lint
from madeploy.sandbox import objects
from madeploy.schemas import kubeconform, platform
from manifests import catalog
from policies.rules.model import Resource
from policies.rules.platform import RULES
from tests.registry.manifests import GOOD
from tests.support import environments

FILES = sorted(platform.DEFINITIONS.glob("*.yaml"))


def test_the_embedded_control_plane_defines_them_by_the_same_files() -> None:
    """REG-4, MR-3."""
    defined = {item["metadata"]["name"]: item for item in objects.definitions(is_control_plane=True)}
    for definition in platform.definitions():
        assert defined[definition["metadata"]["name"]] == definition
    assert FILES


@pytest.mark.parametrize("kind", ["Cluster", *KINDS])
def test_shapes_and_needs_are_json_schemas_and_needs_speak_of_fields_there_are(kind: str) -> None:
    """MR-9: a need of a field that is not there would never be looked at."""
    shape, needs = platform.shape(kind), platform.needs(kind)
    Draft202012Validator.check_schema(shape)
    Draft202012Validator.check_schema(needs)

    def walk(need: dict[str, Any], schema: dict[str, Any]) -> None:
        for name, inner in need.get("properties", {}).items():
            walk(inner, schema["properties"][name])
        assert set(need.get("required", ())) <= set(schema.get("properties", {}))
        if "items" in need:
            walk(need["items"], schema["items"])

    walk(needs, shape)


def _clusters() -> list[dict[str, Any]]:
    placed = catalog.placed(environments.production_aws())
    return [obj for _, obj in placed if obj["kind"] == "Cluster"]


def _cluster_schema() -> Draft202012Validator:
    (found,) = [schema for schema in kubeconform.custom() if schema.kind == "Cluster"]
    return Draft202012Validator(found.schema)


def test_clusters_are_rendered_as_the_platform_defines_and_needs_them() -> None:
    """CARD-2, REG-4: an unknown field, another type and what no service works with are complaints."""
    validator = _cluster_schema()
    (first, *_) = _clusters()
    assert [*validator.iter_errors(first)] == []
    for path, value in (
        (("spec", "kubernetes", "rest", "hostname"), "x"),
        (("spec", "kubernetes", "rest", "port"), 6443),
        (("spec", "kubernetes", "rest", "host"), "compute.example.com"),
        (("spec", "dc"), "DC_TYPE_MOON"),
        (("metadata", "labels"), {"a": "b"}),
        (("metadata", "namespace"), "default"),
    ):
        wrong = copy.deepcopy(first)
        holder: dict[str, Any] = wrong
        for step in path[:-1]:
            holder = holder[step]
        holder[path[-1]] = value
        assert [*validator.iter_errors(wrong)], path


def _paths(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths of every named value below a `spec`."""
    if isinstance(data, dict):
        inner = [(*path, name) for name in data]
        return inner + [found for name in data for found in _paths(data[name], (*path, name))]
    if isinstance(data, list):
        return [found for index, item in enumerate(data) for found in _paths(item, (*path, index))]
    return []


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_lint_and_the_policies_say_the_same_of_fields_and_names(data: st.DataObject) -> None:
    """MR-9, CARD-1: whatever field is misspelt, added, or given another word."""
    item = data.draw(st.sampled_from(list(yaml.safe_load_all(GOOD))))
    path = data.draw(st.sampled_from(_paths(item["spec"])))
    holder = item["spec"]
    for step in path[:-1]:
        holder = holder[step]
    name = path[-1]
    change = data.draw(st.sampled_from(["snake", "other", "added", "word"]))
    if change == "snake":
        holder["".join(f"_{c.lower()}" if c.isupper() else c for c in name)] = holder.pop(name)
    elif change == "other":
        holder[f"{name}ish"] = holder.pop(name)
    elif change == "added":
        holder["zzz"] = 1
    elif isinstance(holder[name], str):
        holder[name] = holder[name].lower()
    linted = {f.code for f in lint("x.yaml", yaml.safe_dump(item).encode())} & {"MA353", "MA354", "MA356"}
    resource = Resource(f"kubernetes:michelangelo.api/v2:{item['kind']}", item, origin="file")
    by_code = {rule.code: rule for rule in RULES}
    judged = {code for code in ("MA590", "MA591") for _ in (by_code[code].check or iter)(resource)}
    same = {"MA353": "MA591", "MA354": "MA591", "MA356": "MA590"}
    assert {same[code] for code in linted} == judged
