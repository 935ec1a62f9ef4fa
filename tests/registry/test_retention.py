"""Retention on systems in memory: what goes, what stays, and what an interruption leaves."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madeploy.registry.retention.engine import run
from madeploy.registry.retention.terms import Outcome, Policy, StoreError, Summary
from madeploy.registry.retention.uris import UriError, parse
from tests.support.registry import NOW, Killed, Memory, Mortal, model

DAYS = 90
POLICY = Policy(NOW - timedelta(days=DAYS), frozenset({"models", "workspace"}))
OLD, YOUNG = DAYS + 1, 1


def retain(memory: Memory, policy: Policy = POLICY) -> dict[str, Outcome]:
    """Outcomes by the model's name."""
    return {outcome.name: outcome for outcome in run(memory, memory, policy, Summary())}


def test_an_expired_model_goes_with_all_its_objects_the_objects_first() -> None:
    """MR-8 (model-registry guide, retention)."""
    memory = Memory(
        [
            model("old", OLD, ["s3://models/old/raw"], ["s3://workspace/packages/old/"]),
            model("young", YOUNG, ["s3://models/young"]),
        ],
        [
            "s3://models/old/raw",
            "s3://models/old/raw/weights",
            "s3://models/old/raw-other",
            "s3://workspace/packages/old/1/model.plan",
            "s3://models/young/weights",
        ],
    )
    found = retain(memory)
    assert {name: outcome.action for name, outcome in found.items()} == {"old": "removed"}
    assert (found["old"].objects, found["old"].size) == (3, 30)
    assert memory.names() == {"young"}
    assert memory.uris() == {"s3://models/old/raw-other", "s3://models/young/weights"}
    assert memory.log[-1] == ("model", "team-a/old")


def test_a_model_of_exactly_the_window_s_age_stays() -> None:
    """MR-8: older than the window, by creationTimestamp."""
    assert retain(Memory([model("edge", DAYS)])) == {}
    assert retain(Memory([model("beyond", DAYS + 1 / 86400)]))["beyond"].action == "removed"
    undated = model("undated", OLD)
    del undated["metadata"]["creationTimestamp"]
    assert retain(Memory([undated])) == {}


@pytest.mark.parametrize("shared", ["s3://models/base/weights", "s3://models/base"])
def test_objects_that_a_young_model_needs_stay_though_the_expired_model_goes(shared: str) -> None:
    """MR-8: the young model may name the same place or one around it."""
    memory = Memory(
        [model("old", OLD, ["s3://models/base/weights", "s3://models/old"]), model("young", YOUNG, [shared])],
        ["s3://models/base/weights", "s3://models/old/x"],
    )
    outcome = retain(memory)["old"]
    assert (outcome.action, outcome.objects, outcome.kept) == ("removed", 1, 1)
    assert "team-a/young" in outcome.reason
    assert memory.uris() == {"s3://models/base/weights"}


@pytest.mark.parametrize(
    ("uris", "reason"),
    [
        (["s3://models/shared"], "holds s3://models/shared/young, which team-a/young needs"),
        (["s3://models/old", "s3://elsewhere/old"], "none of this environment's buckets"),
        (["s3://models/old", "s3://models"], "whole bucket"),
        (["s3://models/old", "s3://models/"], "whole bucket"),
        (["s3://models/old", "/mnt/old"], "no s3:// URI"),
    ],
)
def test_of_a_model_with_an_unsafe_uri_nothing_is_deleted(uris: list[str], reason: str) -> None:
    """MR-8: it stays, whatever its other URIs, and says why."""
    objects = ["s3://models/shared/young/w", "s3://models/old/x", "s3://elsewhere/old", "s3://models/stray"]
    memory = Memory([model("old", OLD, uris), model("young", YOUNG, ["s3://models/shared/young"])], objects)
    outcome = retain(memory)["old"]
    assert outcome.action == "blocked"
    assert reason in outcome.reason
    assert memory.uris() == set(objects)
    assert memory.names() == {"old", "young"}


def test_what_a_blocked_model_refers_to_is_needed_by_it_also_at_second_hand() -> None:
    """MR-8: it stays, so its references must not dangle."""
    memory = Memory(
        [
            model("first", OLD, ["s3://models/one/a"]),
            model("second", OLD, ["s3://models/one", "s3://models/two/a"]),
            model("third", OLD, ["s3://models/two", "s3://elsewhere/x"]),
            model("fourth", OLD, ["s3://models/two/a/b"]),
        ],
        ["s3://models/one/a", "s3://models/two/a/b"],
    )
    found = retain(memory)
    # third is blocked; so is nobody around it, but what it covers stays: fourth goes without its objects.
    assert {name: outcome.action for name, outcome in found.items()} == {
        "first": "removed",
        "second": "removed",
        "third": "blocked",
        "fourth": "removed",
    }
    assert memory.uris() == {"s3://models/two/a/b"}


def test_a_model_around_a_blocked_one_is_blocked_as_well() -> None:
    """MR-8: found by going over it again, whatever the order."""
    models = [
        model("outer", OLD, ["s3://models/p", "s3://models/q/x"]),
        model("middle", OLD, ["s3://models/p/m", "s3://elsewhere/x"]),
        model("outermost", OLD, ["s3://models/q"]),
    ]
    for order in (models, models[::-1]):
        memory = Memory(order, ["s3://models/p/m/1", "s3://models/q/x"])
        assert {outcome.action for outcome in retain(memory).values()} == {"blocked"}
        assert memory.log == []


def test_a_model_that_a_deployment_names_is_in_use_and_stays() -> None:
    """MR-8, facts 3.5: what serving reads by the model's name stays too, whoever else refers to it."""
    served = {
        "metadata": {"namespace": "team-a", "name": "d"},
        "spec": {"desiredRevision": {"name": "next"}},
        "status": {"currentRevision": {"name": "now", "namespace": "team-a"}},
    }
    policy = Policy(POLICY.cutoff, frozenset({"deploy-models"}))
    memory = Memory(
        [
            model("now", OLD, ["s3://deploy-models/now"]),
            model("next", OLD),
            model("now", OLD, ["s3://deploy-models/now"], namespace="team-b"),
        ],
        ["s3://deploy-models/now/1/model.plan"],
        [served],
    )
    outcomes = [(o.namespace, o.name, o.action) for o in run(memory, memory, policy, Summary())]
    assert sorted(outcomes) == [
        ("team-a", "next", "inUse"),
        ("team-a", "now", "inUse"),
        ("team-b", "now", "removed"),
    ]
    assert memory.uris() == {"s3://deploy-models/now/1/model.plan"}


def test_models_of_other_namespaces_stay_and_what_they_need_does() -> None:
    """MR-8: where the settings limit retention to some."""
    memory = Memory(
        [
            model("old", OLD, ["s3://models/a", "s3://models/b"]),
            model("other", OLD, ["s3://models/b"], namespace="team-b"),
        ],
        ["s3://models/a", "s3://models/b"],
    )
    retain(memory, Policy(POLICY.cutoff, POLICY.buckets, frozenset({"team-a"})))
    assert memory.names() == {"other"}
    assert memory.uris() == {"s3://models/b"}


def test_a_dry_run_counts_and_removes_nothing() -> None:
    """MR-8."""
    memory = Memory([model("old", OLD, ["s3://models/old"])], ["s3://models/old/1", "s3://models/old/2"])
    outcome = retain(memory, Policy(POLICY.cutoff, POLICY.buckets, is_dry_run=True))["old"]
    assert (outcome.action, outcome.objects, outcome.size) == ("wouldRemove", 2, 20)
    assert memory.log == []
    assert memory.names() == {"old"}


def test_a_model_stays_as_long_as_one_of_its_objects_cannot_be_deleted() -> None:
    """MR-8: its `Model` is all that still names them."""
    memory = Memory([model("old", OLD, ["s3://models/old"])], [f"s3://models/old/{n}" for n in range(9)])
    memory.refused = {f"old/{n}": "AccessDenied" for n in range(5)}
    outcome = retain(memory)["old"]
    assert (outcome.action, outcome.objects) == ("failed", 4)
    assert "old/0: AccessDenied" in outcome.reason
    assert "and 2 more" in outcome.reason
    assert memory.names() == {"old"}
    memory.refused = {}
    assert retain(memory)["old"].action == "removed"
    assert memory.uris() == set()


class Meanwhile(Memory):
    """Somebody else does something after the survey, before the model is read again or deleted."""

    change: Any = None
    at_read = 1
    reads = 0

    def model(self, namespace: str, name: str) -> Any:
        self.reads += 1
        if self.reads == self.at_read:
            self.change(self.stored[namespace, name])
        found = super().model(namespace, name)
        if self.reads == self.at_read - 1:
            self.change(self.stored[namespace, name])
        return found


def test_a_model_made_anew_meanwhile_stays_with_its_objects() -> None:
    """MR-8: same name, another uid."""
    memory = Meanwhile([model("old", OLD, ["s3://models/old"])], ["s3://models/old/x"])
    memory.change = lambda found: found["metadata"].update(uid="another")
    assert retain(memory)["old"].action == "changed"
    assert memory.log == []


def test_a_model_that_gets_another_uri_meanwhile_stays_for_now() -> None:
    """MR-8: the next run knows all its objects."""
    memory = Meanwhile([model("old", OLD, ["s3://models/old"])], ["s3://models/old/x", "s3://models/new/x"])
    memory.change = lambda found: found["spec"]["modelArtifactUri"].append("s3://models/new")
    assert retain(memory)["old"].action == "changed"
    assert memory.log == []
    assert retain(memory)["old"].action == "removed"
    assert memory.uris() == set()


def test_a_model_registered_during_the_run_keeps_what_it_refers_to() -> None:
    """MR-8: an expired model's artifacts under a new name, or inside one of its places."""

    class Registering(Memory):
        def delete_model(self, namespace: str, name: str, uid: str, version: str) -> bool:
            for each in (model("new", 0, ["s3://models/two"]), model("inner", 0, ["s3://models/three/a"])):
                self.stored["team-a", each["metadata"]["name"]] = each
            return super().delete_model(namespace, name, uid, version)

    old = [model(name, OLD, [f"s3://models/{name}"]) for name in ("one", "two", "three")]
    memory = Registering(old, ["s3://models/one", "s3://models/two", "s3://models/three/a"])
    policy = Policy(POLICY.cutoff, POLICY.buckets, look_again_seconds=0)
    found = retain(memory, policy)
    assert {name: outcome.action for name, outcome in found.items()} == {
        "one": "removed",
        "two": "removed",
        "three": "blocked",
    }
    assert memory.uris() == {"s3://models/two", "s3://models/three/a"}


def test_a_label_written_between_objects_and_model_does_not_stop_the_removal() -> None:
    """MR-8: its resourceVersion is another, the model is the same."""
    memory = Meanwhile([model("old", OLD, ["s3://models/old"])], ["s3://models/old/x"])
    memory.at_read = 2
    memory.change = lambda found: found["metadata"].update(resourceVersion="2")
    assert retain(memory)["old"].action == "removed"
    assert memory.names() == set()


def test_a_store_that_refuses_one_place_fails_that_model_and_one_that_refuses_everything_ends_the_run() -> (
    None
):
    """MR-8: the rest goes on; and nobody asks ten thousand times."""

    class Refusing(Memory):
        fatal = False

        def pages(self, bucket: str, prefix: str, limit: int) -> Any:
            if prefix.startswith("bad"):
                raise StoreError("NoSuchBucket", self.fatal)
            return super().pages(bucket, prefix, limit)

    memory = Refusing([model("bad", OLD, ["s3://models/bad"]), model("good", OLD, ["s3://models/good"])])
    found = retain(memory)
    assert {name: outcome.action for name, outcome in found.items()} == {"bad": "failed", "good": "removed"}
    memory.fatal = True
    with pytest.raises(StoreError):
        retain(memory)


def world() -> Memory:
    """Expired and young models whose artifacts touch each other in every way."""
    models = [
        model("old-1", OLD, ["s3://models/one", "s3://models/shared"], ["s3://workspace/one"]),
        model("old-2", OLD, ["s3://models/two/a", "s3://models/two/b"]),
        model("old-3", OLD, ["s3://models/two/a"]),
        model("young-1", YOUNG, ["s3://models/shared"], ["s3://models/two/b/x"]),
        model("old-4", OLD, ["s3://models/four"]),
        model("young-2", YOUNG, ["s3://models/one-young"]),
    ]
    objects = [f"s3://models/one/{n}" for n in range(5)]
    objects += ["s3://models/shared/1", "s3://workspace/one/p", "s3://models/two/a", "s3://models/two/b/x/y"]
    objects += ["s3://models/two/b/z", "s3://models/four/1", "s3://models/four/2", "s3://models/one-young/1"]
    return Memory(models, objects)


YOUNG_OBJECTS = {"s3://models/shared/1", "s3://models/two/b/x/y", "s3://models/one-young/1"}


def steps() -> int:
    memory = world()
    mortal = Mortal(memory, memory)
    list(run(mortal, mortal, POLICY, Summary()))
    return mortal.steps


def referred_to(memory: Memory, uri: str) -> bool:
    """Whether some model that is left names a place that covers the object."""
    for each in memory.stored.values():
        for named in (*each["spec"]["modelArtifactUri"], *each["spec"]["deployableArtifactUri"]):
            if covers(named, uri):
                return True
    return False


def test_ended_at_any_step_and_run_again_it_comes_to_the_same_end() -> None:
    """MR-8: no object is ever without a model that names it, and none of a young model is touched."""
    whole = world()
    retain(whole)
    assert whole.names() == {"young-1", "young-2", "old-2"}
    count = steps()
    assert count > 30
    for last in range(count):
        memory = world()
        mortal = Mortal(memory, memory, last)
        with pytest.raises(Killed):
            list(run(mortal, mortal, POLICY, Summary()))
        assert memory.uris() >= YOUNG_OBJECTS, last
        orphans = {uri for uri in memory.uris() if not referred_to(memory, uri)}
        assert orphans == set(), last
        retain(memory)
        assert (memory.names(), memory.uris()) == (whole.names(), whole.uris()), last


PARTS = st.sampled_from(["a", "b", "a-b"])
PATHS = st.lists(PARTS, min_size=1, max_size=3).map("/".join)
URIS = st.builds(
    "s3://{}/{}{}".format, st.sampled_from(["models", "other"]), PATHS, st.sampled_from(["", "/"])
)
WORLDS = st.tuples(
    st.lists(st.tuples(st.booleans(), st.lists(URIS | st.just("s3://models/"), max_size=2)), max_size=5),
    st.sets(URIS, max_size=8),
    st.none() | st.integers(0, 30),
)


@given(WORLDS)
def test_whatever_the_registry_holds_nothing_is_lost_that_a_model_that_stays_names(made: Any) -> None:
    """MR-8: and what no model names any more is gone. Ended anywhere, or not at all."""
    entries, objects, last = made
    models = [model(f"m{n}", OLD if is_old else YOUNG, uris) for n, (is_old, uris) in enumerate(entries)]
    memory = Memory(models, objects)
    mortal = Mortal(memory, memory, last)
    ended = False
    try:
        list(run(mortal, mortal, POLICY, Summary()))
    except Killed:
        ended = True
    young = {f"m{n}" for n, (is_old, _) in enumerate(entries) if not is_old}
    assert memory.names() >= young
    gone = objects - memory.uris()
    named = {m["metadata"]["name"]: m["spec"]["modelArtifactUri"] for m in models}
    staying = young if ended else memory.names()
    for uri in gone:
        assert uri.startswith("s3://models/")
        assert any(covers(each, uri) for uris in named.values() for each in uris)
        assert not any(covers(each, uri) for name in staying for each in named[name])
    if not ended:
        for name in named.keys() - memory.names():
            for uri in memory.uris():
                assert referred_to(memory, uri) or not any(covers(each, uri) for each in named[name])


def covers(named: str, uri: str) -> bool:
    """Whether a URI of a model covers an object; one that is no place covers nothing."""
    try:
        place = parse(named)
    except UriError:
        return False
    return uri == str(place) or uri.startswith(f"{place}/")
