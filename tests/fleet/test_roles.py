"""Which stack holds what of which cluster."""

from __future__ import annotations

import string
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madeploy.fleet.roles import (
    StackRole,
    UnknownRoleError,
    compute_stack,
    free_shard,
    role_of,
    roles,
    shard_stack,
    shards,
)
from madeploy.settings import Environment
from tests.support.environments import ALL

NAMES = st.from_regex(r"[a-z]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)


def fleet(
    clusters: dict[str, int | None], layout: str = "sharded", size: int | None = 50, halves: str = "apart"
) -> Environment:
    """An environment with these clusters, each in its shard."""
    sized = {} if size is None else {"shardSize": size}
    plain: dict[str, Any] = {
        "fleet": {"layout": layout, "halves": halves, **sized},
        "clusters": {
            name: {"kubeconfigContext": name} | ({} if shard is None else {"shard": shard})
            for name, shard in clusters.items()
        },
    }
    return Environment.model_validate(ALL["minimal"]().to_yaml_data() | plain)


def grown(names: list[str], size: int) -> dict[str, int | None]:
    """Clusters added one after the other, each where there is room."""
    members: dict[str, int | None] = {}
    for name in names:
        members[name] = free_shard(fleet(members, size=size))
    return members


@given(
    st.lists(NAMES, unique=True, max_size=40),
    st.integers(min_value=1, max_value=7),
    st.randoms(use_true_random=False),
)
def test_no_shard_grows_over_its_size_and_no_cluster_moves_when_others_come_or_go(
    names: list[str], size: int, chance: Any
) -> None:
    """REG-12: whatever is added and removed in whatever order."""
    members = grown(names, size)
    gone = [name for name in names if chance.random() < 0.5]
    left = {name: shard for name, shard in members.items() if name not in gone}
    for name in gone:
        left[f"{name}-again"] = free_shard(fleet(left, size=size))
    assert all(left[name] == shard for name, shard in members.items() if name in left)
    assert max(Counter(left.values()).values(), default=0) <= size
    assert len(shards(fleet(left, size=size))) <= -(-len(names) // size)


def test_a_shard_with_both_halves_is_smaller_and_its_clusters_have_no_stack_of_their_own() -> None:
    """REG-12: there is a provider process for each cluster of a stack."""
    clusters: dict[str, int | None] = {f"c{number}": 0 for number in range(8)}
    apart, together = (fleet(clusters, size=None, halves=halves) for halves in ("apart", "together"))
    assert (free_shard(apart), free_shard(together)) == (0, 1)
    assert [role.stack for role in roles(together, "prod")] == ["prod", "prod-shard-00"]
    assert [role.kind for role in roles(apart, "prod")] == ["environment", *["compute"] * 8, "shard"]
    assert role_of("prod-shard-00", together) == StackRole("shard", "prod", 0)


@given(st.dictionaries(NAMES, st.integers(min_value=0, max_value=999), max_size=8), NAMES)
def test_every_part_is_found_by_its_stack_s_name(clusters: dict[str, int | None], environment: str) -> None:
    """CARD-3: the program knows from the stack's name alone what to build."""
    if "-compute-" in environment:
        return
    settings = fleet(clusters)
    assert role_of(environment, settings) == StackRole("environment", environment)
    for number in shards(settings):
        assert role_of(shard_stack(environment, number), settings) == StackRole("shard", environment, number)
    for name in clusters:
        role = role_of(compute_stack(environment, name), settings)
        assert role.kind == "compute"
        assert role.stack == compute_stack(environment, name)


def test_a_cluster_whose_name_ends_like_another_s_is_not_taken_for_it() -> None:
    """REG-12: the longest name counts."""
    settings = fleet({"a": 0, "x-compute-a": 0})
    assert role_of("prod-compute-x-compute-a", settings).cluster == "x-compute-a"
    assert role_of("prod-compute-a", settings).cluster == "a"


def test_the_stack_of_a_cluster_that_is_gone_is_not_taken_for_an_environment() -> None:
    """REG-9, UX-6: it would be given a control plane of its own."""
    with pytest.raises(UnknownRoleError, match="pulumi destroy --stack prod-compute-gone"):
        role_of("prod-compute-gone", fleet({"a": 0}))


@pytest.mark.parametrize("stack", ["prod", "prod-shard-00", "prod-compute-a"])
def test_without_shards_every_stack_is_an_environment(stack: str) -> None:
    """CARD-3: names mean nothing where nothing is spread over stacks."""
    settings = fleet({"a": 0}, layout="inline")
    assert role_of(stack, settings) == StackRole("environment", stack)
    assert shards(settings) == {}
    assert free_shard(settings) is None


@given(st.text(string.ascii_lowercase + string.digits + "-.", min_size=1, max_size=40))
def test_whatever_a_stack_is_called_its_part_has_its_name(stack: str) -> None:
    """CARD-3: nothing is built under another name than the stack's."""
    try:
        role = role_of(stack, fleet({"a": 0, "b": 1}))
    except UnknownRoleError:
        return
    assert role.stack == stack
