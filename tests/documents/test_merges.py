"""Files that a merge left undecided, wherever one is read."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madeploy.clusters.entries import authority_data
from madeploy.documents.merges import unresolved_merge
from madeploy.documents.nodes import UnreadableError, compose_all
from madeploy.errors import ToolkitError
from madeploy.plan.environments import against_tree
from madeploy.plan.preview import read_preview
from madeploy.policy import files
from madeploy.render import outputs
from madeploy.stackfile.loader import load_environment
from tests.support.environments import minimal
from tests.support.stacks import stack_text

LINE = st.from_regex(r"[a-z]{1,8}: [a-z0-9]{1,8}", fullmatch=True)


def _conflict(ours: str, theirs: str, base: str | None = None, *, end: str = "\n") -> str:
    middle = [] if base is None else ["||||||| 0123abc", base]
    return end.join(["<<<<<<< HEAD", ours, *middle, "=======", theirs, ">>>>>>> feature", ""])


@given(st.lists(LINE, max_size=5), LINE, LINE, st.none() | LINE, st.sampled_from(["\n", "\r\n"]))
def test_the_line_where_a_merge_begins_is_the_one_that_is_named(
    before: list[str], ours: str, theirs: str, base: str | None, end: str
) -> None:
    """UX-3: whatever stands before, between and after; both styles of conflict; both kinds of line ends."""
    text = "".join(f"{line}{end}" for line in before) + _conflict(ours, theirs, base, end=end)
    with pytest.raises(UnreadableError) as refused:
        compose_all(text.encode())
    assert (refused.value.problem.code, refused.value.problem.line) == ("MA104", len(before))
    assert "unresolved merge" in str(refused.value)


@pytest.mark.parametrize("left", ["<<<<<<< HEAD", ">>>>>>> feature", "<<<<<<<", ">>>>>>>"])
def test_one_line_that_was_left_behind_is_enough(left: str, tmp_path: Path) -> None:
    """UX-3: a merge that was resolved by hand, but for a line."""
    file = tmp_path / "Pulumi.prod.yaml"
    file.write_text(f"{stack_text()}{left}\n")
    (found,) = load_environment(file).findings
    assert (found.code, found.location and found.location.line) == ("MA104", stack_text().count("\n") + 1)
    assert "git diff --check" in found.fix


@pytest.mark.parametrize(
    "text",
    [
        "a: b\n=======\n",
        "text: |\n  Title\n  =======\n  <<<<<<< HEAD\n",
        "# <<<<<<< HEAD\na: 1\n",
        "a: '<<<<<<< HEAD'\n",
    ],
)
def test_text_that_only_looks_like_it_is_no_merge(text: str) -> None:
    """UX-3: lines inside a text are indented, and a title may be underlined."""
    assert unresolved_merge(text.encode()) is None


def test_every_reader_of_files_names_it(tmp_path: Path) -> None:
    """UX-3: stack files, manifests, rendered folders, previews, outputs and authorities."""
    text = _conflict("a: 1", "a: 2")
    manifest = tmp_path / "control-plane" / "a.yaml"
    manifest.parent.mkdir()
    manifest.write_text(text)
    (found,) = files.read([manifest]).findings
    assert (found.code, "unresolved merge" in found.evidence) == ("MA380", True)
    with pytest.raises(ValueError, match="line 1: an unresolved merge"):
        against_tree(tmp_path, minimal(), "prod")
    with pytest.raises(ValueError, match="line 1: an unresolved merge"):
        read_preview(text)
    for read in (outputs.read_endpoints, authority_data):
        with pytest.raises(ToolkitError, match="line 1: an unresolved merge"):
            read(manifest)
