"""Whether the namespaces would take the stack's pods: asked of the API server by dry runs, through quotas,
Pod Security, policies and webhooks, with nothing left behind."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Final

from madeploy.clients.errors import ClientError
from madeploy.clients.kubernetes import Kubernetes, Object
from madeploy.doctor.checks import NotCheckedError, NotNeededError, Seen
from madeploy.doctor.site import Site
from madeploy.findings import Finding, find
from madeploy.names.kubernetes import RAY_NAMESPACE
from madeploy.settings import CONTROL_PLANE
from manifests.workload_pods import WorkloadPods, selects, workload_pods

_CODES: Final = (
    ("exceeded quota", "MA927"),
    ("failed quota", "MA927"),
    ("maximum ", "MA927"),
    ("minimum ", "MA927"),
    ("violates podsecurity", "MA928"),
    ("admission webhook", "MA929"),
    ("validatingadmissionpolicy", "MA929"),
    ("denied the request", "MA929"),
)
"""What refusals of the API server's own admission say (Kubernetes, admission controllers)."""
_NO_DRY_RUN: Final = "does not support dry run"


def admission(site: Site) -> Seen:
    """Whether each workload's pod would be admitted, and quotas leave room for all of its replicas. Raises
    ClientError."""
    client = site.client()
    pods = workload_pods(site.objects[CONTROL_PLANE])
    there = {
        namespace
        for namespace in {each.namespace for each in pods}
        if client.find(f"/api/v1/namespaces/{namespace}") is not None
    }
    asked = [each for each in pods if each.namespace in there]
    if not asked:
        raise NotNeededError("the namespaces of its pods do not exist yet, and are made without quotas")
    refused: dict[tuple[str, str, str], list[str]] = {}
    for each in asked:
        if refusal := _refusal(client, each):
            refused.setdefault((*refusal, each.namespace), []).append(str(each))
    found = [
        find(
            code,
            ", ".join(names),
            f"{_whose(names)} would be refused: {said}",
            fix=_fix(site, code, namespace),
        )
        for (code, said, namespace), names in refused.items()
    ]
    return found or f"a pod of each of {len(asked)} workloads would be admitted (dry run)"


def _whose(workloads: Sequence[str]) -> str:
    return "its pod" if len(workloads) == 1 else "their pods"


def _refusal(client: Kubernetes, pods: WorkloadPods) -> tuple[str, str] | None:
    """The code of a workload's refusal and its words, without the name of the pod that was tried; None where
    it would be admitted."""
    name = f"{pods.name}-madeploy-{secrets.token_hex(3)}"
    pod: Object = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": pods.namespace,
            "labels": dict(pods.labels),
        },
        # Its own account may not exist yet, and is no matter of admission.
        "spec": {**pods.spec, "serviceAccountName": "default", "serviceAccount": "default"},
    }
    try:
        client.create(f"/api/v1/namespaces/{pods.namespace}/pods", pod, dryRun="All")
    except ClientError as error:
        if _NO_DRY_RUN in error.message:
            raise NotCheckedError("an admission webhook takes no dry runs") from None
        if error.cause not in ("forbidden", "invalid"):
            raise
        lowered = error.message.lower()
        code = next((code for sign, code in _CODES if sign in lowered), "MA934")
        said = " ".join(error.message.split()) or error.reason
        return code, said.removeprefix(f'pods "{name}" is forbidden: ')
    return None


def _fix(site: Site, code: str, namespace: str) -> str:
    if code == "MA927":
        look = site.kubectl(f"-n {namespace} describe resourcequota,limitrange")
        return f"Raise them, or ask for less in controlPlane.<service>.resources:\n{look}"
    if code == "MA928":
        level = site.kubectl(
            f"label --overwrite namespace {namespace} pod-security.kubernetes.io/enforce=baseline"
        )
        return f"Let the namespace enforce a level that its pods pass:\n{level}"
    return ""


def shut_off(site: Site, cluster: str) -> Seen:
    """Whether NetworkPolicies that are not this toolkit's select pods of the stack, or of tasks on a compute
    cluster, which then may only do what policies permit. Raises ClientError."""
    client = site.client(cluster)
    own = {
        (obj["metadata"]["namespace"], obj["metadata"]["name"])
        for obj in site.objects[cluster]
        if obj["kind"] == "NetworkPolicy"
    }
    if cluster == CONTROL_PLANE:
        pods = [
            (each.namespace, dict(each.labels), str(each)) for each in workload_pods(site.objects[cluster])
        ]
    else:
        # KubeRay puts labels of its own on task pods; those of the platform's templates are none.
        pods = [(RAY_NAMESPACE, {"ray.io/is-ray-node": "yes"}, "pods of Ray")]
    found: list[Finding] = []
    looked = 0
    for namespace in sorted({namespace for namespace, _, _ in pods}):
        for policy in client.items(f"/apis/networking.k8s.io/v1/namespaces/{namespace}/networkpolicies"):
            looked += 1
            name = policy["metadata"]["name"]
            if (namespace, name) in own:
                continue
            selector = policy["spec"].get("podSelector") or {}
            hit = [who for where, labels, who in pods if where == namespace and selects(selector, labels)]
            if hit:
                look = site.kubectl(f"-n {namespace} describe networkpolicy {name}", cluster)
                fix = f"See what it permits; add what the stack needs, or select other pods:\n{look}"
                directions = " and ".join(policy["spec"].get("policyTypes") or ["Ingress"])
                evidence = f"selects {', '.join(hit)} for {directions}"
                subject = f"{cluster}: NetworkPolicy {namespace}/{name}"
                found.append(find("MA930", subject, evidence, fix=fix))
    return found or f"{looked} NetworkPolicies on {cluster}, none of others about these pods"
