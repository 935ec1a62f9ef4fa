"""Stack files changed in place."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madeploy.documents.nodes import compose
from madeploy.documents.text import dump
from madeploy.stackfile.edit import StackEditError, remove, set_value, value_at

STACK = """\
# yaml-language-server: $schema=schema.json
encryptionsalt: v1:example
config:
  # Who may call.
  michelangelo:cors:
    additionalOrigins: ["https://studio.example.com"]  # the studio
  michelangelo:clusters:
    # The old one.
    cpu-east: {kubeconfigContext: cpu-east}
    # The large one.
    gpu-west:
      server: https://gpu-west.example.com:6443  # private link
      skus:
        - cpu: 96
          memoryGb: 1152G

  michelangelo:kubeconfigs:
    gpu-west:
      secure: v1:example
# The end.
"""

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**31), 2**31)
    | st.sampled_from(["a", "yes", "x: y", "12e5", ""])
)
KEYS = st.sampled_from(["clusters", "cors", "a", "b-c", "1", "on", "x.y"])
TREES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)
SECTIONS = st.dictionaries(KEYS, TREES, max_size=4)
PATHS = st.lists(KEYS, min_size=1, max_size=4).map(tuple)


def comments(text: str) -> set[str]:
    return {line.strip() for line in text.splitlines() if line.strip().startswith("#")}


def written(sections: dict[str, Any]) -> str:
    """The sections as a stack file with a comment of its own before every line."""
    config = {f"michelangelo:{name}": value for name, value in sections.items()}
    lines = dump({"config": config}).splitlines()
    indents = [len(line) - len(line.lstrip()) for line in lines]
    return "".join(
        f"{' ' * indent}# {number}\n{line}\n"
        for number, (indent, line) in enumerate(zip(indents, lines, strict=True))
    )


def sections_of(text: str) -> dict[str, Any]:
    root, problems = compose(text.encode())
    assert problems == []
    config = (root.data() if root else {}).get("config") or {}
    return {name.removeprefix("michelangelo:"): value for name, value in config.items()}


def test_a_value_changes_and_the_comment_beside_it_stays() -> None:
    """REG-9."""
    changed = set_value(STACK, ("clusters", "gpu-west", "server"), "https://gpu-west.example.com")
    assert changed == STACK.replace("gpu-west.example.com:6443", "gpu-west.example.com")


def test_a_new_entry_stands_after_the_last_one_with_its_indentation() -> None:
    """REG-9."""
    changed = set_value(STACK, ("clusters", "tpu"), {"kubeconfigContext": "tpu", "skus": []})
    added = "    tpu:\n      kubeconfigContext: tpu\n      skus: []\n"
    assert changed == STACK.replace("1152G\n", f"1152G\n{added}")


def test_a_mapping_in_braces_becomes_a_block_when_something_is_put_into_it() -> None:
    """REG-9."""
    changed = set_value(STACK, ("clusters", "cpu-east", "credential", "generation"), 2)
    block = "cpu-east:\n      kubeconfigContext: cpu-east\n      credential:\n        generation: 2"
    assert changed == STACK.replace("cpu-east: {kubeconfigContext: cpu-east}", block)


def test_an_entry_goes_with_the_comment_above_it_and_takes_an_empty_section_along() -> None:
    """REG-9: an empty `kubeconfigs` would be a secret section that holds nothing encrypted."""
    without = remove(STACK, ("clusters", "cpu-east"))
    assert comments(STACK) - comments(without) == {"# The old one."}
    without = remove(without, ("kubeconfigs", "gpu-west"))
    assert "kubeconfigs" not in without
    assert without.endswith("1152G\n\n# The end.\n")
    assert remove(without, ("kubeconfigs", "gpu-west")) == without


def test_what_is_already_so_is_not_rewritten() -> None:
    """REG-9: a step that is done again changes no byte."""
    for path in (("clusters", "gpu-west"), ("cors",), ("clusters", "cpu-east", "kubeconfigContext")):
        assert set_value(STACK, path, value_at(STACK, path)) == STACK


@pytest.mark.parametrize(
    "text",
    [
        "config:\n  michelangelo:clusters: &all\n    a: {server: x}\n  michelangelo:other: *all\n",
        "config: [\n",
        "config:\n  a: 1\n  a: 2\n",
        "- config\n",
    ],
    ids=["an anchor that is used elsewhere", "no YAML", "a key given twice", "no mapping"],
)
def test_what_cannot_be_changed_safely_is_refused(text: str) -> None:
    """REG-9."""
    with pytest.raises(StackEditError):
        set_value(text, ("clusters",), 1)


@given(SECTIONS, PATHS, TREES)
def test_setting_changes_that_value_and_nothing_else(sections: dict[str, Any], path: Any, value: Any) -> None:
    """REG-9: read again, the file says exactly what was asked for, whatever stood there."""
    text = written(sections)
    changed = set_value(text, path, value)
    assert value_at(changed, path) == value
    others = {name: item for name, item in sections_of(changed).items() if name != path[0]}
    assert others == {name: item for name, item in sections.items() if name != path[0]}


@given(SECTIONS, st.data())
def test_removing_takes_that_entry_and_keeps_every_other_comment(sections: dict[str, Any], data: Any) -> None:
    """REG-9."""
    filled = {name: value for name, value in sections.items() if value not in ({}, None)}
    if len(filled) < 2:
        return
    gone = data.draw(st.sampled_from(sorted(filled)))
    text = written(filled)
    changed = remove(text, (gone,))
    assert sections_of(changed) == {name: value for name, value in filled.items() if name != gone}
    assert len(comments(text)) - len(comments(changed)) == len(dump({gone: filled[gone]}).splitlines())
