"""Which release an environment may go to, and what of its stack file changes with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from madeploy.errors import ToolkitError
from madeploy.releases import RELEASES
from madeploy.stackfile.loader import load_environment
from madeploy.stacks.files import edit
from madeploy.upgrade.target import edits, target
from tests.support.descriptors import OLD_FIELDS, chart, descriptor_set
from tests.support.environments import environment
from tests.support.stacks import stack_text

OLD: dict[str, Any] = {"platform": {"release": "2026.04"}, "images": {"tag": "sha-cbf5720"}}
NEW = RELEASES["0.12"]


@pytest.mark.parametrize(
    ("release", "to", "said"), [("0.12", "2026.04", "cannot go back"), ("2026.04", "0.11", "is no release")]
)
def test_a_release_that_is_unknown_or_lies_behind_is_refused(release: str, to: str, said: str) -> None:
    """REL-3: there is no way back, and what leads to an earlier one is said."""
    with pytest.raises(ToolkitError, match=said) as refusal:
        target(environment(platform={"release": release}), to)
    assert refusal.value.exit_code == 2


@pytest.mark.parametrize("version", ["0.12.0", "0.12.3", "v0.12.0"])
def test_the_stack_file_names_the_release_the_charts_version_and_its_descriptors(
    tmp_path: Path, version: str
) -> None:
    """REL-3: and can be used; everything else in it stays as a person wrote it."""
    path = tmp_path / "Pulumi.prod.yaml"
    path.write_text("# by hand\n" + stack_text(OLD), encoding="utf-8")
    before = load_environment(path).environment
    assert before is not None
    changed = edits(
        tmp_path, before, NEW, chart(tmp_path, {"files/descriptors.pb": descriptor_set()}, version)
    )
    assert edit(path, changed)
    loaded = load_environment(path)
    assert loaded.environment is not None, loaded.text
    assert loaded.environment.release is NEW
    assert loaded.environment.images.tag == version.removeprefix("v")
    file = loaded.environment.control_plane.envoy.descriptors
    assert file is not None
    assert file.content == descriptor_set()
    assert path.read_text().startswith("# by hand\n")
    assert edits(tmp_path, loaded.environment, NEW, None) == []


@pytest.mark.parametrize(
    ("version", "content", "said"),
    [
        ("0.11.0", descriptor_set(), "version 0.11.0"),
        ("0.12.0", descriptor_set(fields=OLD_FIELDS), "of another release"),
        ("0.12.0", descriptor_set(["Model"]), "not complete"),
        ("0.12.0", b"\xff", "cannot be used"),
    ],
)
def test_a_chart_of_another_release_is_refused_and_nothing_written(
    tmp_path: Path, version: str, content: bytes, said: str
) -> None:
    """REL-1, REL-3."""
    with pytest.raises(ToolkitError, match=said):
        edits(tmp_path, environment(**OLD), NEW, chart(tmp_path, {"files/descriptors.pb": content}, version))
    assert not (tmp_path / "descriptors").exists()


def test_a_chart_that_is_given_later_is_taken_up(tmp_path: Path) -> None:
    """REL-3: the release is in the stack file by then, and a set of its version is added."""
    assert edits(tmp_path, environment(**OLD), NEW, None) == [
        (("platform", "release"), "0.12"),
        (("images", "tag"), "0.12.0"),
    ]
    now = environment(images={"tag": "0.12.3"})
    content = {"files/descriptors.pb": descriptor_set()}
    (added,) = edits(tmp_path, now, NEW, chart(tmp_path, content, "0.12.3"))
    assert added == (("controlPlane", "envoy", "descriptors"), "descriptors/0.12.3.pb")
    with pytest.raises(ToolkitError, match=r"version 0\.12\.0"):
        edits(tmp_path, now, NEW, chart(tmp_path, content, "0.12.0"))


def test_images_of_ones_own_are_named_by_a_person(tmp_path: Path) -> None:
    """CP-9, REL-3: which of them is of the release nobody else knows; Envoy is not the platform's."""
    own = {"worker": {"image": {"tag": "acme-7"}}, "envoy": {"image": {"tag": "v1.36.4"}}}
    with pytest.raises(ToolkitError, match=r"controlPlane\.worker\.image") as refusal:
        edits(tmp_path, environment(**OLD, controlPlane=own), NEW, tmp_path / "chart.tgz")
    assert "envoy.image" not in str(refusal.value)


def test_an_edit_that_would_break_the_stack_file_is_not_made(tmp_path: Path) -> None:
    """REL-3, UX-3: what the release refuses is named, at the file's own name, before anything is written."""
    config = {"mysql": {"host": "db.example.com"}}
    path = tmp_path / "Pulumi.prod.yaml"
    path.write_text(stack_text({**OLD, "controlPlane": {"controllermgr": {"config": config}}}))
    before = path.read_text()
    assert load_environment(path).environment is not None
    with pytest.raises(ToolkitError, match="left as it is") as refusal:
        edit(path, [(("platform", "release"), "0.12"), (("images", "tag"), "0.12.0")])
    assert "controlPlane.controllermgr.config.mysql.host" in str(refusal.value)
    assert "Pulumi.prod.yaml:" in str(refusal.value)
    assert path.read_text() == before
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]
