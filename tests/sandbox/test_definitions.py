"""The small definitions of custom resources agree with the platform's own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from madeploy.sandbox import objects
from madeploy.sandbox.environment import Environment
from madeploy.schemas import platform

PUBLISHED = Path(__file__).resolve().parents[3] / "shared" / "crds-0.12"
"""The platform's definitions; a checkout on its own does not have them beside it."""
PUBLISHED_BEFORE = PUBLISHED.parent / "crds"
"""The same of release 2026.04."""
SINCE_JULY = (".spec.schedulerType", ".spec.initSpec.servingSpec.image")
"""Fields of release 0.12 that its tree of July does not have."""

needs_published = pytest.mark.skipif(
    not PUBLISHED.is_dir(), reason=f"the platform's own definitions are not at {PUBLISHED}"
)

CLUSTER = {
    "apiVersion": "michelangelo.api/v2",
    "kind": "Cluster",
    "metadata": {"name": "compute-a", "namespace": "default"},
    "spec": {
        "dc": "DC_TYPE_ON_PREM",
        "region": "eu-west-1",
        "zone": "a",
        "sla": "SLA_TYPE_PRODUCTION",
        "kubernetes": {
            "rest": {
                "host": "https://compute-a.example.com",
                "port": "6443",
                "tokenTag": "cluster-compute-a-client-token",
                "caDataTag": "cluster-compute-a-ca-data",
            },
            "skus": [{"cpu": 8, "gpu": 1, "gpuSku": "a100", "memoryGb": "64", "diskSizeGb": "100"}],
        },
    },
}


def _ours() -> dict[str, dict[str, Any]]:
    definitions = {item["metadata"]["name"]: item for item in objects.definitions(is_control_plane=True)}
    return {name: item for name, item in definitions.items() if item["spec"]["group"] == "michelangelo.api"}


def _published() -> dict[str, dict[str, Any]]:
    found = (json.loads(path.read_text(encoding="utf-8")) for path in sorted(PUBLISHED.glob("*.json")))
    return {item["metadata"]["name"]: item for item in found}


def _schema(definition: dict[str, Any]) -> dict[str, Any]:
    schema: dict[str, Any] = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return schema


def _fields(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    for name, field in schema.get("properties", {}).items():
        yield f"{path}.{name}", field
        yield from _fields(field, f"{path}.{name}")
    if isinstance(items := schema.get("items"), dict):
        yield f"{path}[]", items
        yield from _fields(items, f"{path}[]")


@needs_published
def test_the_sandbox_defines_exactly_the_platform_s_kinds() -> None:
    """V21: fifteen kinds of `michelangelo.api`, irregular plurals included."""

    def identity(definition: dict[str, Any]) -> tuple[Any, ...]:
        spec = definition["spec"]
        versions = [(item["name"], item["served"], item["storage"]) for item in spec["versions"]]
        return spec["group"], spec["names"], spec["scope"], versions

    assert {name: identity(item) for name, item in _ours().items()} == {
        name: identity(item) for name, item in _published().items()
    }


@needs_published
@pytest.mark.parametrize("name", sorted(_ours()))
def test_every_field_the_sandbox_types_is_typed_the_same_by_the_platform(name: str) -> None:
    """REG-4, MR-3: what the sandbox accepts of these fields, the platform accepts."""
    ours, published = _schema(_ours()[name]), dict(_fields(_schema(_published()[name])))
    differing = {}
    for path, field in _fields(ours):
        if path.startswith(SINCE_JULY):
            continue
        theirs = published.get(path, {})
        for keyword in ("type", "format", "enum", "pattern", "additionalProperties"):
            if field.get(keyword) != theirs.get(keyword):
                differing[path] = (keyword, field.get(keyword), theirs.get(keyword))
    assert differing == {}


@needs_published
@pytest.mark.parametrize("plural", ["clusters", "models", "inferenceservers", "revisions"])
def test_the_kinds_that_checks_look_fields_up_in_are_typed_in_full(plural: str) -> None:
    """REG-4, MR-9: a field of the platform's that ours has not would be called dropped. The published
    definitions are of July; what came until October is known by its names."""
    name = f"{plural}.michelangelo.api"
    ours = {path for path, _ in _fields(_schema(_ours()[name]))}
    since = {path for path in ours if path.startswith(SINCE_JULY)}
    assert ours - since == {path for path, _ in _fields(_schema(_published()[name]))}


@pytest.mark.skipif(not PUBLISHED_BEFORE.is_dir(), reason="the platform's own definitions are not there")
@pytest.mark.parametrize("kind", ["cluster", "model", "inferenceserver", "revision"])
def test_shapes_of_the_earlier_release_are_its_own(kind: str) -> None:
    """REL-1, MR-9: fields of the one release are unknown to the other."""
    ours = {item["metadata"]["name"]: item for item in platform.definitions("2026.04")}
    theirs = json.loads((PUBLISHED_BEFORE / f"{kind}s.michelangelo.api.json").read_text(encoding="utf-8"))
    found = dict(_fields(_schema(ours[f"{kind}s.michelangelo.api"])))
    published = dict(_fields(_schema(theirs)))
    assert set(found) == set(published)
    assert [path for path in found if found[path].get("type") != published[path].get("type")] == []


@needs_published
@pytest.mark.parametrize("source", [_ours, _published], ids=["sandbox", "platform"])
def test_a_registration_is_valid_by_both_definitions_and_a_wrong_one_by_neither(source: Any) -> None:
    """REG-4: the registration shape of V5, and one with an unknown service level."""
    validator = jsonschema.Draft202012Validator(_schema(source()["clusters.michelangelo.api"]))
    validator.validate(CLUSTER)
    wrong = {**CLUSTER, "spec": {"sla": "GOLD"}}
    assert [error.json_path for error in validator.iter_errors(wrong)] == ["$.spec.sla"]


def test_a_running_api_server_takes_a_registration_and_refuses_a_wrong_one(environment: Environment) -> None:
    """REG-4: the definition in the cluster is the one the tests look at."""
    from kubernetes import client, config

    config_api = config.new_client_from_config(str(environment.kubeconfig), "control-plane")
    api = client.CustomObjectsApi(config_api)
    where = ("michelangelo.api", "v2", "default", "clusters")
    made = api.create_namespaced_custom_object(*where, CLUSTER, dry_run="All")
    assert made["spec"] == CLUSTER["spec"]
    with pytest.raises(client.ApiException) as refusal:
        api.create_namespaced_custom_object(
            *where, {**CLUSTER, "spec": {"sla": "GOLD"}}, dry_run="All", field_validation="Strict"
        )
    assert refusal.value.status == 422
