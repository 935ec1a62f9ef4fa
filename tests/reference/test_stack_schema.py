"""Schema, example and references: generated, in step, and true."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import HealthCheck, given, settings

from madeploy.cli.schema import generated, stale
from madeploy.reference.configuration import configuration_reference
from madeploy.reference.example import MODELINE, everything, example_stack
from madeploy.reference.stack_schema import stack_schema
from madeploy.settings import Environment, shape
from madeploy.settings.base import Section
from madeploy.settings.environment import SECRET_KEYS
from madeploy.stackfile.loader import load_environment
from tests.support.stacks import stack_text
from tests.support.strategies import environments

ROOT = Path(__file__).parents[2]
VARIANTS = [
    {},
    {"tls": "internalCa", "frontDoor": "gatewayApi", "workflow": "temporal", "storage": "s3Compatible"},
    {"tls": "provided", "storage": "existing"},
    {"tls.solver": "dns01Route53", "storage.identity": "podIdentity"},
]


@cache
def _validator() -> jsonschema.Draft7Validator:
    return jsonschema.Draft7Validator(stack_schema())


def _errors(text: str) -> list[str]:
    return [error.message for error in _validator().iter_errors(yaml.safe_load(text))]


def test_generated_files_are_up_to_date() -> None:
    """CARD-5: `bin/madeploy schema` was run after the last change of a setting."""
    assert stale(ROOT) == []


def test_a_changed_file_is_noticed(tmp_path: Path) -> None:
    """CARD-5: missing and edited files are both out of date."""
    for name, text in generated().items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert stale(tmp_path) == []
    (tmp_path / "stacks/schema.json").write_text("{}", encoding="utf-8")
    (tmp_path / "docs/findings.md").unlink()
    assert stale(tmp_path) == ["stacks/schema.json", "docs/findings.md"]


def test_the_schema_is_a_schema() -> None:
    """CARD-5: draft 7, every reference resolves, every section is closed."""
    document = stack_schema()
    jsonschema.Draft7Validator.check_schema(document)
    text = json.dumps(document)
    for name in document["$defs"]:
        assert f'"#/$defs/{name}"' in text, name
    for definition in document["$defs"].values():
        assert definition["additionalProperties"] is False


@pytest.mark.parametrize("path", sorted((ROOT / "stacks").glob("Pulumi.*.yaml")), ids=lambda path: path.name)
def test_every_stack_in_the_project_is_valid(path: Path) -> None:
    """CARD-5: by the schema, by `validate`, and with the editors' first line."""
    text = path.read_text(encoding="utf-8")
    assert _errors(text) == []
    assert [finding for finding in load_environment(path).findings if finding.severity == "error"] == []
    assert text.splitlines()[0] == MODELINE


@given(environments())
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_schema_accepts_what_the_settings_accept(data: dict[str, Any]) -> None:
    """CARD-5: an editor never marks a valid file."""
    config = {f"michelangelo:{key}": value for key, value in data.items()}
    assert list(_validator().iter_errors({"config": config})) == []


@pytest.mark.parametrize(
    "sections",
    [
        {"domains": {"api": "api.example.com"}},
        {"domians": {}},
        {"domains": {"api": "api.example.com", "app": "app.example.com", "apiHost": "x"}},
        {"tls": {"mode": "letsencrypt"}},
        {"tls": {"mode": "provided", "email": "platform@example.com"}},
        {"frontDoor": {"className": "nginx"}},
        {"controlPlane": {"ui": {"replicas": 0}}},
        {"controlPlane": {"controllermgr": {"config": {"controllermgr": {"leaderElectionNamespace": "x"}}}}},
        {"controlPlane": {"worker": {"config": {"minio": {"awsSecretAccessKey": "x"}}}}},
        {"kubeconfigs": {"control-plane": "plain"}},
        {"objectStore": {"accessKeyId": {"secure": "v1:x"}}},
        {"clusters": {"gpu": {"skus": [{"cpu": 1}]}}},
    ],
)
def test_the_schema_refuses_what_can_be_said_in_it(sections: dict[str, Any]) -> None:
    """CARD-5: typos, wrong variants, plain secrets and unread service keys are marked while typing."""
    assert _errors(stack_text()) == []
    assert _errors(stack_text(sections)) != []


@pytest.mark.parametrize("choices", VARIANTS)
def test_every_example_value_is_accepted(choices: dict[str, str]) -> None:
    """CARD-5: the example's commented values too, in every variant."""
    data = json.dumps(everything(choices))
    environment = Environment.model_validate_json(data, strict=True, by_alias=True, by_name=False)
    assert environment_values(environment)


def environment_values(environment: Environment) -> dict[str, Any]:
    return environment.model_dump(mode="json", by_alias=True)


def test_every_field_is_in_the_schema_the_example_and_the_reference() -> None:
    """CARD-5: a field is written by hand in its settings module and in the builder that uses it; these
    three follow."""
    text, reference, example = json.dumps(stack_schema()), configuration_reference(), example_stack()
    for path, section, key in shape.walk(Environment):
        assert shape.meaning(section, key), f"{'.'.join(path)} has no docstring"
        assert f'"{key}"' in text or f'"michelangelo:{key}"' in text
        assert f"| `{key}` |" in reference or f"## `michelangelo:{key}" in reference
        assert f"{key}:" in example
    for key in SECRET_KEYS:
        assert f"michelangelo:{key}" in text
        assert f"michelangelo:{key}" in reference
        assert f"michelangelo:{key}" in example


def test_a_new_field_needs_nothing_but_its_module() -> None:
    """CARD-5: the recipe of the design's table, carried out."""

    class Recipe(Section):
        """A section that nobody has seen before."""

        new_field: int = 5
        """Number of new things. Default 5."""

    key = next(iter(shape.fields(Recipe)))
    assert key == "newField"
    assert shape.field_shape(Recipe, key).accepts == "a whole number"
    assert shape.meaning(Recipe, key) == "Number of new things. Default 5."
    assert Recipe.model_json_schema()["properties"]["newField"]["default"] == 5
    assert Recipe(new_field=7).to_yaml_data() == {"newField": 7}
