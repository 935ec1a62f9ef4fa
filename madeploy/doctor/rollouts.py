"""Whether the stack's workloads run as declared, and what stands in the way of those that do not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from madeploy.clients.kubernetes import Kubernetes, Object
from madeploy.clients.rollouts import Kind, Reason, Workload, explain
from madeploy.doctor.checks import Seen
from madeploy.doctor.site import Site
from madeploy.findings import Finding, find
from madeploy.settings import CONTROL_PLANE

CODES: Final[Mapping[Kind, str]] = {
    "unschedulable": "MA957",
    "image": "MA958",
    "configuration": "MA959",
    "crash": "MA960",
    "probe": "MA961",
    "volume": "MA962",
    "quota": "MA963",
    "admission": "MA964",
    "rejected": "MA965",
    "unobserved": "MA965",
    "event": "MA965",
}
"""Code of each thing that stands in the way of pods."""
_PARALLEL: Final = 8


def rollouts(site: Site) -> Seen:
    """Whether every Deployment has all its replicas, updated and available. Raises ClientError."""
    client, declared = site.client(), deployments(site)
    found = of_each(declared, lambda obj: _of(site, client, obj))
    pods = sum(obj["spec"].get("replicas", 1) for obj in declared)
    return found or f"{len(declared)} Deployments with {pods} pods, all of them available"


def deployments(site: Site) -> list[Object]:
    """The Deployments that the stack declares on the control plane."""
    return [obj for obj in site.objects[CONTROL_PLANE] if obj["kind"] == "Deployment"]


def of_each(objects: list[Object], look: Callable[[Object], Iterable[Finding]]) -> list[Finding]:
    """What `look` finds about each object, several at a time, in their order."""
    with ThreadPoolExecutor(_PARALLEL) as pool:
        looked = pool.map(lambda obj: list(look(obj)), objects)
        return [finding for findings in looked for finding in findings]


def _of(site: Site, client: Kubernetes, obj: Object) -> Iterator[Finding]:
    namespace, name = obj["metadata"]["namespace"], obj["metadata"]["name"]
    live = client.find(f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}")
    # One that is not there is found by the comparison with what is declared.
    if live is None or is_complete(live):
        return
    reasons = explain(client, Workload("Deployment", namespace, name))
    for reason in reasons or (Reason("event", "nothing says why"),):
        yield rollout_finding(site, f"Deployment {namespace}/{name}", namespace, name, reason, live)


def rollout_finding(
    site: Site, subject: str, namespace: str, name: str, reason: Reason, live: Object
) -> Finding:
    """The finding for one thing that stands in the way of a Deployment."""
    status: dict[str, Any] = live.get("status") or {}
    wanted = (live.get("spec") or {}).get("replicas", 1)
    counted = f"{status.get('availableReplicas', 0)} of {wanted} available"
    held = f", {reason.pods} held up" if reason.pods else ""
    look = {
        "crash": f"-n {namespace} logs deployment/{name} --previous",
        "probe": f"-n {namespace} logs deployment/{name}",
        "quota": f"-n {namespace} describe resourcequota",
    }.get(reason.kind, f"-n {namespace} describe pods -l app={name}")
    fix = f"{reason.fix[:1].upper()}{reason.fix[1:]}:\n{site.kubectl(look)}"
    return find(CODES[reason.kind], subject, f"{reason.text} ({counted}{held})", fix=fix)


def is_complete(deployment: Object) -> bool:
    """Whether all replicas are of the newest revision and available (kubectl rollout status)."""
    status, wanted = deployment.get("status") or {}, deployment["spec"].get("replicas", 1)
    return (
        int(status.get("observedGeneration", 0)) >= int(deployment["metadata"].get("generation", 0))
        and status.get("updatedReplicas", 0) >= wanted
        and status.get("availableReplicas", 0) >= wanted
        and status.get("replicas", 0) <= status.get("updatedReplicas", 0)
    )
