"""The order of tests names files that are there, and keeps together what shares a sandbox."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from tests.support.schedule import CLUSTERS, FIRST, GROUPS

ROOT = Path(__file__).resolve().parents[1]


def test_every_file_of_the_order_is_there_once_and_in_one_group() -> None:
    """UX-2: a file that was renamed would start a sandbox of its own, last of all."""
    there = Counter(path.name for path in (ROOT / CLUSTERS).rglob("test_*.py"))
    assert {name: there[name] for name in FIRST} == dict.fromkeys(FIRST, 1)
    grouped = [name for files in GROUPS.values() for name in files]
    assert len(set(grouped)) == len(grouped)
    assert len(set(FIRST)) == len(FIRST)
    assert set(grouped) <= set(FIRST)


def test_every_module_on_the_shared_environment_is_in_a_group() -> None:
    """UX-2: one that is in none would start clusters of its own, 20 s of processor time."""
    asking = re.compile(r"\benvironment: Environment[,)]")
    modules = (path for path in (ROOT / CLUSTERS).rglob("test_*.py"))
    found = {path.name for path in modules if asking.search(path.read_text(encoding="utf-8"))}
    assert found - {name for files in GROUPS.values() for name in files} == set()


def test_only_stories_on_real_clusters_are_left_out_of_what_every_change_must_pass() -> None:
    """UX-2: whatever needs Python alone runs at every change; which of the others are clusters' is told when
    they are collected."""
    mark = "pytest.mark." + "long"
    files = (ROOT / "tests").rglob("test_*.py")
    marked = [path for path in files if mark in path.read_text(encoding="utf-8")]
    assert marked
    assert [path for path in marked if not path.relative_to(ROOT).as_posix().startswith(CLUSTERS)] == []


def test_what_a_folder_of_tests_shares_ends_with_the_folder() -> None:
    """UX-2: to pytest a folder without `__init__.py` is no package, and what is shared within it stays on the
    clusters of those that come after."""
    files = (ROOT / CLUSTERS).rglob("conftest.py")
    sharing = [path for path in files if 'scope="package"' in path.read_text(encoding="utf-8")]
    assert sharing
    assert [path for path in sharing if not (path.parent / "__init__.py").is_file()] == []
