"""Removal, ended at every place it can be ended at; clusters that are gone; what stands in the way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

import pytest

from madeploy.clients.errors import ClientError
from madeploy.clusters.registration import cluster_path
from madeploy.clusters.removal import FINALIZER, Removal, Removed, Step
from madeploy.errors import ToolkitError
from tests.clusters.simulation import NAME, PODS, EndedError, FakeStack, World
from tests.support.proves import proves

PLACES = [*get_args(Step), "roll", "delete"]
"""After each step, before the roll, and before the first object is deleted."""


def registered_stack(*settings: Mapping[str, Any]) -> FakeStack:
    """A registered cluster, with settings of its own and of the stack."""
    world = World()
    stack = FakeStack(world, *settings)
    stack.apply([NAME], "registered")
    world.beat()
    return stack


def remove(stack: FakeStack, at: str = "", forget: bool = False) -> Removed:
    """One run of the command; ended at a step, or before something an update writes, when `at` names it."""

    def reached(step: str) -> None:
        stack.world.nobody_is_cut_off()
        if at == step:
            raise EndedError

    def doing(what: str) -> None:
        if at and what.startswith(at):
            raise EndedError

    stack.at = doing
    try:
        return Removal(stack, NAME, forget=forget, reached=reached).run()
    finally:
        stack.at = lambda _: None


def nothing_is_left(stack: FakeStack) -> None:
    world = stack.world
    assert not [path for path in world.compute.objects if "/secrets/" in path]
    assert not [path for path in world.control_plane.objects if not path.startswith(PODS)]
    assert world.cached is None, "no pod keeps what was withdrawn"
    assert NAME not in stack.settings().clusters


def test_the_platform_lets_go_before_the_credential_dies() -> None:
    """REG-9, REG-8: rolled once in between, and shown to be refused."""
    stack = registered_stack()
    token = stack.world.registered()
    result = remove(stack)
    assert (len(result.refused), result.left, result.findings) == (1, [], [])
    assert stack.world.rolls == 1
    assert not stack.world.is_valid(token)
    nothing_is_left(stack)


@proves("OPS-5")
def test_the_token_of_serving_goes_with_the_cluster() -> None:
    """OPS-5, REG-9: from both clusters, and is shown to be refused as well."""
    stack = registered_stack({"serving": True}, {"serving": {"namespace": "serving"}})
    result = remove(stack)
    assert (len(result.refused), result.findings) == (2, [])
    nothing_is_left(stack)


@pytest.mark.parametrize("place", PLACES)
def test_ended_anywhere_it_goes_on(place: str) -> None:
    """REG-9: at no moment has the platform a dead credential, and in the end nothing is left."""
    stack = registered_stack()
    with pytest.raises(EndedError):
        remove(stack, place)
    stack.world.nobody_is_cut_off()
    assert remove(stack).findings == []
    nothing_is_left(stack)


def test_without_a_controller_manager_it_does_not_begin() -> None:
    """REG-9 (V16): the deletion would hang; which finalizer waits for what is said."""
    stack = registered_stack()
    text = stack.text
    for path in [path for path in stack.world.control_plane.objects if path.startswith(PODS)]:
        del stack.world.control_plane.objects[path]
    with pytest.raises(ToolkitError) as caught:
        remove(stack)
    assert (caught.value.exit_code, FINALIZER in str(caught.value)) == (1, True)
    assert (stack.text, stack.applied) == (text, 1)


def gone(stack: FakeStack, monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(*_: Any, **__: Any) -> Any:
        raise ClientError(stack.world.compute.server, "timeout")

    monkeypatch.setattr(stack.world.compute, "items", silent)
    monkeypatch.setattr(stack.world.compute, "find", silent)


def test_a_cluster_that_does_not_answer_is_removed_only_when_it_may_be_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """REG-9: else its credential would stay valid unnoticed."""
    stack = registered_stack()
    text = stack.text
    gone(stack, monkeypatch)
    with pytest.raises(ToolkitError, match="--forget") as caught:
        remove(stack)
    assert (caught.value.exit_code, stack.text) == (1, text)


def test_what_stays_on_a_forgotten_cluster_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    """REG-9: by name, the credential among it."""
    stack = registered_stack()
    gone(stack, monkeypatch)
    result = remove(stack, forget=True)
    assert [item.code for item in result.findings] == ["MA474"]
    assert {
        "ServiceAccount default/ray-manager",
        "ClusterRole ray-manager",
        "Secret default/ray-manager-token",
    } <= set(result.left)
    assert cluster_path(NAME) not in stack.world.control_plane.objects
    assert NAME not in stack.settings().clusters
