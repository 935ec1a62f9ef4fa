"""KubeRay on a compute cluster: definitions that are served, an operator that runs (registration guide,
prerequisites); and Kueue's queues where it has some."""

from __future__ import annotations

from typing import Final

from madeploy.clients.kubernetes import Kubernetes, Object
from madeploy.clients.objects import condition
from madeploy.clusters.remedies import Remedies, holders, steps
from madeploy.findings import Finding, find
from madeploy.names.kubernetes import KUBERAY_NAMESPACE, RAY_NAMESPACE, common_labels
from madeploy.settings import Environment
from manifests.definitions import DEFINITIONS, lack
from manifests.queues import API, kueue_release, queues

KUBERAY: Final = ("rayclusters.ray.io", "rayjobs.ray.io")
QUEUES: Final = tuple(
    f"{plural}.kueue.x-k8s.io" for plural in ("clusterqueues", "localqueues", "resourceflavors")
)
_OURS: Final = ",".join(f"{key}={value}" for key, value in common_labels().items())

VERSION: Final = "v1"
"""Version of ray.io the platform writes (facts 3.3)."""

_OPERATORS: Final = (
    "/apis/apps/v1/deployments?labelSelector=app.kubernetes.io%2Fname+in+%28kuberay-operator%2Ckuberay%29"
)
"""Deployments labelled as KubeRay's Helm chart and its kustomization do."""


def missing_definitions(compute: Kubernetes, remedies: Remedies) -> list[Finding]:
    """A finding for each definition that is not there, not established or not served in version v1.
    Raises ClientError."""
    found = []
    for name in KUBERAY:
        lacking = lack(compute.find(f"{DEFINITIONS}/{name}"), [VERSION])
        if lacking:
            found.append(find("MA446", f"{remedies.name}: {name}", lacking, fix=_install(remedies)))
    return found


def missing_queue_definitions(compute: Kubernetes, remedies: Remedies) -> list[Finding]:
    """A finding for each of Kueue's definitions that is not there, not established or not served in the
    version that queues are written in. Raises ClientError."""
    found = []
    for name in QUEUES:
        lacking = lack(compute.find(f"{DEFINITIONS}/{name}"), [API.partition("/")[2]])
        if lacking:
            release = kueue_release()
            fix = (
                f"helm install {release['name']} {release['chart']} --version {release['version']} "
                f"--namespace {release['namespace']} --create-namespace "
                f"--kube-context {remedies.compute_context}"
            )
            found.append(find("MA479", f"{remedies.name}: {name}", lacking, fix=fix))
    return found


def queue_findings(compute: Kubernetes, environment: Environment, remedies: Remedies) -> list[Finding]:
    """What is wrong with the queues that the cluster's jobs go to: Kueue's definitions, queues that are not
    there, queues that Kueue says are not active. Raises ClientError."""
    wanted = [
        item["metadata"]["name"]
        for item in queues(environment, remedies.name)
        if item["kind"] == "LocalQueue"
    ]
    if lacking := missing_queue_definitions(compute, remedies):
        return lacking
    there = {
        item["metadata"]["name"]: item
        for item in compute.items(f"/apis/{API}/namespaces/{RAY_NAMESPACE}/localqueues")
    }
    found = []
    if missing := [name for name in wanted if name not in there]:
        evidence = f"are not in namespace {RAY_NAMESPACE}"
        found.append(find("MA497", f"LocalQueues {_listed(missing)}", evidence, fix=remedies.up))
    for name, said in ((name, _inactive(there[name])) for name in wanted if name in there):
        if said:
            look = remedies.compute(f"get clusterqueues,resourceflavors -o yaml -l {_OURS}")
            fix = f"See what Kueue says of the ClusterQueue and its flavors:\n{look}"
            found.append(find("MA497", f"LocalQueue {RAY_NAMESPACE}/{name}", said, fix=fix))
    return found


def _inactive(queue: Object) -> str:
    """Why Kueue admits nothing from a queue; "" where it does, or has not looked at it yet."""
    active = condition(queue, "Active")
    said = active.get("message") or active.get("reason")
    return f"is not active: {said}" if active.get("status") == "False" else ""


def _listed(names: list[str]) -> str:
    """Names for a sentence."""
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more


def operator_findings(compute: Kubernetes, remedies: Remedies) -> list[Finding]:
    """A finding when no operator is available; one in another namespace than `ray-system` will do.
    Raises ClientError."""
    operators = _operators(compute)
    if any(_is_available(item) for item in operators):
        return []
    namespace = compute.find(f"/api/v1/namespaces/{KUBERAY_NAMESPACE}")
    if namespace is not None and namespace["metadata"].get("deletionTimestamp"):
        return [_terminating(remedies)]
    if not operators:
        evidence = f"no Deployment of it in {KUBERAY_NAMESPACE} or elsewhere"
        return [find("MA447", f"{remedies.name}: kuberay-operator", evidence, fix=_install(remedies))]
    item = operators[0]
    where, name = item["metadata"]["namespace"], item["metadata"]["name"]
    wanted = item["spec"].get("replicas", 1)
    available = (item.get("status") or {}).get("availableReplicas", 0)
    if wanted == 0:
        fix = remedies.compute(f"-n {where} scale deployment/{name} --replicas=1")
    else:
        fix = steps(
            "See why its pods do not start:",
            remedies.compute(f"-n {where} describe deployment/{name}"),
            remedies.compute(f"-n {where} get pods,events"),
        )
    evidence = f"{available} of {wanted} replicas available"
    return [find("MA447", f"{remedies.name}: Deployment {where}/{name}", evidence, fix=fix)]


def operator_version(compute: Kubernetes) -> str:
    """Version of the operator by its image's tag, such as `v1.4.2`; "" when there is none. Raises
    ClientError."""
    for item in _operators(compute):
        for container in item["spec"]["template"]["spec"]["containers"]:
            image = str(container.get("image", "")).partition("@")[0]
            name, _, tag = image.rpartition(":")
            if name and "/" not in tag:
                return tag
    return ""


def _operators(compute: Kubernetes) -> list[Object]:
    return list(compute.get(_OPERATORS).get("items") or ())


def _is_available(deployment: Object) -> bool:
    return bool((deployment.get("status") or {}).get("availableReplicas"))


def _install(remedies: Remedies) -> str:
    if remedies.installs_kuberay:
        return remedies.up
    return steps(
        "Install the operator, its definitions included:",
        f"helm install kuberay-operator kuberay/kuberay-operator --namespace {KUBERAY_NAMESPACE} "
        f"--create-namespace --version {remedies.kuberay} --kube-context {remedies.compute_context}",
    )


def _terminating(remedies: Remedies) -> Finding:
    fix = steps(
        "See what holds it, and let that go; then install the operator again:",
        remedies.compute(holders(KUBERAY_NAMESPACE)),
        *_install(remedies).splitlines()[-1:],
    )
    return find("MA453", f"{remedies.name}: namespace {KUBERAY_NAMESPACE}", "is being deleted", fix=fix)
