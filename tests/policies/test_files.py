"""Files that anybody may have written: read within limits, with places, and no rule fails on them."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from madeploy.policy import files
from policies.rules.embedded import walk
from policies.rules.model import Path as ValuePath
from tests.policies.world import DATA, found, good

JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=4,
)


def _replaced(data: Any, path: ValuePath, value: Any) -> Any:
    changed = copy.deepcopy(data)
    inner = changed
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return changed


@settings(max_examples=20)
@given(data=st.data())
def test_no_shape_of_an_object_makes_a_rule_fail(data: st.DataObject) -> None:
    """UX-3: any value at any place of any object."""
    resources = good()
    index = data.draw(st.integers(0, len(resources) - 1))
    properties = dict(resources[index].properties)
    path = data.draw(st.sampled_from([path for path, _ in walk(properties) if path]))
    resources[index] = replace(resources[index], properties=_replaced(properties, path, data.draw(JUNK)))
    found(resources)


@settings(max_examples=20)
@given(data=st.data())
def test_no_shape_of_a_configuration_file_makes_a_rule_fail(data: st.DataObject) -> None:
    """UX-3: any value at any place of any file in a ConfigMap."""
    resources = good()
    named = [item for item in resources if "base.yaml" in item.properties.get("data", {})]
    chosen = data.draw(st.sampled_from(named))
    content = yaml.safe_load(chosen.properties["data"]["base.yaml"])
    path = data.draw(st.sampled_from([path for path, _ in walk(content) if path]))
    text = yaml.safe_dump(_replaced(content, path, data.draw(JUNK)))
    properties = {**chosen.properties, "data": {"base.yaml": text}}
    resources[resources.index(chosen)] = replace(chosen, properties=properties)
    found(resources)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(f"b{n}: &b{n} [*a,*a,*a]\n" for n in range(3)), None),
        (
            "a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n"
            + "".join(f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)),
            "MA380",
        ),
        ("[" * 500, "MA380"),
        ("kind: !!python/object/apply:os.system ['true']\napiVersion: v1\n", "MA381"),
        ("a: b: c\n", "MA380"),
        ("{{ .Values.name }}: {{ x }}\n", "MA380"),
        ("\x00", "MA380"),
    ],
)
def test_hostile_files_are_findings_within_limits(tmp_path: Path, text: str, code: str | None) -> None:
    """UX-3: bombs, nesting, tags and templates are named, and nothing is executed."""
    path = tmp_path / "file.yaml"
    path.write_text(text, encoding="utf-8")
    assert [finding.code for finding in files.read([tmp_path]).findings][:1] == ([code] if code else [])


def test_a_bomb_inside_a_config_map_costs_little() -> None:
    """UX-3: files in ConfigMaps are read within limits too."""
    bomb = "a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n" + "".join(
        f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
    )
    resources = good()
    chosen = next(item for item in resources if item.metadata.get("name") == "envoy-config")
    properties = {**chosen.properties, "data": {"envoy.yaml": "static_resources: {}\n" + bomb}}
    found([replace(chosen, properties=properties)])


def test_words_that_kubectl_reads_as_true_are_true(tmp_path: Path) -> None:
    """UX-3: YAML 1.1, as kubectl reads it: `privileged: yes` is privileged."""
    path = tmp_path / "pod.yaml"
    path.write_text(
        "apiVersion: v1\nkind: Pod\nspec:\n  containers: [{securityContext: {privileged: yes}}]\n",
        encoding="utf-8",
    )
    broken = {item.rule.name for item in found(files.read([path]).resources).found}
    assert "no-privileged-containers" in broken


def test_lists_and_several_documents_are_all_read(tmp_path: Path) -> None:
    """CARD-4: as kubectl takes them."""
    path = tmp_path / "all.yaml"
    config_map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\n"
    path.write_text(
        config_map % "a"
        + "---\n---\n# nothing\n---\napiVersion: v1\nkind: List\nitems:\n"
        + "- {apiVersion: v1, kind: ConfigMap, metadata: {name: b}}\n---\nreplicas: 2\n",
        encoding="utf-8",
    )
    (tmp_path / ".hidden.yaml").write_text("a: b: c", encoding="utf-8")
    reading = files.read([tmp_path])
    assert [item.subject for item in reading.resources] == ["ConfigMap/a", "ConfigMap/b"]
    assert (reading.files, reading.skipped, reading.findings) == (1, 1, [])


def test_a_place_is_that_of_the_value_or_of_the_nearest_one_above() -> None:
    """UX-3: file, line and column, counted from 1."""
    reading = files.read([DATA / "good.yaml"])
    first = reading.resources[0]
    lines = (DATA / "good.yaml").read_text(encoding="utf-8").splitlines()
    place = reading.place(first, ("spec", "template", "spec", "containers", 0, "image"))
    assert place is not None
    assert lines[place.line - 1][place.column - 1 :].startswith("image: ")
    above = reading.place(first, ("spec", "template", "spec", "containers", 0, "missing", 3))
    assert above is not None
    assert lines[above.line - 1][above.column - 1 :].startswith("name: main")


def test_clusters_of_a_rendered_tree_are_judged_apart(tmp_path: Path) -> None:
    """CARD-4: what one cluster has does not count for another; in other trees, folders mean nothing."""
    pdb = "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: a}\n"
    for folder in ("control-plane/10-a", "compute/east", "compute/west"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "a.yaml").write_text(pdb, encoding="utf-8")
    assert {item.cluster for item in files.read([tmp_path]).resources} == {""}
    (tmp_path / ".madeploy-render.json").write_text("{}", encoding="utf-8")
    assert [item.cluster for item in files.read([tmp_path]).resources] == ["east", "west", "control-plane"]


def test_a_place_inside_a_file_in_a_config_map_is_its_own_line() -> None:
    """UX-3: the key in the text after `|`; without it the nearest above."""
    path = DATA / "good.yaml"
    lines = path.read_text(encoding="utf-8").splitlines()
    reading = files.read([path])
    envoy = next(item for item in reading.resources if item.metadata.get("name") == "envoy-config")
    deep = ("data", "envoy.yaml", "static_resources", "clusters", 0, "name")
    for value_path, starts in (
        (deep, "name: michelangelo-apiserver"),
        ((*deep[:-1], "missing"), "name: michelangelo-apiserver"),
        (("data", "envoy.yaml"), "envoy.yaml: |"),
    ):
        place = reading.place(envoy, value_path)
        assert place is not None
        assert lines[place.line - 1][place.column - 1 :].startswith(starts)
