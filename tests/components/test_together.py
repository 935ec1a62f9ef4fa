"""A sharded fleet's programs: what a shard holds with both halves, and what the two stacks hold apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from unittest import mock

import pytest

from components.program import build
from madeploy.fleet.roles import StackRole
from madeploy.settings import CONTROL_PLANE
from tests.support.environments import environment
from tests.support.programs import configuration
from tests.support.recording import Registration, record

pytestmark = pytest.mark.whole

CLUSTERS = {name: {"server": f"https://{name}.example.com"} for name in ("a", "b")}


def registered(role: StackRole, **sections: Any) -> Mapping[str, Registration]:
    """What the program of one stack registers, by type and name."""
    settings = environment(**sections)

    def program() -> None:
        build(replace(configuration(settings), role=role))

    with mock.patch("components.renames.refuse_second_names"):
        recording = record(program)
    return {each.identity: each for each in recording.resources}


def objects(found: Mapping[str, Registration]) -> dict[tuple[str, str], dict[str, Any]]:
    """Inputs of a registration's Kubernetes objects, on both sides, by provider and identity."""
    return {
        (each.provider, key): each.inputs
        for key, each in found.items()
        if each.type.startswith("kubernetes:")
        and each.name.startswith(tuple(f"{name}-" for name in CLUSTERS))
    }


def test_a_shard_with_both_halves_makes_what_an_environment_makes_of_its_clusters() -> None:
    """REG-2, REG-4, REG-12: the same objects, each by its own cluster's provider, after the right to read
    their Secrets, and no reference to another stack."""
    placed = {name: {**entry, "shard": 0} for name, entry in CLUSTERS.items()}
    fleet = {"layout": "sharded", "halves": "together"}
    together = registered(StackRole("shard", "prod", 0), clusters=placed, fleet=fleet)
    inline = registered(StackRole("environment", "prod"), clusters=CLUSTERS)
    assert objects(together)
    assert objects(together) == objects(inline)
    kinds = {each.type for each in together.values()}
    assert "pulumi:pulumi:StackReference" not in kinds
    providers = {each.name for each in together.values() if each.type == "pulumi:providers:kubernetes"}
    assert providers == {f"k8s-{name}" for name in (CONTROL_PLANE, *CLUSTERS)}
    for each in together.values():
        if each.name.endswith("-client-token"):
            assert any("::reader-" in need for need in each.dependencies)
