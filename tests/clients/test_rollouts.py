"""Why a workload is not ready, by what its cluster shows of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madeploy.clients.rollouts import FIXES, Reason, Seen, judge


def pod(name: str = "a", ready: bool = False, **status: Any) -> dict[str, Any]:
    conditions = [{"type": "Ready", "status": str(ready)}, *status.pop("conditions", [])]
    return {"metadata": {"name": name, "uid": f"uid-{name}"}, "status": {"conditions": conditions, **status}}


def container(name: str = "main", **state: Any) -> dict[str, Any]:
    return {"name": name, "image": "registry.example.com/main:1", "ready": False, "state": {}, **state}


def waiting(reason: str, message: str = "", **more: Any) -> dict[str, Any]:
    return container(state={"waiting": {"reason": reason, "message": message}}, **more)


def event(
    about: Mapping[str, Any], reason: str, message: str, when: str = "2026-01-01T00:00:00Z"
) -> dict[str, Any]:
    return {
        "involvedObject": {"uid": about["metadata"]["uid"]},
        "reason": reason,
        "message": message,
        "lastTimestamp": when,
    }


def owner(**status: Any) -> dict[str, Any]:
    return {"kind": "ReplicaSet", "metadata": {"name": "a", "uid": "uid-owner"}, "status": status}


def refused(message: str) -> Seen:
    failure = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": message}
    return Seen(owner(), [owner(conditions=[failure])])


UNSCHEDULABLE = pod(
    conditions=[
        {
            "type": "PodScheduled",
            "status": "False",
            "reason": "Unschedulable",
            "message": "0/2 nodes are available: 2 Insufficient cpu.",
        }
    ]
)
CRASHED = waiting(
    "CrashLoopBackOff",
    "back-off 5m0s restarting failed container",
    restartCount=7,
    lastState={"terminated": {"exitCode": 1, "reason": "Error"}},
)
OUT_OF_MEMORY = waiting(
    "CrashLoopBackOff", restartCount=2, lastState={"terminated": {"exitCode": 137, "reason": "OOMKilled"}}
)
RUNNING = pod(containerStatuses=[container(state={"running": {}})])
WITHOUT_VOLUME = pod(containerStatuses=[waiting("ContainerCreating")])

SITUATIONS: dict[str, tuple[Seen, str, str]] = {
    "no node": (Seen(None, pods=[UNSCHEDULABLE]), "unschedulable", "2 Insufficient cpu"),
    "image that is not there": (
        Seen(None, pods=[pod(containerStatuses=[waiting("ImagePullBackOff", "Back-off pulling image")])]),
        "image",
        "registry.example.com/main:1",
    ),
    "image that is no name": (
        Seen(None, pods=[pod(containerStatuses=[waiting("InvalidImageName", "couldn't parse image name")])]),
        "image",
        "couldn't parse",
    ),
    "image of a container that comes first": (
        Seen(None, pods=[pod(initContainerStatuses=[waiting("ErrImagePull", "not found")])]),
        "image",
        "not found",
    ),
    "Secret that is not there": (
        Seen(
            None,
            pods=[pod(containerStatuses=[waiting("CreateContainerConfigError", 'secret "x" not found')])],
        ),
        "configuration",
        'secret "x" not found',
    ),
    "program that ends": (
        Seen(None, pods=[pod(containerStatuses=[CRASHED])], last_words={("a", "main"): "no such database"}),
        "crash",
        "exit code 1, 7 times, saying: no such database",
    ),
    "memory": (Seen(None, pods=[pod(containerStatuses=[OUT_OF_MEMORY])]), "crash", "OOMKilled"),
    "probe": (
        Seen(None, pods=[RUNNING], events=[event(RUNNING, "Unhealthy", "Readiness probe failed: HTTP 500")]),
        "probe",
        "HTTP 500",
    ),
    "volume": (
        Seen(
            None,
            pods=[WITHOUT_VOLUME],
            events=[event(WITHOUT_VOLUME, "FailedMount", 'configmap "envoy" not found')],
        ),
        "volume",
        'configmap "envoy" not found',
    ),
    "quota": (refused('pods "a-x" is forbidden: exceeded quota: small, requested: pods=1'), "quota", "small"),
    "Pod Security": (
        refused('pods "a-x" is forbidden: violates PodSecurity "restricted:v1.34"'),
        "admission",
        "restr",
    ),
    "webhook": (
        refused('admission webhook "policy.example.com" denied the request: no'),
        "admission",
        "policy.ex",
    ),
    "account": (
        refused('error looking up service account default/a: serviceaccount "a" not found'),
        "rejected",
        '"a"',
    ),
    "StatefulSet refused": (
        Seen(owner(), [owner()], events=[event(owner(), "FailedCreate", "exceeded quota: small")]),
        "quota",
        "small",
    ),
    "nobody looks": (
        Seen(
            {
                "kind": "Deployment",
                "metadata": {"uid": "1", "generation": 2},
                "status": {"observedGeneration": 1},
            }
        ),
        "unobserved",
        "has not looked",
    ),
    "paused": (
        Seen({"kind": "Deployment", "metadata": {"uid": "1"}, "spec": {"paused": True}}),
        "rejected",
        "paused",
    ),
    "an object without pods": (
        Seen(None, events=[event(pod(), "ProvisioningFailed", "no storage class")]),
        "event",
        "no storage class",
    ),
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_what_stands_in_the_way_is_named(situation: str) -> None:
    """UX-3: by its kind, in the cluster's words, with what to do."""
    seen, kind, words = SITUATIONS[situation]
    (reason,) = judge(seen)
    assert reason.kind == kind
    assert words in str(reason)
    assert FIXES[reason.kind] in str(reason)


def test_pods_with_the_same_trouble_are_counted_and_ready_ones_left_out() -> None:
    """UX-3: three replicas say one thing once."""
    troubled = [pod(name, containerStatuses=[CRASHED]) for name in "abc"]
    (reason,) = judge(Seen(None, pods=[*troubled, pod("d", ready=True, containerStatuses=[CRASHED])]))
    assert reason.pods == 3
    assert str(reason).startswith("3 pods: container main ended")


def test_the_last_of_several_warnings_of_a_probe_is_told() -> None:
    """UX-3: what it says now, not what it said first."""
    warnings = [
        event(RUNNING, "Unhealthy", f"probe {number}", f"2026-01-01T00:00:0{number}Z") for number in (1, 2)
    ]
    (reason,) = judge(Seen(None, pods=[RUNNING], events=warnings))
    assert "probe 2" in reason.text


def test_nothing_is_said_of_what_is_ready() -> None:
    """UX-3: no guess where there is no trouble."""
    assert judge(Seen(None, pods=[pod(ready=True)])) == ()


SECRETS = [
    "password=hunter2-and-more",
    'token: "s3cr3t-value-of-a-test"',
    "Authorization: Bearer abcdefghijklmnop",
    "postgres://admin:hunter2@db:5432/x",
    "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ0ZXN0In0.c2lnbmF0dXJl",
    "AKIA" + "ABCDEFGHIJKLMNOP",
]


@pytest.mark.parametrize("secret", SECRETS)
@given(before=st.text("abc :=\n", max_size=12), after=st.text("xyz ,\n", max_size=12))
def test_no_secret_is_repeated(secret: str, before: str, after: str) -> None:
    """UX-3: neither of a program's last words nor of a message of the cluster."""
    said = f"{before} {secret} {after}"
    seen = Seen(
        None,
        pods=[
            pod("a", containerStatuses=[container(state={"terminated": {"exitCode": 1, "message": said}})])
        ],
        last_words={},
    )
    shown = " ".join(map(str, (*judge(seen), *judge(refused(said)))))
    for value in ("hunter2", "s3cr3t-value", "abcdefghijklmnop", "eyJzdWIi", "ABCDEFGHIJKLMNOP"):
        assert value not in shown


anything = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)


@given(
    state=st.sampled_from(["waiting", "running", "terminated"]),
    inside=st.dictionaries(st.sampled_from(["reason", "message", "exitCode"]), st.none() | st.just("x")),
    ready=st.booleans(),
    messages=st.lists(st.text(max_size=20), max_size=2),
)
def test_half_written_objects_are_read_all_the_same(
    state: str, inside: dict[str, Any], ready: bool, messages: list[str]
) -> None:
    """UX-3: a look that fails hides the failure it was for."""
    status = {"name": "main", "ready": ready, "state": {state: inside}}
    one = {"metadata": {"name": "a", "uid": "1"}, "status": {"containerStatuses": [status]}}
    events = [{"involvedObject": {"uid": "1"}, "reason": "Unhealthy", "message": text} for text in messages]
    assert all(isinstance(reason, Reason) for reason in judge(Seen(None, pods=[one], events=events)))
