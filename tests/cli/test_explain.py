"""`madeploy explain`: derived from the models and from what is rendered."""

from __future__ import annotations

import json
from typing import Any

import pytest

from madeploy.plan.differences import differences
from madeploy.reference.effects import Effect, between, rendered
from madeploy.reference.keys import find_key
from madeploy.settings import Environment, shape
from tests.cli.conftest import Run
from tests.support.environments import minimal
from tests.support.proves import proves

pytestmark = pytest.mark.whole


def explained(run: Run, key: str) -> dict[str, Any]:
    result = run("explain", key, "--json")
    assert result.exit_code == 0, result.output
    data: dict[str, Any] = json.loads(result.stdout)
    return data


def fields(data: dict[str, Any]) -> set[tuple[str, str, str]]:
    return {(row["object"], row["field"], row["when"]) for row in data["endsUpIn"]}


@proves("NET-8")
def test_a_domain_ends_up_where_the_guide_says(run: Run) -> None:
    """NET-8: Ingress, certificate, and the worker's address when it uses the public one."""
    data = explained(run, "domains.api")
    assert data["default"] == "required"
    found = fields(data)
    assert ("Ingress ma-system/michelangelo-apiserver", "spec.rules[0].host", "") in found
    assert ("Ingress ma-system/michelangelo-apiserver", "spec.tls[0].hosts[0]", "") in found
    assert (
        "ConfigMap ma-system/michelangelo-worker-config",
        'data["base.yaml"].worker.address',
        "controlPlane.worker.apiAccess is public",
    ) in found


def test_conditions_are_found_by_trying(run: Run) -> None:
    """NET-12: the egress networks matter to self-managed clusters only."""
    data = explained(run, "network.egressCidrs")
    assert [(row["object"], row["when"]) for row in data["endsUpIn"]] == [
        (
            "NetworkPolicy kube-system/allow-michelangelo-controller",
            "clusters.<name>.management is selfManaged",
        )
    ]


@pytest.mark.parametrize("key", ["domains", "controlPlane.worker"])
def test_a_section_ends_up_where_its_keys_do(run: Run, key: str) -> None:
    """UX-3: with the conditions of each; what holds always for one of them holds for the section."""
    section = explained(run, key)
    of_keys = [row for name in section["keys"] for row in explained(run, f"{key}.{name}")["endsUpIn"]]

    def conditions(rows: list[dict[str, str]]) -> dict[tuple[str, ...], set[str]]:
        found: dict[tuple[str, ...], set[str]] = {}
        for row in rows:
            found.setdefault((row["cluster"], row["object"], row["field"]), set()).add(row["when"])
        return found

    whole, parts = conditions(section["endsUpIn"]), conditions(of_keys)
    assert whole.keys() == parts.keys()
    assert all(when <= parts[place] for place, when in whole.items())
    assert all(when == {""} for place, when in whole.items() if "" in parts[place])


@pytest.mark.parametrize(
    ("key", "canonical"),
    [
        ("michelangelo:cors.additionalOrigins[0]", "michelangelo:cors.additionalOrigins"),
        ("clusters.gpu-1.server", "michelangelo:clusters.<name>.server"),
        ("clusters.NAME.skus.cpu", "michelangelo:clusters.<name>.skus[].cpu"),
        ('clusters["gpu-1"].region', "michelangelo:clusters.<name>.region"),
        ("images.pullPolicy", "michelangelo:images.pullPolicy"),
    ],
)
def test_keys_are_found_as_people_write_them(run: Run, key: str, canonical: str) -> None:
    """UX-3: with and without namespace, names and positions."""
    assert explained(run, key)["key"] == canonical


def test_every_key_is_found_by_its_own_path() -> None:
    """UX-3: no key without an explanation."""
    for path, section, key in shape.walk(Environment):
        dotted = ".".join(step for step in path if "=" not in step and step != "[]").replace("<name>", "x")
        assert any(match.section is section and match.path[-1] == key for match in find_key(dotted)), dotted


@pytest.mark.parametrize("key", ["workflow.tls", "workflow.host", "workflow.domain"])
def test_what_a_key_means_for_each_engine_is_said(run: Run, key: str) -> None:
    """UX-3, CP-3: what holds for the one does not hold for the other."""
    told = explained(run, key)["description"].splitlines()
    assert [line.partition(":")[0] for line in told] == [
        "Where workflow is cadence",
        "Where workflow is temporal",
    ]
    assert all("Temporal" in line or "Cadence" in line or "engine" in line for line in told)


def test_variants_are_named(run: Run) -> None:
    """UX-3: where a key stands says when it can be used."""
    assert explained(run, "tls.email")["variants"] == [{"tls": "acme"}]
    assert len(explained(run, "workflow.host")["variants"]) == 2


def test_a_key_that_changes_no_object_says_so(run: Run) -> None:
    """UX-3: nothing is made up."""
    assert explained(run, "storage.protect")["endsUpIn"] == []
    assert "no field of a Kubernetes object" in run("explain", "storage.protect").stdout


def test_secrets_are_explained_too(run: Run) -> None:
    """UX-3: what they are and how they are written, never what is in them."""
    assert "encrypted" in explained(run, "objectStore.accessKeyId")["accepted"]


@pytest.mark.parametrize(
    ("key", "guess"), [("domain.api", "domains.api"), ("images.pullpolicy", "images.pullPolicy")]
)
def test_an_unknown_key_gets_a_guess(run: Run, key: str, guess: str) -> None:
    """UX-3, UX-2: wrong use ends with 2."""
    result = run("explain", key)
    assert result.exit_code == 2
    assert f'Did you mean "{guess}"?' in result.output


def test_differences_look_into_files() -> None:
    """UX-3: a field inside a ConfigMap's YAML is named, not the whole file."""
    before = {"data": {"base.yaml": "a: 1\nb:\n  - x\n"}, "same": 1, "list": [1, 2]}
    after = {"data": {"base.yaml": "a: 1\nb:\n  - y\n"}, "same": 1, "list": [1]}
    found = [difference.dotted for difference in differences(before, after)]
    assert found == ['data["base.yaml"].b[0]', "list"]


def test_objects_that_only_one_has_are_whole() -> None:
    """UX-3: an object that appears is one effect."""
    old = rendered(minimal())
    identity = next(iter(old))
    new = {key: value for key, value in old.items() if key != identity}
    assert between(old, new) == {Effect(identity, "the whole object")}
