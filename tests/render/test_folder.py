"""A tree on disk: only its own files are ever touched, and every difference is found."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from madeploy.errors import ToolkitError
from madeploy.render.folder import DIFF_LINES, MARKER, Drift, Folder

FILES = {"SECRETS.md": "none\n", "control-plane/a.yaml": "a: 1\n", "control-plane/20-b/b.yaml": "b: 1\n"}


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A folder that a tree was written to."""
    made = Folder(tmp_path / "out", "prod")
    made.write(FILES)
    return made


def there(root: Path) -> dict[str, str]:
    return {
        path.relative_to(root).as_posix(): path.read_text()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.name != MARKER
    }


def test_what_is_written_is_the_tree(folder: Folder) -> None:
    """CARD-4."""
    assert there(folder.root) == FILES
    assert folder.drift(FILES) == []


def test_writing_again_changes_nothing_not_even_the_time_of_a_file(folder: Folder) -> None:
    """CARD-4."""
    before = {path: os.stat(folder.root / path).st_mtime_ns for path in FILES}
    marker = (folder.root / MARKER).read_bytes()
    result = folder.write(FILES)
    assert (result.added, result.changed, result.removed, result.unchanged) == ([], [], [], len(FILES))
    assert {path: os.stat(folder.root / path).st_mtime_ns for path in FILES} == before
    assert (folder.root / MARKER).read_bytes() == marker


def test_files_that_left_the_tree_go_with_their_empty_folders_and_others_stay(folder: Folder) -> None:
    """CARD-4."""
    (folder.root / "control-plane" / "mine.yaml").write_text("mine\n")
    (folder.root / "notes.txt").write_text("mine\n")
    result = folder.write({"SECRETS.md": "some\n"})
    assert (result.changed, result.removed) == (
        ["SECRETS.md"],
        ["control-plane/20-b/b.yaml", "control-plane/a.yaml"],
    )
    assert there(folder.root) == {
        "SECRETS.md": "some\n",
        "control-plane/mine.yaml": "mine\n",
        "notes.txt": "mine\n",
    }
    assert not (folder.root / "control-plane" / "20-b").exists()


def test_a_folder_with_somebody_elses_files_is_refused(tmp_path: Path) -> None:
    """CARD-4: and nothing is written to it."""
    (tmp_path / "precious.yaml").write_text("mine\n")
    with pytest.raises(ToolkitError, match="somebody else's") as refused:
        Folder(tmp_path, "prod").write(FILES)
    assert refused.value.exit_code == 2
    assert there(tmp_path) == {"precious.yaml": "mine\n"}


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    """CARD-4."""
    Folder(tmp_path, "prod").write(FILES)
    assert there(tmp_path) == FILES


def test_the_folder_of_another_stack_is_refused(folder: Folder) -> None:
    """CARD-4: its files would all be removed."""
    with pytest.raises(ToolkitError, match="holds the files of stack prod"):
        Folder(folder.root, "staging").write(FILES)
    assert there(folder.root) == FILES


@pytest.mark.parametrize(
    "marker",
    [
        "{",
        "[]",
        '{"stack": "prod"}',
        json.dumps({"stack": "prod", "files": ["../outside"]}),
        json.dumps({"stack": "prod", "files": ["/etc/passwd"]}),
        json.dumps({"stack": "prod", "files": ["a//b"]}),
    ],
)
def test_a_marker_that_cannot_be_trusted_is_refused(folder: Folder, marker: str) -> None:
    """CARD-4: nothing outside the folder is ever removed."""
    outside = folder.root.parent / "outside"
    outside.write_text("mine\n")
    (folder.root / MARKER).write_text(marker)
    with pytest.raises(ToolkitError):
        folder.write({})
    assert outside.read_text() == "mine\n"
    assert there(folder.root) == FILES


@pytest.mark.parametrize("place", ["control-plane", "control-plane/a.yaml", "control-plane/20-b"])
def test_symbolic_links_are_neither_followed_nor_replaced(folder: Folder, place: str) -> None:
    """CARD-4: whatever they point at stays as it is."""
    target = folder.root.parent / "elsewhere"
    full = folder.root / place
    full.rename(target)
    full.symlink_to(target)
    before = there(target) if target.is_dir() else target.read_text()
    with pytest.raises(ToolkitError, match="has something else than a"):
        folder.write(dict.fromkeys(FILES, "changed\n"))
    assert full.is_symlink()
    assert (there(target) if target.is_dir() else target.read_text()) == before


def test_a_link_in_the_place_of_a_file_that_left_the_tree_is_kept(folder: Folder) -> None:
    """CARD-4."""
    link = folder.root / "control-plane" / "a.yaml"
    link.unlink()
    link.symlink_to("/nowhere")
    folder.write({"SECRETS.md": "none\n"})
    assert link.is_symlink()


def test_an_interrupted_run_is_finished_by_the_next(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """CARD-4: what it wrote is listed before it is there, so that it is removed when it has to go."""
    real = Folder._put

    def fail(self: Folder, path: str, text: str, result: object) -> None:
        if path == "z.yaml":
            raise KeyboardInterrupt
        real(self, path, text, result)  # type: ignore[arg-type]

    monkeypatch.setattr(Folder, "_put", fail)
    with pytest.raises(KeyboardInterrupt):
        folder.write({"new.yaml": "n: 1\n", "z.yaml": "z: 1\n"})
    monkeypatch.undo()
    folder.write({"SECRETS.md": "none\n"})
    assert there(folder.root) == {"SECRETS.md": "none\n"}


def test_every_kind_of_drift_is_found_with_its_difference(folder: Folder) -> None:
    """CARD-4."""
    (folder.root / "SECRETS.md").write_text("edited by hand\n")
    (folder.root / "control-plane" / "a.yaml").unlink()
    wanted = {path: text for path, text in FILES.items() if path != "control-plane/20-b/b.yaml"}
    changed, stale, missing = folder.drift(wanted)
    assert (changed.path, changed.kind) == ("SECRETS.md", "changed")
    assert {"-edited by hand", "+none"} < set(changed.diff)
    assert stale == Drift("control-plane/20-b/b.yaml", "stale")
    assert missing == Drift("control-plane/a.yaml", "missing")


def test_a_long_difference_is_shortened(folder: Folder) -> None:
    """UX-3: to what a person reads."""
    wanted = FILES | {"SECRETS.md": "".join(f"{number}\n" for number in range(500))}
    (drift,) = folder.drift(wanted)
    assert len(drift.diff) == DIFF_LINES + 1
    assert drift.diff[-1].startswith("…")


def test_a_file_that_is_no_text_differs(folder: Folder) -> None:
    """CARD-4."""
    (folder.root / "SECRETS.md").write_bytes(b"\xff\xfe")
    (drift,) = folder.drift(FILES)
    assert drift.kind == "changed"


names = st.sampled_from(["a", "b", "c"])
trees = st.dictionaries(
    st.builds(lambda folder, name: f"{folder}/{name}.yaml", names, names), st.sampled_from(["1\n", "2\n"])
)


@given(st.lists(trees, min_size=1, max_size=4), st.data())
@settings(max_examples=30)
def test_any_sequence_of_trees_leaves_the_last_and_what_is_not_ours(
    tmp_path_factory: pytest.TempPathFactory, sequence: list[dict[str, str]], data: st.DataObject
) -> None:
    """CARD-4."""
    folder = Folder(tmp_path_factory.mktemp("sequence") / "out", "prod")
    foreign: dict[str, str] = {}
    for wanted in sequence:
        folder.write(wanted)
        assert folder.drift(wanted) == []
        place = f"{data.draw(names)}/foreign.txt"
        (folder.root / place).parent.mkdir(exist_ok=True)
        (folder.root / place).write_text("mine\n")
        foreign[place] = "mine\n"
        assert there(folder.root) == dict(sorted((wanted | foreign).items()))
