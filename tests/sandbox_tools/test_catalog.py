"""What the pinned modules of the families promise to each other."""

from __future__ import annotations

import re

import pytest

from madeploy.sandbox.tools import FAMILIES

# Left at what the Pulumi CLI was released with; a few small packages, compiled twice.
OWN_VERSIONS = {
    "github.com/Azure/go-ansiterm",
    "github.com/jonboulle/clockwork",
    "github.com/moby/term",
    "github.com/pulumi/inflector",
    "github.com/santhosh-tekuri/jsonschema/v5",
    "github.com/zclconf/go-cty",
}


def required(family: str) -> dict[str, str]:
    """The versions that a family's `go.mod` requires, by module."""
    text = (FAMILIES[family].directory / "go.mod").read_text(encoding="utf-8")
    return dict(re.findall(r"^(?:require |\t)(\S+) (v\S+)", text, re.MULTILINE))


@pytest.mark.parametrize("family", [name for name, family in FAMILIES.items() if family.edited])
def test_plugins_share_the_versions_of_the_pulumi_cli(family: str) -> None:
    """UX-1: what differs is compiled twice, at every first start."""
    cli, own = required("pulumi"), required(family)
    shared = cli.keys() & own.keys()
    assert len(shared) > 100
    assert {module for module in shared if cli[module] != own[module]} <= OWN_VERSIONS


@pytest.mark.parametrize("family", [name for name, family in FAMILIES.items() if family.edited])
def test_a_module_that_is_edited_is_required_and_vouched_for(family: str) -> None:
    """UX-1: the copy is of what go.sum names, so every machine builds the same."""
    sums = (FAMILIES[family].directory / "go.sum").read_text(encoding="utf-8")
    text = (FAMILIES[family].directory / "go.mod").read_text(encoding="utf-8")
    replaced = dict(re.findall(r"^replace (\S+) => (\S+ v\S+)$", text, re.MULTILINE))
    for module in FAMILIES[family].edited:
        name = module.module
        assert f"{replaced.get(name, f'{name} {required(family)[name]}')} h1:" in sums
