"""A dump of everything the platform holds, as `kubectl` can make it again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from madeploy.clusters.checks.identity import cluster_uid
from madeploy.errors import ToolkitError
from madeploy.upgrade import dump

HERE = "uid-of-kube-system"
SERVERS = {"uid": "1", "resourceVersion": "7", "managedFields": [], "creationTimestamp": "x", "generation": 2}
"""Fields that only an API server writes."""


def item(kind: str, name: str, space: str = "team-a", **metadata: Any) -> dict[str, Any]:
    return {
        "apiVersion": "michelangelo.api/v2",
        "kind": kind,
        "metadata": {"name": name, "namespace": space, **metadata},
    }


class ControlPlane:
    """An API server in memory: definitions, and objects by their plural."""

    def __init__(self, objects: dict[str, list[dict[str, Any]]]) -> None:
        self.objects = objects

    def get(self, path: str) -> dict[str, Any]:
        assert path == "/api/v1/namespaces/kube-system"
        return {"metadata": {"uid": HERE}}

    def items(self, path: str) -> Iterator[dict[str, Any]]:
        plural = path.rpartition("/")[2]
        if plural == "customresourcedefinitions":
            yield from ({"metadata": {"name": f"{name}.michelangelo.api"}} for name in self.objects)
        else:
            yield from self.objects[plural]


def kept(path: Path) -> list[str]:
    """Names of the objects of the platform's API in a dump."""
    items = json.loads(path.read_text())["items"]
    return [entry["metadata"]["name"] for entry in items if entry["apiVersion"] == "michelangelo.api/v2"]


def test_every_object_is_written_as_it_can_be_made_again(tmp_path: Path) -> None:
    """REL-3: of the kinds that are there; without what only an API server may write, after its namespace, and
    for its owner's eyes."""
    meaning = {"labels": {"a": "b"}, "annotations": {"c": "d"}, "finalizers": ["michelangelo/x"]}
    project = item("Project", "p", **SERVERS, **meaning, ownerReferences=[{}])
    project |= {"spec": {"tier": 1}, "status": {}}
    control_plane: Any = ControlPlane({"projects": [project]})
    path = tmp_path / "dump.json"
    found = dump.objects(control_plane)
    assert dump.write(path, found, cluster_uid(control_plane)) == dump.Written(1, 0)
    written = json.loads(path.read_text())
    assert written["kind"] == "List"
    namespace, again = written["items"]
    assert namespace == {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team-a"}}
    assert again == {**item("Project", "p", **meaning), "spec": {"tier": 1}, "status": {}}
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_what_was_deleted_since_stays_in_the_dump(tmp_path: Path) -> None:
    """REL-3: Revisions have to be deleted before the command goes on, and are nowhere else."""
    path = tmp_path / "dump.json"
    first = [item("Revision", "r1"), item("Project", "p", labels={"now": "no"})]
    assert dump.write(path, first, HERE) == dump.Written(2, 0)
    second = [item("Project", "p", labels={"now": "yes"}), item("Project", "q")]
    assert dump.write(path, second, HERE) == dump.Written(3, 1)
    assert kept(path) == ["p", "q", "r1"]
    assert '"now": "yes"' in path.read_text()


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"kind": "List", "items": []}', json.dumps({"controlPlane": "another"})]
)
def test_a_file_that_is_no_dump_of_this_control_plane_is_left_alone(tmp_path: Path, content: str) -> None:
    """REL-3, UX-3: two environments in one file could not be told apart again."""
    path = tmp_path / "dump.json"
    path.write_text(content)
    with pytest.raises(ToolkitError, match="Give another file") as refusal:
        dump.write(path, [item("Project", "p")], HERE)
    assert refusal.value.exit_code == 2
    assert path.read_text() == content


def test_a_dump_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    """UX-3."""
    with pytest.raises(ToolkitError, match="cannot be written"):
        dump.write(tmp_path / "no" / "such" / "folder.json", [], HERE)
