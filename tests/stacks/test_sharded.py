"""Which of a sharded fleet's stacks an update works on, with an engine that only takes note."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from madeploy.engine.events import Result
from madeploy.errors import ToolkitError
from madeploy.stacks import backend, updates
from madeploy.stacks.apply import apply, withdraw
from madeploy.stacks.updates import EnvironmentStacks
from tests.fleet.test_roles import fleet

CLUSTERS: dict[str, int | None] = {"a": 0, "b": 0, "c": 1}
ALL = ["prod", *(f"prod-compute-{name}" for name in CLUSTERS), "prod-shard-00", "prod-shard-01"]


class Stack:
    """One stack: what is asked of it is noted, with its name."""

    def __init__(self, name: str, held: Sequence[str], asked: list[tuple[str, ...]], kind: str) -> None:
        self._name, self._held, self._asked, self._kind = name, held, asked, kind

    def resources(self) -> list[dict[str, Any]]:
        self._asked.append(("read", self._name))
        kind = f"michelangelo:index:Shard$michelangelo:index:{self._kind}"
        state = [{"urn": f"urn:pulumi:{self._name}::michelangelo::{kind}::{name}"} for name in self._held]
        secret = {"type": "kubernetes:core/v1:Secret", "urn": f"{self._name}-secret"}
        cluster = self._name.rpartition("-")[2]
        secret["provider"] = f"urn:pulumi:{self._name}::m::pulumi:providers:kubernetes::k8s-{cluster}::id"
        return [*state, {**secret, "inputs": {"metadata": {"name": "ray-manager-token"}}}]

    def run(self, verb: str, *_: str, unmade: Sequence[str] = (), **__: Any) -> Result:
        self._asked.append((verb, f"{self._name} without {','.join(unmade)}" if unmade else self._name))
        return Result()

    def delete(self, urns: Sequence[str], **_: Any) -> Result:
        self._asked.append(("delete", *urns))
        return Result()


class Stacks(EnvironmentStacks):
    """An environment with three clusters in two shards, of which the states hold these."""

    def with_states(self, states: Mapping[str, Sequence[str]], kind: str = "Registration") -> Stacks:
        self.__dict__["states"], self.__dict__["asked"], self.__dict__["kind"] = states, [], kind
        return self

    def stack(self, name: str) -> Any:
        more = self.__dict__
        return Stack(name, more["states"].get(name, ()), more["asked"], more["kind"])


@pytest.fixture
def stacks(monkeypatch: pytest.MonkeyPatch) -> Stacks:
    """Everything made, and cluster `b` not yet registered."""
    monkeypatch.setattr(backend, "names", lambda _: ALL)
    monkeypatch.setattr(updates, "refuse_second_names", lambda *_: None)
    made = Stacks("prod", Path("x"), fleet(CLUSTERS), None, Path())  # type: ignore[arg-type]
    return made.with_states({"prod-shard-00": ["a"], "prod-shard-01": ["c"]})


@pytest.fixture
def together(stacks: Stacks) -> Stacks:
    """The same where the stack of a shard holds both halves."""
    settings = fleet(CLUSTERS, halves="together", size=None)
    made = Stacks("prod", Path("x"), settings, None, Path())  # type: ignore[arg-type]
    return made.with_states({"prod-shard-00": ["a"], "prod-shard-01": ["c"]}, "ComputeCluster")


def done(stacks: Stacks, verb: str = "up") -> list[str]:
    return [name for what, name in stacks.__dict__["asked"] if what == verb]


def test_one_cluster_takes_its_own_stack_and_its_shard_and_no_other_state_is_read(stacks: Stacks) -> None:
    """REG-12: in a fleet of a thousand, one more costs two stacks."""
    apply(stacks, ["a"])
    assert done(stacks) == ["prod-compute-a", "prod-shard-00 without b"]
    assert done(stacks, "read") == ["prod", "prod-shard-00"]


def test_with_no_cluster_named_the_environments_own_stack_is_what_there_is_to_do(stacks: Stacks) -> None:
    """REG-8 (V14): rotation rolls the controller manager by it, and withdraws the old credential after."""
    apply(stacks, [])
    assert done(stacks) == ["prod"]


def test_what_changes_on_a_cluster_alone_leaves_its_shard_alone(stacks: Stacks) -> None:
    """REG-8: a second credential is registered nowhere yet."""
    assert apply(stacks, ["a"], registers=False).done == ["a"]
    assert done(stacks) == ["prod-compute-a"]


def test_all_clusters_are_the_whole_environment(stacks: Stacks) -> None:
    """UX-2: an upgrade names them all, and is of the platform first of all."""
    apply(stacks, list(CLUSTERS))
    assert done(stacks)[0] == "prod"
    assert set(done(stacks)) == set(ALL)


def test_a_withdrawn_credential_is_deleted_in_its_own_stack_without_a_program(
    stacks: Stacks,
) -> None:
    """REG-8."""
    found = withdraw(stacks, {"a": ["ray-manager-token"], "c": ["ray-manager-token-7"]})
    assert found.done == ["a", "c"]
    assert done(stacks, "delete") == ["prod-compute-a-secret"]
    assert done(stacks) == []


def test_with_both_halves_in_a_shard_one_run_does_for_all_its_clusters(together: Stacks) -> None:
    """REG-12: none of them has a stack of its own; a new one takes its shard alone."""
    assert set(apply(together, None).done) == set(CLUSTERS)
    assert sorted(done(together)) == ["prod", "prod-shard-00", "prod-shard-01"]
    together.with_states({"prod-shard-00": ["a"]}, "ComputeCluster")
    assert apply(together, ["b"]).done == ["b"]
    assert done(together) == ["prod-shard-00"]
    assert done(together, "read") == ["prod", "prod-shard-00"]


def test_with_both_halves_in_a_shard_a_second_credential_is_made_there_and_withdrawn_there(
    together: Stacks,
) -> None:
    """REG-8."""
    assert apply(together, ["a"], registers=False).done == ["a"]
    assert done(together) == ["prod-shard-00 without b"]
    assert withdraw(together, {"a": ["ray-manager-token"]}).done == ["a"]


@pytest.mark.parametrize("kind", ["Registration", "ComputeCluster"])
def test_halves_do_not_change_their_place_under_registered_clusters(
    kind: str, stacks: Stacks, together: Stacks
) -> None:
    """REG-12: the other program would delete what it does not know."""
    changed = (together if kind == "Registration" else stacks).with_states({"prod-shard-00": ["a"]}, kind)
    with pytest.raises(ToolkitError, match="Layout changed") as refused:
        apply(changed, None)
    assert refused.value.exit_code == 2
    assert done(changed) == []
