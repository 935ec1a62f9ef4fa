"""What objects are waited for, without a cluster: rules on plain objects, waits on a scripted one."""

from __future__ import annotations

import threading
import time
from typing import Any, cast

import pytest

from madeploy.sandbox.plugins.kubernetes.client import ApiError, Client
from madeploy.sandbox.plugins.kubernetes.conditions import ConditionError, parse
from madeploy.sandbox.plugins.kubernetes.readiness import HopelessError, wait_for
from madeploy.sandbox.plugins.kubernetes.waiting import NotReadyError, Waiter


class Scripted:
    """Answers with one object after the other, the last one for ever; `None` is "not found"."""

    def __init__(self, *answers: dict[str, Any] | None, listed: list[dict[str, Any]] | None = None) -> None:
        self._answers = list(answers)
        self._listed = listed or []

    def get(self, target: dict[str, Any], name: str | None = None) -> dict[str, Any]:
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if answer is None:
            raise ApiError(404, "NotFound", "not found")
        return answer

    def list(self, *_: object) -> list[dict[str, Any]]:
        return self._listed


def client(*answers: dict[str, Any] | None, listed: list[dict[str, Any]] | None = None) -> Client:
    return cast(Client, Scripted(*answers, listed=listed))


def thing(**status: Any) -> dict[str, Any]:
    metadata = {"name": "thing", "namespace": "n", "uid": "1", "generation": 2}
    return {"apiVersion": "example.org/v1", "kind": "Thing", "metadata": metadata, "status": status}


HOLDS = [
    ("jsonpath={.status.phase}=Running", True),
    ("jsonpath={.status.phase}", True),
    ("jsonpath=.status.phase=Running", True),
    ("jsonpath={.status.phase}='Running'", True),
    ("jsonpath={.status.phase}=Stopped", False),
    ("jsonpath={.status.missing}", False),
    ("jsonpath={.status.empty}", False),
    ("jsonpath={.status.count}=3", True),
    ("jsonpath={.status.done}=true", True),
    ("jsonpath={.status.items[0].name}=a", True),
    ("jsonpath={.status.items[-1].name}=b", True),
    ("jsonpath={.status.items[5].name}", False),
    ("jsonpath={.status.items[*].name}", True),
    ("jsonpath={.status.items[*].name}=a", False),
    ("jsonpath={.status['with.dot']}=x", True),
    (r"jsonpath={.status.with\.dot}=x", True),
    ('jsonpath={.status.conditions[?(@.type=="Ready")].status}=True', True),
    ('jsonpath={.status.conditions[?(@.type=="Other")].status}=True', False),
    ("condition=Ready", True),
    ("condition=ready=true", True),
    ("condition=Ready=False", False),
    ("condition=Absent", False),
    ('["condition=Ready", "jsonpath={.status.phase}=Running"]', True),
    ('["condition=Ready", "jsonpath={.status.phase}=Stopped"]', False),
]


@pytest.mark.parametrize(("annotation", "holds"), HOLDS)
def test_conditions_mean_what_kubectl_means(annotation: str, holds: bool) -> None:
    """`pulumi.com/waitFor`: the forms of `kubectl wait`."""
    live = thing(
        phase="Running",
        empty="",
        count=3,
        done=True,
        items=[{"name": "a"}, {"name": "b"}],
        conditions=[{"type": "Ready", "status": "True", "observedGeneration": 2}],
        **{"with.dot": "x"},
    )
    assert (parse(annotation)(client(live), live) == []) is holds


def test_a_condition_of_an_older_generation_does_not_count() -> None:
    """The controller has not seen the change yet."""
    live = thing(conditions=[{"type": "Ready", "status": "True", "observedGeneration": 1}])
    assert parse("condition=Ready")(client(live), live) != []


@pytest.mark.parametrize(
    "annotation", ["", "[]", "phase=Running", "jsonpath=", "jsonpath={.a[?(@.b>1)]}", "jsonpath={a"]
)
def test_conditions_that_cannot_be_understood_are_refused(annotation: str) -> None:
    """Before anything is made, with the part that is not understood."""
    with pytest.raises(ConditionError, match="waitFor"):
        parse(annotation)


def workload(kind: str, spec: dict[str, Any], status: dict[str, Any]) -> dict[str, Any]:
    metadata = {"name": "w", "namespace": "n", "generation": 2}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": metadata, "spec": spec, "status": status}


ROLLED_OUT = {"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}
SET = {"observedGeneration": 2, "readyReplicas": 2, "currentRevision": "b", "updateRevision": "b"}
READY = [
    ("Deployment", {"replicas": 2}, ROLLED_OUT, True),
    ("Deployment", {"replicas": 2}, {**ROLLED_OUT, "observedGeneration": 1}, False),
    ("Deployment", {"replicas": 2}, {**ROLLED_OUT, "availableReplicas": 1}, False),
    ("Deployment", {"replicas": 2}, {**ROLLED_OUT, "replicas": 3}, False),
    ("Deployment", {"replicas": 0}, {"observedGeneration": 2}, True),
    ("Deployment", {"replicas": 2}, {}, False),
    ("StatefulSet", {"replicas": 2}, SET, True),
    ("StatefulSet", {"replicas": 2}, {**SET, "currentRevision": "a"}, False),
    (
        "StatefulSet",
        {"replicas": 2, "updateStrategy": {"type": "OnDelete"}},
        {**SET, "currentRevision": "a"},
        True,
    ),
    ("StatefulSet", {"replicas": 2}, {**SET, "readyReplicas": 1}, False),
    ("DaemonSet", {}, {"observedGeneration": 2, "desiredNumberScheduled": 0}, True),
    (
        "DaemonSet",
        {},
        {
            "observedGeneration": 2,
            "desiredNumberScheduled": 1,
            "updatedNumberScheduled": 1,
            "numberAvailable": 0,
        },
        False,
    ),
]


@pytest.mark.parametrize(("kind", "spec", "status", "ready"), READY)
def test_workloads_are_ready_when_rolled_out(
    kind: str, spec: dict[str, Any], status: dict[str, Any], ready: bool
) -> None:
    """Every pod is of the newest kind and available."""
    live = workload(kind, spec, status)
    wait = wait_for("apps/v1", kind)
    assert wait is not None
    assert (wait.rule(client(live), live) == []) is ready


def test_a_roll_out_that_does_not_move_is_explained_by_its_pods() -> None:
    """The reason is in the pods, and alike pods say it once."""
    pods = [
        {
            "metadata": {"name": f"w-{number}", "namespace": "n"},
            "status": {
                "conditions": [
                    {
                        "type": "PodScheduled",
                        "status": "False",
                        "reason": "Unschedulable",
                        "message": "no room",
                    }
                ]
            },
        }
        for number in range(3)
    ]
    spec = {"replicas": 3, "selector": {"matchLabels": {"app": "w"}}}
    live = workload("Deployment", spec, {**ROLLED_OUT, "availableReplicas": 0})
    wait = wait_for("apps/v1", "Deployment")
    assert wait is not None
    reasons = wait.rule(client(live, listed=pods), live)
    assert len(reasons) == 2
    assert reasons[1] == "[Pod n/w-2]: Unschedulable: no room"


def test_a_failed_job_is_not_waited_for() -> None:
    """Waiting cannot mend it."""
    live = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "j"},
        "spec": {},
        "status": {"conditions": [{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}]},
    }
    wait = wait_for("batch/v1", "Job")
    assert wait is not None
    with pytest.raises(HopelessError, match="BackoffLimitExceeded"):
        wait.rule(client(live), live)


SERVICES = [
    ({"clusterIP": "10.0.0.1", "selector": {"a": "b"}}, [{"conditions": {"ready": True}}], True),
    ({"clusterIP": "10.0.0.1", "selector": {"a": "b"}}, [{"conditions": {"ready": False}}], False),
    ({"clusterIP": "10.0.0.1", "selector": {"a": "b"}}, [], True),
    ({"clusterIP": "10.0.0.1"}, [{"conditions": {"ready": False}}], True),
    ({"clusterIP": "None", "selector": {"a": "b"}}, [{"conditions": {"ready": False}}], True),
    ({"type": "ExternalName", "externalName": "a.b"}, [], True),
    ({"type": "LoadBalancer", "clusterIP": "10.0.0.1"}, [], False),
]


@pytest.mark.parametrize(("spec", "endpoints", "ready"), SERVICES)
def test_services_wait_for_their_pods_unless_they_have_none(
    spec: dict[str, Any], endpoints: list[dict[str, Any]], ready: bool
) -> None:
    """Headless and external services, and those without a selector, have nothing to wait for."""
    live = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "s", "namespace": "n"},
        "spec": spec,
        "status": {"loadBalancer": {}},
    }
    wait = wait_for("v1", "Service")
    assert wait is not None
    assert (wait.rule(client(live, listed=[{"endpoints": endpoints}]), live) == []) is ready


def waiter(found: Client, cancelled: threading.Event | None = None) -> tuple[Waiter, list[str]]:
    said: list[str] = []
    return Waiter(found, cancelled or threading.Event(), said.append), said


def test_a_wait_ends_when_the_condition_holds_and_says_what_is_missing_until_then() -> None:
    """A line of status for the person at the terminal, only when it changes."""
    patient, said = waiter(client(thing(), thing(phase="a"), thing(phase="b")))
    live = patient.until_ready(thing(), parse("jsonpath={.status.phase}=b"), 5)
    assert live["status"]["phase"] == "b"
    assert said == ["waiting for {.status.phase} to be b"]


def test_a_wait_has_an_end() -> None:
    """The error names the object and what is missing."""
    patient, _ = waiter(client(thing()))
    with pytest.raises(NotReadyError, match="'thing' timed out") as caught:
        patient.until_ready(thing(), parse("jsonpath={.status.phase}=b"), 0.2)
    assert caught.value.reasons == ["waiting for {.status.phase} to be b"]


def test_an_interrupt_ends_every_wait_at_once() -> None:
    """Ctrl-C: the engine sends Cancel while the operations wait."""
    cancelled = threading.Event()
    patient, _ = waiter(client(thing()), cancelled)
    threading.Timer(0.2, cancelled.set).start()
    began = time.monotonic()
    with pytest.raises(NotReadyError, match="cancelled"):
        patient.until_ready(thing(), parse("jsonpath={.status.phase}=b"), 60)
    with pytest.raises(NotReadyError, match="cancelled"):
        patient.until_gone(thing(), "thing", 60)
    assert time.monotonic() - began < 2


def test_an_object_that_vanishes_is_not_waited_for() -> None:
    """Somebody deleted it in the meantime."""
    patient, _ = waiter(client(None))
    with pytest.raises(NotReadyError, match="cannot be waited for"):
        patient.until_ready(thing(), parse("jsonpath={.status.phase}=b"), 5)


def test_a_deletion_is_over_when_the_object_or_its_identity_is_gone() -> None:
    """A controller may make a new object of the same name at once."""
    patient, _ = waiter(client(thing(), None))
    patient.until_gone(thing(), "thing", 5)
    again = thing()
    again["metadata"] = {**again["metadata"], "uid": "2"}
    patient, _ = waiter(client(again))
    patient.until_gone(thing(), "thing", 5)


def test_a_deletion_that_is_held_up_names_the_finalizers() -> None:
    """Engineering rule 17: the exact remedy follows from who holds on."""
    held = thing()
    held["metadata"] = {**held["metadata"], "finalizers": ["example.org/keep"]}
    patient, _ = waiter(client(held))
    with pytest.raises(NotReadyError, match="Timed out waiting for deletion") as caught:
        patient.until_gone(held, "thing", 0.2)
    assert caught.value.reasons == ["it has finalizers: example.org/keep"]
