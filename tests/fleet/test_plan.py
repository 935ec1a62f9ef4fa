"""What an update of a sharded fleet works on, and whose failure an error is."""

from __future__ import annotations

from typing import Any

import pytest

from madeploy.fleet import urns
from madeploy.fleet.plan import plan, shard_numbers
from madeploy.fleet.roles import StackRole
from tests.fleet.test_roles import fleet

CLUSTERS: dict[str, int | None] = {"a": 0, "b": 0, "c": 1}
STACKS = ["prod", "prod-shard-00", "prod-shard-01", "prod-compute-a", "prod-compute-gone", "other"]


def planned(chosen: list[str] | None = None, aside: tuple[str, ...] = (), **states: list[str]) -> Any:
    held = {0: states.get("first", ["a", "gone"]), 1: states.get("second", [])}
    return plan(fleet(CLUSTERS), "prod", STACKS, held, chosen, aside)


def test_everything_is_done_but_what_is_out_of_reach() -> None:
    """REG-10, REG-12: it stays as it is in its shard; what was taken out of the file is removed."""
    todo = planned(aside=("b",))
    assert todo.compute == ["a", "c"]
    assert todo.shards == {0: ["a", "b", "gone"], 1: ["c"]}
    assert todo.removed == ["gone"]
    assert todo.left_out(0, {"a", "c"}) == ["b"]
    assert todo.left_out(1, {"a", "c"}) == []


def test_a_cluster_whose_own_stack_failed_is_left_out_of_its_shard() -> None:
    """REG-10: the others of the shard are registered all the same."""
    assert planned().left_out(0, {"b"}) == ["a"]


def test_adding_one_cluster_works_on_one_shard_and_leaves_its_other_clusters_out() -> None:
    """REG-12: the others may be out of reach, or half-way through a change of their own."""
    todo = planned(chosen=["b"])
    assert (todo.compute, list(todo.shards), todo.removed) == (["b"], [0], [])
    assert todo.left_out(0, {"b"}) == ["a", "gone"]


def test_removing_one_cluster_works_on_the_shard_that_has_it() -> None:
    """REG-9."""
    todo = planned(chosen=["gone"])
    assert (todo.compute, list(todo.shards), todo.removed) == ([], [0], ["gone"])
    assert todo.left_out(0, set()) == ["a", "b"]


def test_a_cluster_that_got_no_further_than_its_own_stack_is_removed_too() -> None:
    """REG-9: no shard has it."""
    assert planned(first=["a"]).removed == ["gone"]


def test_shards_are_known_by_their_stacks() -> None:
    """REG-12."""
    assert shard_numbers("prod", [*STACKS, "prod-shard-100", "prod-shard-x", "mine-shard-07"]) == [0, 1, 100]


@pytest.mark.parametrize(
    ("role", "kind"),
    [
        (StackRole("environment", "prod"), "Platform$michelangelo:index:ComputeCluster"),
        (StackRole("shard", "prod", shard=3), "Shard$michelangelo:index:Registration"),
    ],
)
def test_an_error_belongs_to_the_cluster_whose_resource_it_is_about(role: StackRole, kind: str) -> None:
    """REG-10: names may begin alike; the platform's own resources are nobody's."""
    names = ["a", "a-b", "k8s"]
    prefix = f"urn:pulumi:{role.stack}::michelangelo::"
    assert urns.component(role, "a-b") == f"{prefix}michelangelo:index:{kind}::a-b"

    def owner(rest: str) -> str | None:
        return urns.cluster_of(f"{prefix}{rest}", names)

    assert owner(f"michelangelo:index:{kind}::a") == "a"
    assert owner(f"michelangelo:index:{kind}$kubernetes:core/v1:Secret::a-b-token") == "a-b"
    assert owner(f"michelangelo:index:{kind}$kubernetes:core/v1:Secret::a-token") == "a"
    assert owner("pulumi:providers:kubernetes::k8s-a-b") == "a-b"
    assert owner("pulumi:providers:kubernetes::k8s-control-plane") is None
    assert owner("pulumi:pulumi:StackReference::a") == "a"
    assert owner("michelangelo:index:Platform$kubernetes:apps/v1:Deployment::a-deployment") is None
    assert urns.cluster_of("", names) is None
    resources = [{"urn": urns.component(role, "a")}, {"urn": f"{prefix}pulumi:pulumi:Stack::x"}]
    assert urns.clusters_in(resources) == ["a"]
