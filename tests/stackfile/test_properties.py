"""What holds for every environment there can be."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from madeploy.findings import CODES, Finding
from madeploy.settings import Environment
from madeploy.settings.origins import Origin, parse_origin
from madeploy.stackfile.loader import InvalidStack, environment_from_config, load_environment
from manifests.catalog import objects
from manifests.objects import to_yaml
from tests.support import strategies
from tests.support.strategies import environments

ORIGIN: TypeAdapter[str] = TypeAdapter(Origin)
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
EXAMPLES = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


def environment_of(data: dict[str, Any]) -> Environment:
    return Environment.model_validate_json(json.dumps(data), strict=True, by_alias=True, by_name=False)


@given(environments())
@EXAMPLES
def test_every_environment_survives_dump_and_load(data: dict[str, Any]) -> None:
    """CARD-5: what is written anew says the same."""
    environment = environment_of(data)
    assert environment_of(environment.to_yaml_data()) == environment
    assert environment_of(yaml.load(to_yaml(environment.to_yaml_data()), Loader=LOADER)) == environment
    everything = environment.model_dump(mode="json", by_alias=True)
    assert environment_of(everything) == environment


@given(environments())
@EXAMPLES
def test_every_environment_renders(data: dict[str, Any]) -> None:
    """CARD-4, CP-6: no combination of settings stops a builder, and its objects are plain data."""
    rendered = objects(environment_of(data))
    assert rendered
    for item in rendered:
        assert yaml.load(to_yaml(item), Loader=LOADER) == item


@given(data=environments())
@EXAMPLES
def test_a_stack_file_and_the_engine_say_the_same(
    tmp_path_factory: pytest.TempPathFactory, data: dict[str, Any]
) -> None:
    """UX-3, CARD-3: the file as read by us gives the environment that the engine's configuration gives,
    or the same refusal."""
    path = tmp_path_factory.mktemp("stack") / "Pulumi.prod.yaml"
    path.write_text(to_yaml({"config": {f"michelangelo:{k}": v for k, v in data.items()}}))
    stack = load_environment(path)
    assert {finding.code for finding in stack.findings} <= set(CODES)
    if stack.environment is None:
        with pytest.raises(InvalidStack) as refusal:
            environment_from_config(data, {}, path)
        assert str(refusal.value) == stack.text
    else:
        assert environment_from_config(data, {}, path) == stack.environment


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def _paths(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    steps = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [path, *(inner for step, value in steps for inner in _paths(value, (*path, step)))]


@given(data=environments(), damage=JSON, key=st.text(max_size=8) | st.just("kind"), pick=st.data())
@settings(parent=EXAMPLES, max_examples=100)
def test_no_damage_to_a_stack_raises(
    data: dict[str, Any], damage: Any, key: str, pick: st.DataObject
) -> None:
    """UX-3: whatever is put wherever, the answer is findings: an error, or an environment."""
    path = pick.draw(st.sampled_from(_paths(data)))
    holder: Any = data
    for step in path:
        holder = holder[step]
    if isinstance(holder, dict):
        holder[key] = damage
    elif isinstance(holder, list):
        holder.append(damage)
    else:
        assume(len(path) > 0)
        parent: Any = data
        for step in path[:-1]:
            parent = parent[step]
        parent[path[-1]] = damage
    findings = _refusal(data)
    assert all(finding.code in CODES for finding in findings)
    assert not findings or any(finding.severity == "error" for finding in findings)


def _refusal(data: dict[str, Any]) -> tuple[Finding, ...]:
    try:
        environment_from_config(data, {}, None)
    except InvalidStack as refusal:
        return refusal.findings
    return ()


@given(strategies.origins)
def test_normalising_an_origin_again_changes_nothing(origin: str) -> None:
    """NET-3: one spelling for each origin."""
    once = ORIGIN.validate_python(origin)
    assert ORIGIN.validate_python(once) == once
    assert parse_origin(once) == parse_origin(origin)


@given(st.text(max_size=40))
def test_no_text_makes_an_origin_that_is_no_origin(text: str) -> None:
    """NET-3: what is accepted has a scheme, a host, and nothing that a regular expression would read."""
    try:
        origin = ORIGIN.validate_python(text)
    except ValueError:
        return
    assert origin.startswith(("https://", "http://"))
    assert not set(origin) & set("^$()[]{}|\\+? ")
