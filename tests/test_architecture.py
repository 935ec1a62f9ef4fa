"""The rooms are those of docs/architecture.md, and no file of theirs is long."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from tests.support.proves import proves

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")


@proves("CARD-1")
def test_the_top_level_is_that_of_a_pulumi_project() -> None:
    """CARD-1: a project file, its program, stack files, and a folder for each kind of code."""
    project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))
    assert project["stackConfigDir"] == "stacks"
    assert len((ROOT / "__main__.py").read_text(encoding="utf-8").splitlines()) <= 30
    folders = {path.name for path in ROOT.iterdir() if path.is_dir()}
    assert {"stacks", "components", "manifests", "policies", "tests"} <= folders


def test_every_room_has_its_line() -> None:
    """UX-3: a newcomer finds each folder of the product."""
    rooms = {path.name for path in (ROOT / "madeploy").iterdir() if (path / "__init__.py").is_file()}
    table = TEXT.partition("## Rooms")[2].partition("## Three walks")[0]
    named = set(re.findall(r"`(?:madeploy/)?([a-z_]+)/`", table))
    assert rooms <= named, rooms - named
    assert {name for name in named if not (ROOT / name).is_dir()} <= rooms


def test_every_file_that_is_named_is_there() -> None:
    """UX-3."""
    walks = TEXT.partition("## Three walks")[2]
    named = re.findall(r"`([a-z_/]+\.py)`", walks)
    assert len(named) > 10
    for name in named:
        places = (ROOT / name, ROOT / "madeploy" / name, ROOT / "manifests" / name)
        assert any(place.is_file() for place in places), name


def test_no_file_is_longer_than_one_can_take_in() -> None:
    """UX-3: 400 lines, of the product as of its tests."""
    folders = ("benchmarks", "components", "madeploy", "manifests", "policies", "tests")
    files = [ROOT / "bin/madeploy", *(file for folder in folders for file in (ROOT / folder).rglob("*.py"))]
    lengths = {str(file.relative_to(ROOT)): len(file.read_text("utf-8").splitlines()) for file in files}
    assert len(lengths) > 800
    assert {name: length for name, length in lengths.items() if length > 400} == {}
