"""Why a workload does not become ready: asked of its cluster, in its pods' own words.

Engines wait for a roll-out and say that they waited. What it waits for stands in the conditions of its
ReplicaSets and pods, in the states of their containers and in events. All of it is read, nothing is written,
and no value that looks like a secret is repeated.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from madeploy.clients.errors import ClientError
from madeploy.clients.kubernetes import Kubernetes, Object
from madeploy.clients.objects import conditions, is_ready
from madeploy.documents.redaction import masked_words

Kind = Literal[
    "unschedulable",
    "image",
    "configuration",
    "crash",
    "probe",
    "volume",
    "quota",
    "admission",
    "rejected",
    "unobserved",
    "event",
]
"""What stands in the way: no node for a pod, an image, something a container refers to, a program that ends,
a probe, a volume, a quota, an admission policy or webhook, another refusal of pods, a controller that does
not look, and whatever else an event warns of."""

FIXES: Final[Mapping[Kind, str]] = {
    "unschedulable": "add nodes that fit, or ask for less (resources, node selector, tolerations)",
    "image": "correct the image's name or tag, or give the nodes access to its registry",
    "configuration": "make what the container refers to, or correct the reference",
    "crash": "see the program's log: kubectl logs --previous",
    "probe": "see the program's log: it runs, and does not answer as its probe asks",
    "volume": "make what the volume refers to, or see the storage driver's log",
    "quota": "raise the namespace's quota, or ask for less",
    "admission": "change the policy or webhook named here, or what it refuses",
    "rejected": "remove what the API server names",
    "unobserved": "see whether the cluster's controller manager runs",
    "event": "remove the cause that the event names",
}

_PATHS: Final = {
    "Deployment": "apis/apps/v1/namespaces/{}/deployments",
    "StatefulSet": "apis/apps/v1/namespaces/{}/statefulsets",
    "DaemonSet": "apis/apps/v1/namespaces/{}/daemonsets",
    "ReplicaSet": "apis/apps/v1/namespaces/{}/replicasets",
    "Job": "apis/batch/v1/namespaces/{}/jobs",
    "Pod": "api/v1/namespaces/{}/pods",
}
"""Kinds whose pods are looked at, with their collections. Of every other kind events are."""

_REVISION: Final = "deployment.kubernetes.io/revision"
_IMAGE: Final = frozenset({"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"})
_CONFIGURATION: Final = frozenset({"CreateContainerConfigError", "CreateContainerError", "RunContainerError"})
_VOLUME: Final = frozenset({"FailedMount", "FailedAttachVolume", "FailedMapVolume", "ProvisioningFailed"})
_ADMISSION: Final = (
    "admission webhook",
    "violates podsecurity",
    "validatingadmissionpolicy",
    "denied the request",
)
_LAST_LINES: Final = 5
_LOG_BYTES: Final = 4096


@dataclass(frozen=True)
class Workload:
    """One object of a cluster, by its kind and name."""

    kind: str
    namespace: str
    name: str


@dataclass(frozen=True)
class Reason:
    """One obstacle of an object's roll-out."""

    kind: Kind
    text: str
    """What it is, in the cluster's words where it has any."""

    pods: int = 0
    """How many pods it holds up; 0 where it is not about pods."""

    @property
    def fix(self) -> str:
        """What to do about it."""
        return FIXES[self.kind]

    def __str__(self) -> str:
        of_pods = f"{self.pods} pod{'s' if self.pods > 1 else ''}: " if self.pods else ""
        return f"{of_pods}{self.text} ({self.fix})"


@dataclass(frozen=True)
class Seen:
    """An object with its pods, ReplicaSets and events."""

    found: Object | None
    """The object; None where it is not there, or of a kind without pods."""

    owners: Sequence[Object] = ()
    """Whatever makes its pods: the ReplicaSet of its newest revision, or the object itself."""

    pods: Sequence[Object] = ()
    """Pods of its newest revision."""

    events: Sequence[Object] = ()
    """Warnings about all of these, the oldest first."""

    last_words: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """End of the log of a container that ended, by pod and container."""


def explain(client: Kubernetes, workload: Workload) -> tuple[Reason, ...]:
    """What stands in the way of an object, the most telling first; nothing where nothing does. Reads only.

    Raises ClientError when the cluster does not answer, or may not be asked.
    """
    return judge(look(client, workload))


def look(client: Kubernetes, workload: Workload) -> Seen:
    """Read what a cluster shows of one object. Raises ClientError."""
    namespace = workload.namespace
    path = _PATHS.get(workload.kind)
    found = client.find(f"/{path.format(namespace)}/{workload.name}") if path else None
    warnings = client.items(f"/api/v1/namespaces/{namespace}/events", fieldSelector="type=Warning")
    if found is None:
        about = [event for event in warnings if _is_about(event, workload)]
        return Seen(None, events=sorted(about, key=_moment))
    owners = _newest_replica_sets(client, found) if workload.kind == "Deployment" else [found]
    pods = [found] if workload.kind == "Pod" else _pods(client, found, {_uid(owner) for owner in owners})
    concerned = {_uid(item) for item in (found, *owners, *pods)}
    events = [event for event in warnings if event.get("involvedObject", {}).get("uid") in concerned]
    last_words = {
        (pod["metadata"]["name"], status["name"]): said
        for pod in pods
        for status in _containers(pod)
        if _has_crashed(status) and (said := _last_words(client, pod, status))
    }
    return Seen(found, owners, pods, sorted(events, key=_moment), last_words)


def judge(seen: Seen) -> tuple[Reason, ...]:
    """What stands in the way, by what was seen: refusals of pods, then what holds pods up, then other
    warnings."""
    reasons = [*_refusals(seen)]
    held = Counter(reason for pod in seen.pods for reason in _of_pod(pod, seen))
    reasons += [Reason(kind, text, count) for (kind, text), count in held.most_common()]
    if not reasons:
        reasons += _of_owner(seen)
    return tuple(reasons)


def _refusals(seen: Seen) -> Iterator[Reason]:
    """Why no pods are made: a condition of ReplicaSets, an event of every other kind."""
    said = [
        str(condition.get("message") or "")
        for owner in seen.owners
        for condition in conditions(owner)
        if condition.get("type") == "ReplicaFailure" and condition.get("status") == "True"
    ]
    if not said and not seen.pods:
        said = [event.get("message", "") for event in seen.events if event.get("reason") == "FailedCreate"][
            -1:
        ]
    for message in dict.fromkeys(said):
        lowered = message.lower()
        if "exceeded quota" in lowered or "failed quota" in lowered:
            yield Reason("quota", f"no more pods may be made: {_words(message)}")
        elif any(sign in lowered for sign in _ADMISSION):
            yield Reason("admission", f"its pods are refused: {_words(message)}")
        else:
            yield Reason("rejected", f"its pods cannot be made: {_words(message)}")


def _of_pod(pod: Object, seen: Seen) -> Iterator[tuple[Kind, str]]:
    """What holds one pod up, without its name: pods of one workload share their troubles."""
    if is_ready(pod):
        return
    for condition in conditions(pod):
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            # What the scheduler says of preemption, after all nodes, says nothing more of why.
            why = _words(condition.get("message")).partition(" no new claims to deallocate")[0]
            yield "unschedulable", f"no node takes it: {why.partition(' preemption: ')[0]}"
            return
    told = False
    for status in _containers(pod):
        for reason in _of_container(pod, status, seen):
            told = True
            yield reason
    if not told:
        for event in _last_by_reason(event for event in seen.events if _concerns(event, pod)):
            kind: Kind = "volume" if event.get("reason") in _VOLUME else "event"
            yield kind, _told(event)


def _of_container(pod: Object, status: Mapping[str, Any], seen: Seen) -> Iterator[tuple[Kind, str]]:
    name, waiting = status["name"], (status.get("state") or {}).get("waiting") or {}
    reason, message = waiting.get("reason", ""), _words(waiting.get("message"))
    if reason in _IMAGE:
        yield "image", f"image {status.get('image')} of container {name} cannot be had: {message or reason}"
    elif reason in _CONFIGURATION:
        yield "configuration", f"container {name} cannot be started: {message or reason}"
    elif _has_crashed(status):
        said = seen.last_words.get((pod["metadata"]["name"], name), "")
        yield "crash", f"container {name} ended{_how(status)}{f', saying: {said}' if said else ''}"
    elif "running" in (status.get("state") or {}) and not status.get("ready", True):
        failed = [
            _words(event.get("message"))
            for event in seen.events
            if _concerns(event, pod) and event.get("reason") == "Unhealthy"
        ]
        said = failed[-1] if failed else "it was not asked, or did not answer yet"
        yield "probe", f"container {name} runs and is not ready: {said}"


def _of_owner(seen: Seen) -> Iterator[Reason]:
    """What there is to say where no pod and no refusal says anything."""
    found = seen.found
    if found is not None:
        observed = (found.get("status") or {}).get("observedGeneration", 0)
        if "generation" in found["metadata"] and found["kind"] != "Pod" and _lags(found, observed):
            yield Reason("unobserved", "its controller has not looked at what it is now")
            return
        if (found.get("spec") or {}).get("paused"):
            yield Reason("rejected", "it is paused (spec.paused)")
            return
        for condition in conditions(found):
            if condition.get("type") == "Failed" and condition.get("status") == "True":
                yield Reason("event", f"{condition.get('reason')}: {_words(condition.get('message'))}")
    yield from (Reason("event", _told(event)) for event in _last_by_reason(seen.events))


def _lags(found: Object, observed: int) -> bool:
    # Jobs have no observed generation: theirs is seen by their start.
    if found["kind"] == "Job":
        return "startTime" not in (found.get("status") or {}) and not (found.get("spec") or {}).get("suspend")
    return int(observed) < int(found["metadata"]["generation"])


def _newest_replica_sets(client: Kubernetes, deployment: Object) -> list[Object]:
    namespace, wanted = deployment["metadata"]["namespace"], _annotation(deployment, _REVISION)
    own = [
        item
        for item in client.items(
            f"/apis/apps/v1/namespaces/{namespace}/replicasets", labelSelector=_selector(deployment)
        )
        if _is_owned(item, {_uid(deployment)})
    ]
    # `items` of a list have no kind of their own.
    return [{**item, "kind": "ReplicaSet"} for item in own if _annotation(item, _REVISION) == wanted]


def _pods(client: Kubernetes, found: Object, owners: set[str]) -> list[Object]:
    namespace = found["metadata"]["namespace"]
    pods = client.items(f"/api/v1/namespaces/{namespace}/pods", labelSelector=_selector(found))
    return [pod for pod in pods if _is_owned(pod, owners) and not pod["metadata"].get("deletionTimestamp")]


def _selector(found: Object) -> str:
    selector = (found.get("spec") or {}).get("selector") or {}
    return ",".join(f"{key}={value}" for key, value in (selector.get("matchLabels") or {}).items())


def _last_words(client: Kubernetes, pod: Object, status: Mapping[str, Any]) -> str:
    """What a container said before it ended: its termination message, else the end of its log."""
    ended = _ended(status)
    if said := _words(ended.get("message")):
        return said
    namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
    again = "true" if (status.get("lastState") or {}).get("terminated") else "false"
    query = f"container={status['name']}&previous={again}&tailLines={_LAST_LINES}&limitBytes={_LOG_BYTES}"
    try:
        return _words(client.text(f"/api/v1/namespaces/{namespace}/pods/{name}/log?{query}"))
    except ClientError:
        # Logs are the kubelet's: it may be gone, and its reader may lack the right.
        return ""


def _how(status: Mapping[str, Any]) -> str:
    ended, times = _ended(status), status.get("restartCount", 0)
    how = f" with exit code {ended['exitCode']}" if "exitCode" in ended else ""
    why = f" ({ended['reason']})" if ended.get("reason") not in (None, "Error", "Completed") else ""
    return f"{how}{why}{f', {times} times' if times > 1 else ''}"


def _has_crashed(status: Mapping[str, Any]) -> bool:
    state = status.get("state") or {}
    if (state.get("waiting") or {}).get("reason") == "CrashLoopBackOff":
        return True
    return bool(_ended(status)) and not status.get("ready") and _ended(status).get("exitCode", 1) != 0


def _ended(status: Mapping[str, Any]) -> Mapping[str, Any]:
    for state in ("state", "lastState"):
        if ended := (status.get(state) or {}).get("terminated"):
            found: Mapping[str, Any] = ended
            return found
    return {}


def _containers(pod: Object) -> list[Mapping[str, Any]]:
    status = pod.get("status") or {}
    return [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]


def _is_owned(item: Object, owners: set[str]) -> bool:
    return any(reference.get("uid") in owners for reference in item["metadata"].get("ownerReferences") or ())


def _concerns(event: Object, item: Object) -> bool:
    return bool(event.get("involvedObject", {}).get("uid") == _uid(item))


def _is_about(event: Object, workload: Workload) -> bool:
    about = event.get("involvedObject", {})
    return (about.get("kind"), about.get("name")) == (workload.kind, workload.name)


def _last_by_reason(events: Any) -> list[Object]:
    return list({event.get("reason"): event for event in events}.values())


def _told(event: Object) -> str:
    return f"{event.get('reason')}: {_words(event.get('message'))}"


def _moment(event: Object) -> str:
    series = event.get("series") or {}
    return str(event.get("lastTimestamp") or series.get("lastObservedTime") or event.get("eventTime") or "")


def _annotation(item: Object, key: str) -> str:
    return str((item["metadata"].get("annotations") or {}).get(key, ""))


def _uid(item: Object) -> str:
    return str(item["metadata"]["uid"])


def _words(text: object) -> str:
    return masked_words(str(text or ""))
