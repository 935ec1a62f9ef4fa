"""Roll-outs that stop for nine reasons on a real API server, with its scheduler and controllers: each is
named by its code, and what is printed brings it to an end.

No container runs: what a kubelet would report of a pod is written into its status, and taken back by a new
pod, which kwok has running.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

import pytest

from madeploy.doctor import rollouts
from tests.support import stuck_pods
from tests.support.bench import SPACE, Act, Bench
from tests.support.clears import cases, clears
from tests.support.stuck_pods import reported, warned
from tests.support.waiting import wait

pytestmark = pytest.mark.sandbox

Fault = Callable[[Bench, contextlib.ExitStack], Act]
"""Brings a fault about; gives what a person does by hand."""

UI = "michelangelo-ui"


def again(bench: Bench) -> None:
    """New pods in place of those there are."""
    stuck_pods.again(bench.hub, UI)


def nudge(bench: Bench) -> None:
    """Have the ReplicaSet's controller look at once, and not after its pause."""
    bench.kubectl(f"-n {SPACE} annotate replicasets -l app={UI} example.com/look={time.time()} --overwrite")


def unschedulable(bench: Bench, left: contextlib.ExitStack) -> Act:
    nodes = " ".join(bench.kubectl("get nodes -o name").split())
    bench.kubectl(f"cordon {nodes}")
    left.callback(bench.kubectl, f"uncordon {nodes}")
    again(bench)
    return lambda: bench.kubectl(f"uncordon {nodes}")


def image(bench: Bench, left: contextlib.ExitStack) -> Act:
    said = 'Back-off pulling image "registry.example.com/ui:1": not found'
    reported(bench.hub, UI, {"waiting": {"reason": "ImagePullBackOff", "message": said}})
    return lambda: again(bench)


def configuration(bench: Bench, left: contextlib.ExitStack) -> Act:
    said = 'configmap "public-config" not found'
    reported(bench.hub, UI, {"waiting": {"reason": "CreateContainerConfigError", "message": said}})
    return lambda: again(bench)


def crash(bench: Bench, left: contextlib.ExitStack) -> Act:
    last = {
        "exitCode": 1,
        "reason": "Error",
        "message": "nginx: [emerg] no config: password=hunter2-of-a-test",
    }
    waiting = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s"}}
    reported(bench.hub, UI, waiting, restartCount=4, lastState={"terminated": last})
    return lambda: again(bench)


def probe(bench: Bench, left: contextlib.ExitStack) -> Act:
    pod = reported(bench.hub, UI, {"running": {"startedAt": "2026-01-01T00:00:00Z"}})
    warned(bench.hub, pod, "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503")
    return lambda: again(bench)


def volume(bench: Bench, left: contextlib.ExitStack) -> Act:
    pod = reported(bench.hub, UI, {"waiting": {"reason": "ContainerCreating"}})
    warned(bench.hub, pod, "FailedMount", 'MountVolume.SetUp failed for volume "config": configmap not found')
    return lambda: again(bench)


def full(bench: Bench, left: contextlib.ExitStack) -> Act:
    stuck_pods.quota(bench.hub, 0)
    left.callback(bench.hub.delete, f"/api/v1/namespaces/{SPACE}/resourcequotas/full")
    again(bench)

    def raised() -> None:
        stuck_pods.quota(bench.hub, 100)
        wait(lambda: [nudge(bench)] and stuck_pods.pods(bench.hub, UI))

    return raised


def refused(bench: Bench, left: contextlib.ExitStack) -> Act:
    policy = contextlib.ExitStack()
    left.callback(policy.close)
    policy.enter_context(stuck_pods.refusing(bench.hub, UI, "images of the UI are not signed"))
    again(bench)

    def removed() -> None:
        policy.close()
        wait(lambda: [nudge(bench)] and stuck_pods.pods(bench.hub, UI))

    return removed


def rejected(bench: Bench, left: contextlib.ExitStack) -> Act:
    bench.kubectl(f"-n {SPACE} delete serviceaccount {UI}")
    again(bench)

    def made() -> None:
        bench.up()
        wait(lambda: [nudge(bench)] and stuck_pods.pods(bench.hub, UI))

    return made


CASES: list[tuple[Fault, str, str]] = [
    (unschedulable, "MA957", "unschedulable"),
    (image, "MA958", "registry.example.com/ui:1"),
    (configuration, "MA959", "public-config"),
    (crash, "MA960", "no config"),
    (probe, "MA961", "statuscode: 503"),
    (volume, "MA962", "configmap not found"),
    (full, "MA963", "exceeded quota: full"),
    (refused, "MA964", "images of the UI are not signed"),
    (rejected, "MA965", "serviceaccount"),
]


EVERYDAY = ("MA959-configuration", "MA960-crash")


@clears(*(code for _, code, _ in CASES))
@pytest.mark.parametrize(
    ("fault", "code", "said"), cases({f"{case[1]}-{case[0].__name__}": case for case in CASES}, EVERYDAY)
)
def test_a_roll_out_that_stops_is_named_and_brought_to_an_end(
    fault: Fault, code: str, said: str, bench: Bench
) -> None:
    """CP-7, UX-3, UX-8, OPS-8: in the cluster's own words, without the password in them."""
    answer = lambda: rollouts.rollouts(bench.site)  # noqa: E731
    bench.await_codes(set(), answer)
    with contextlib.ExitStack() as left:
        left.callback(bench.up)
        act = fault(bench, left)
        found = bench.await_codes({code}, answer)
        assert any(said in finding.evidence for finding in found), found
        assert "hunter2" not in str(found)
        bench.clear(code, answer, act)
