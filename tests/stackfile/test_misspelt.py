"""Misspelt keys that decide how the rest is read: those that choose a variant, and the mark of a secret."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madeploy.names.configuration import subject
from madeploy.settings import shape
from madeploy.settings.environment import Environment
from madeploy.settings.shape import Shape
from madeploy.stackfile.loader import load_environment
from tests.support.stacks import load, stack_text

EXAMPLES: dict[tuple[str, ...], dict[str, Any]] = {
    ("tls",): {"mode": "acme", "email": "platform@example.com"},
    ("tls", "solver"): {"kind": "http01"},
    ("frontDoor",): {"kind": "ingress"},
    ("access", "browser"): {"kind": "open", "reason": "Only reachable by VPN."},
    ("access", "api"): {"kind": "guarded"},
    ("workflow",): {"engine": "temporal", "host": "temporal.example.com:7233"},
    ("storage",): {
        "kind": "existing",
        "region": "eu-west-1",
        "buckets": {"workspace": "example-a", "models": "example-b"},
    },
    ("storage", "identity"): {"kind": "podIdentity", "clusterName": "hub"},
    ("clusters", "gpu", "taskIdentity"): {"kind": "none"},
    ("gitops", "secrets"): {"kind": "sops"},
}
"""A good section for each place where a key chooses the variant."""


def _places(here: Shape, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every place in the settings where a key chooses a variant, and that key."""
    if here.kind == "variants":
        yield path, here.discriminator
    for section in here.sections:
        for key in shape.fields(section):
            yield from _places(shape.field_shape(section, key), (*path, key))
    if here.item is not None:
        yield from _places(here.item, (*path, "gpu") if here.kind == "map" else path)


PLACES = dict(_places(Shape("section", (Environment,)), ()))


def _around(path: tuple[str, ...], section: dict[str, Any]) -> dict[str, Any]:
    """Sections of a stack file that is right but for one section."""
    if path == ("tls", "solver"):
        return {"tls": {"mode": "acme", "email": "platform@example.com", "solver": section}}
    if path == ("storage", "identity"):
        buckets = {"workspace": "example-a", "models": "example-b"}
        aws = {"kind": "aws", "region": "eu-west-1", "buckets": buckets}
        return {"storage": {**aws, "identity": section}}
    if path in (("gitops", "secrets"), ("access", "browser"), ("access", "api")):
        return {path[0]: {path[1]: section}}
    if len(path) == 3:
        return {"clusters": {"gpu": {"kubeconfigContext": "gpu", path[2]: section}}}
    return {path[0]: section}


def test_every_key_that_chooses_a_variant_is_tried_below() -> None:
    """UX-3: a new one needs its example."""
    assert PLACES.keys() == EXAMPLES.keys()


@st.composite
def _misspelt(draw: st.DrawFn) -> tuple[tuple[str, ...], str]:
    """A place and its key with one slip of the keyboard."""
    path = draw(st.sampled_from(sorted(PLACES)))
    word = PLACES[path]
    at = draw(st.integers(0, len(word) - 2))
    letter = draw(st.sampled_from("abcxyzq_-"))
    slips = {
        "left out": word[:at] + word[at + 1 :],
        "doubled": word[:at] + word[at] + word[at:],
        "swapped": word[:at] + word[at + 1] + word[at] + word[at + 2 :],
        "added": word[: at + 1] + letter + word[at + 1 :],
        "case": word[:at] + word[at].upper() + word[at + 1 :],
        "plural": f"{word}s",
    }
    made = slips[draw(st.sampled_from(sorted(slips)))]
    return path, made if made != word else f"{word}s"


@given(_misspelt())
def test_a_misspelt_key_that_chooses_a_variant_is_shown_at_its_own_line(
    case: tuple[tuple[str, ...], str],
) -> None:
    """UX-3: with the key that was meant, in every section that has variants."""
    path, misspelt = case
    word = PLACES[path]
    section = {misspelt if key == word else key: value for key, value in EXAMPLES[path].items()}
    text = stack_text(_around(path, section))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "Pulumi.prod.yaml"
        file.write_text(text)
        findings = load_environment(file).findings
    (found,) = [item for item in findings if item.code == "MA115"]
    assert found.subject == subject((*path, misspelt))
    assert f'Did you mean "{word}"?' in found.fix
    assert found.location is not None
    line = text.splitlines()[found.location.line - 1] if found.location.line else ""
    assert f"{misspelt}:" in line


@pytest.mark.parametrize("path", sorted(PLACES))
def test_a_key_that_is_really_missing_is_said_to_be(path: tuple[str, ...], tmp_path: Path) -> None:
    """UX-3: no other key of the section is taken for it."""
    section = {key: value for key, value in EXAMPLES[path].items() if key != PLACES[path]}
    found = [item for item in load(tmp_path, _around(path, section)).findings if item.code == "MA115"]
    assert [item.subject for item in found] == [subject(path)]
    assert "is missing" in found[0].evidence


@pytest.mark.parametrize("key", ["secrue", "secur", "Secure", "secured", "secret"])
@pytest.mark.parametrize(
    ("secrets", "path"),
    [
        ("kubeconfigs", ("control-plane",)),
        ("clusterTokens", ("gpu",)),
        ("objectStore", ("accessKeyId",)),
        ("kubeconfigs", ()),
        ("objectStore", ()),
    ],
)
def test_a_misspelt_mark_of_a_secret_is_shown_at_its_own_line_and_nothing_of_the_value(
    key: str, secrets: str, path: tuple[str, ...], tmp_path: Path
) -> None:
    """UX-3, CARD-5: it is not called a secret in plain text, for it may well be encrypted."""
    value: Any = {key: "v1:not-shown:anywhere"}
    for step in reversed(path):
        value = {step: value}
    stack = load(tmp_path, {secrets: value})
    (found,) = [item for item in stack.findings if item.code == "MA110"]
    assert found.subject == subject((secrets, *path, key))
    assert 'Did you mean "secure"?' in found.fix
    text = (tmp_path / "Pulumi.prod.yaml").read_text()
    assert found.location is not None
    assert found.location.line is not None
    assert f"{key}:" in text.splitlines()[found.location.line - 1]
    assert "not-shown" not in stack.text
    assert "MA501" not in {item.code for item in stack.findings}
