"""Rotation, ended at every place it can be ended at."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any, get_args

import pytest

from madeploy.clusters import rotation
from madeploy.clusters.registration import Registered, secret_path
from madeploy.clusters.rotation import Rotation, Step
from madeploy.clusters.rotation_plan import Rotated
from madeploy.errors import ToolkitError
from madeploy.names.kubernetes import ray_manager_token
from tests.clusters.simulation import NAME, EndedError, FakeServer, FakeStack, World
from tests.support.proves import proves
from tests.support.scale import scale

STEPS = [*get_args(Step), "create credential", "write registered credential", "roll", "delete credential"]
"""After each step, and before each single thing an update writes."""

CASES = [
    (layout, step)
    for layout in ("inline", "sharded")
    for step in STEPS
    # One update does both where one stack holds both.
    if (layout, step) != ("inline", "rollWritten")
]

KINDS = [
    ("longLived", "longLived"),
    ("longLived", "bounded"),
    ("bounded", "bounded"),
    ("bounded", "longLived"),
]

SOME = KINDS[: scale(1, len(KINDS))]


@pytest.fixture(autouse=True)
def _in_memory(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What the control plane would call the cluster with calls the one in memory."""

    def client(registered: Registered) -> Any:
        assert WORLDS, "a world is made first"
        return WORLDS[-1].compute.with_token(registered.token)

    monkeypatch.setattr(rotation, "registered_client", client)
    yield
    WORLDS.clear()


WORLDS: list[World] = []


SERVING = ({"serving": True}, {"serving": {"namespace": "serving"}})
"""Settings by which inference servers run on the cluster."""


def registered_stack(kind: str = "longLived", layout: str = "inline", serves: bool = False) -> FakeStack:
    """A cluster that is registered and reported, with its first credential."""
    world = World()
    WORLDS.append(world)
    stack = FakeStack(world, *(SERVING if serves else ()), layout=layout)
    if kind == "bounded":
        stack.edit([(("clusters", NAME, "credential"), {"generation": 0, "kind": "bounded"})])
        (result,) = rotate(stack)
        assert (result.done, result.after) == (True, 1)
    else:
        stack.apply([NAME], "registered")
    world.beat()
    assert world.rolls == 0, "adding a cluster rolls nothing"
    world.switches = 0
    return stack


def rotate(stack: FakeStack, at: str = "", **how: Any) -> list[Rotated]:
    """One run of the command; ended at a step, or before something an update writes, when `at` names it."""

    def reached(step: str) -> None:
        stack.world.nobody_is_cut_off()
        if at == step:
            raise EndedError

    def doing(what: str) -> None:
        if at == what or (at == "delete credential" and what.startswith("delete")):
            raise EndedError

    stack.at = doing
    try:
        made = Rotation(stack, lambda _: None, reached, use_seconds=0.0)
        made.plan([NAME], **how)
        return made.run()
    finally:
        stack.at = lambda _: None


def secrets(world: World) -> set[str]:
    return {path.rpartition("/")[2] for path in world.compute.objects if "/secrets/" in path}


@pytest.mark.parametrize(("before", "after"), KINDS, ids=["-".join(pair) for pair in KINDS])
def test_a_new_credential_takes_over_and_the_old_one_is_dead(before: Any, after: Any) -> None:
    """REG-8: one Secret written, one roll, one credential left, of either kind."""
    stack = registered_stack(before)
    world, old = stack.world, stack.world.registered()
    (result,) = rotate(stack, kind=after)
    assert (result.done, result.before, result.after, result.findings) == (True, 1, 2, [])
    assert result.refused == {1: result.refused[1]}
    assert result.refused[1] is not None
    assert (world.switches, world.rolls) == (1, 1)
    assert secrets(world) == {ray_manager_token(2)}
    assert world.is_valid(world.registered())
    assert world.cached == world.registered()
    assert not world.is_valid(old)
    credential = stack.settings().clusters[NAME].credential
    assert (credential.kind, credential.generation, credential.keep) == (after, 2, ())
    assert ("clusterTokens" in stack.text) == (after == "bounded")


@pytest.mark.parametrize("rollback", [False, True], ids=["goes-on", "goes-back"])
@pytest.mark.parametrize(("before", "after"), SOME, ids=["-".join(pair) for pair in SOME])
@pytest.mark.parametrize(("layout", "step"), CASES)
def test_ended_anywhere_it_goes_on_or_back_and_nobody_is_cut_off(
    layout: str, step: str, before: Any, after: Any, rollback: bool
) -> None:
    """REG-8: whatever was registered, whatever the platform had read, was valid at every moment; in the end
    there is one credential, it is used, and every other one is dead."""
    stack = registered_stack(before, layout)
    world = stack.world
    with pytest.raises(EndedError):
        rotate(stack, step, kind=after)
    world.nobody_is_cut_off()
    world.beat()
    given_back = rollback and bool(stack.settings().clusters[NAME].credential.keep)
    results = rotate(stack, rollback=rollback)
    world.beat()
    assert [(result.done, result.findings) for result in results] == [(True, [])]
    credential = stack.settings().clusters[NAME].credential
    assert credential.keep == ()
    assert world.cached == world.registered()
    assert world.is_valid(world.registered())
    if given_back:
        assert credential.generation == 1
    if not rollback or given_back:
        assert secrets(world) == {ray_manager_token(credential.generation)}
    assert world.rolls <= 2


@pytest.mark.parametrize(("layout", "updates"), [("inline", 2), ("sharded", 3)])
def test_a_rotation_takes_two_updates_and_deletes_one_secret(layout: str, updates: int) -> None:
    """REG-8: where one stack holds both, one update moves the credential and rolls who reads it; the last
    step runs no program."""
    stack = registered_stack(layout=layout)
    stack.applied = 0
    (result,) = rotate(stack)
    assert (result.done, stack.applied, stack.destroyed) == (True, updates, 1)
    assert (stack.world.switches, stack.world.rolls) == (1, 1)


def test_pods_that_read_the_old_credential_are_rolled_once_more() -> None:
    """REG-8 (V14): whatever the order within an update was, nothing is withdrawn that a pod may have read."""
    stack = registered_stack()
    stack.is_ordered = False
    (result,) = rotate(stack)
    assert (result.done, stack.world.rolls) == (True, 2)
    assert stack.world.cached == stack.world.registered()


def test_nothing_is_withdrawn_when_an_update_rolled_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """REG-8 (V14): the platform would be cut off; both credentials stay, and the same command goes on."""
    stack = registered_stack(layout="sharded")
    old = stack.world.registered()
    with monkeypatch.context() as patched:
        patched.setattr(stack, "_roll", lambda _: None)
        with pytest.raises(ToolkitError, match="was not rolled"):
            rotate(stack)
    assert stack.world.is_valid(old)
    (result,) = rotate(stack)
    assert (result.done, result.after) == (True, 2)


def serving_token(world: World) -> str:
    """The token of serving on the control plane."""
    secret = world.control_plane.objects[secret_path("cluster-gpu-is-token")]
    return base64.b64decode(secret["data"]["token"]).decode()


@pytest.mark.parametrize(("before", "after"), KINDS, ids=["-".join(pair) for pair in KINDS])
@proves("OPS-5")
def test_the_token_of_serving_turns_with_the_credential(
    before: Any, after: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OPS-5, REG-8: proven before it is handed over, and the old one shown to be refused."""
    stack = registered_stack(before, serves=True)
    world, old = stack.world, serving_token(stack.world)
    tried: list[str] = []

    def with_token(_: str, token: str) -> Any:
        tried.append(token)
        return world.compute.with_token(token)

    monkeypatch.setattr(stack, "with_token", with_token)
    (result,) = rotate(stack, kind=after)
    assert (result.done, result.findings) == (True, [])
    new = serving_token(world)
    assert secrets(world) == {ray_manager_token(2), "inference-server-manager-token-2"}
    assert world.is_valid(new)
    assert not world.is_valid(old)
    assert {old, new} <= set(tried)


@pytest.mark.parametrize(("layout", "step"), CASES)
def test_ended_anywhere_serving_is_not_cut_off(layout: str, step: str) -> None:
    """OPS-5, REG-8: what InferenceServers name is valid at every moment."""
    stack = registered_stack(layout=layout, serves=True)
    with pytest.raises(EndedError):
        rotate(stack, step)
    assert stack.world.is_valid(serving_token(stack.world))
    (result,) = rotate(stack)
    assert (result.done, result.findings) == (True, [])
    assert stack.world.is_valid(serving_token(stack.world))


def test_a_token_of_serving_that_lacks_a_right_is_not_handed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """OPS-5: the old credential stays registered, and with it the old token."""
    stack = registered_stack(serves=True)
    old = serving_token(stack.world)

    def review(self: FakeServer, path: str, item: Any) -> Any:
        wanted = item["spec"].get("resourceAttributes", {}) if "spec" in item else {}
        if wanted.get("resource") == "endpointslices" and wanted.get("verb") == "create":
            return {"status": {"allowed": False}}
        return asked(self, path, item)

    asked = FakeServer.review
    monkeypatch.setattr(FakeServer, "review", review)
    (result,) = rotate(stack)
    assert [finding.code for finding in result.findings] == ["MA443"]
    assert "create endpointslices.discovery.k8s.io in all namespaces" in result.findings[0].evidence
    assert serving_token(stack.world) == old


def test_with_nothing_under_way_there_is_nothing_to_go_back_to() -> None:
    """REG-8."""
    stack = registered_stack()
    text = stack.text
    (result,) = rotate(stack, rollback=True)
    assert (result.done, result.after, stack.text) == (True, 1, text)


def test_as_long_as_the_platform_does_not_use_the_new_credential_the_old_one_stays_valid() -> None:
    """REG-8: it is named, and the same command goes on once the platform reports again."""
    stack = registered_stack()
    world, old = stack.world, stack.world.registered()
    world.is_silent = True
    (result,) = rotate(stack)
    assert (result.done, [item.code for item in result.findings]) == (False, ["MA469"])
    assert world.is_valid(old)
    assert stack.settings().clusters[NAME].credential.keep[0].generation == 1
    world.is_silent = False
    (result,) = rotate(stack)
    assert (result.done, result.after, world.switches, world.rolls) == (True, 2, 1, 1)
    assert not world.is_valid(old)


def test_a_prepared_cluster_is_registered_without_a_roll() -> None:
    """REG-9 (facts 3.1): nobody can have read anything of it."""
    world = World()
    WORLDS.append(world)
    stack = FakeStack(world, {"credential": {"generation": 0}})
    (result,) = rotate(stack)
    assert (result.done, result.before, result.after, world.rolls) == (True, 0, 1, 0)
    assert "credential" not in stack.text


def test_secrets_that_only_look_like_credentials_are_left_alone() -> None:
    """REG-8: what somebody else made is neither an unfinished rotation nor deleted."""
    stack = registered_stack()
    foreign = {"metadata": {"name": "ray-manager-token-9", "labels": {}}, "type": "Opaque"}
    stack.world.compute.objects["/api/v1/namespaces/default/secrets/ray-manager-token-9"] = foreign
    plan = Rotation(stack, lambda _: None).plan([NAME])[NAME]
    assert (plan.goal.generation, plan.leftover) == (2, ())
