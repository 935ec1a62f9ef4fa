"""What stands in the way of a release: objects and clusters as they are, before anything is changed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from madeploy.clients.errors import ClientError
from madeploy.clients.kubernetes import Kubernetes
from madeploy.clusters.checks.kuberay import operator_version
from madeploy.clusters.checks.ray_cluster import RAY_CLUSTERS
from madeploy.findings import Finding, Severity, find
from madeploy.names.tenants import WORKER_QUEUE
from madeploy.releases import Release
from madeploy.settings import Environment
from manifests.service_config import base_config

Item = Mapping[str, Any]

_SHOWN: Final = 5
_ENGINES: Final = ("pulumi", "argocd", "kustomize-controller", "helm", "terraform")
"""Managers of fields by which an infrastructure engine is known."""


def of_environment(environment: Environment, target: Release) -> Iterator[Finding]:
    """What has to be done to systems beside the platform, which nobody can look into."""
    if target.consistent_queries and environment.workflow.engine == "cadence":
        yield find("MA808", "workflow.engine", f"{environment.workflow.host} is Cadence")
    reads_endpoint = target.compute.registry_endpoint and not environment.release.compute.registry_endpoint
    if reads_endpoint and environment.clusters and environment.model_registry.endpoint is None:
        evidence = f"is not set; tasks of {target.name} read it on {len(environment.clusters)} clusters"
        yield find("MA809", "modelRegistry.endpoint", evidence)


def of_objects(found: Iterable[Item], environment: Environment, target: Release) -> Iterator[Finding]:
    """What of the platform's objects the release refuses, drops or treats otherwise."""
    by_kind: dict[str, list[Item]] = {}
    for item in found:
        by_kind.setdefault(item["kind"], []).append(item)
    for kind, fields in target.removed_fields.items():
        items = by_kind.get(kind, [])
        if items:
            having = sum(any(field in (item.get("spec") or {}) for field in fields) for item in items)
            evidence = (
                f"{len(items)} there are ({_named(items)}); {having} have {', '.join(fields)}, which "
                f"{target.name} drops"
            )
            if _skips_check(environment):
                evidence += "; the API server is told to change the definition all the same"
            yield find("MA801", kind, evidence, severity="warning" if _skips_check(environment) else "error")
    for kind, fields in target.required_fields.items():
        lacking = [
            item
            for item in by_kind.get(kind, [])
            if any(not (item.get("spec") or {}).get(field) for field in fields)
        ]
        if lacking:
            yield find("MA802", kind, f"{_named(lacking)} have no {', '.join(fields)}")
    polled = {
        *target.task_lists,
        environment.workflow.task_list,
        *environment.workflow.additional_task_lists,
    }
    queues = Counter(
        (item["metadata"].get("annotations") or {}).get(WORKER_QUEUE) for item in by_kind.get("Project", [])
    )
    missing = sorted(queue for queue in queues if queue and queue not in polled)
    if missing:
        yield find(
            "MA805", "Project", f"projects name the queues {', '.join(missing)}, which no worker polls"
        )
    managed = [item for item in by_kind.get("Pipeline", []) if _engine(item)]
    if target.cascades and by_kind.get("Pipeline"):
        evidence = f"{len(by_kind['Pipeline'])} Pipelines"
        if managed:
            engines = sorted({_engine(item) for item in managed})
            evidence += f"; {_named(managed)} are managed by {', '.join(engines)}"
        yield find("MA806", "Pipeline", evidence, severity="warning" if managed else "info")


def of_cluster(
    name: str, compute: Kubernetes | None, target: Release, *, installs: bool
) -> Iterator[Finding]:
    """What of a compute cluster the release cannot work with; `compute` None when it cannot be reached as
    configured. `installs`: whether the stack installs KubeRay there."""
    if compute is None:
        yield find("MA807", name, "its kubeconfig cannot be used")
        return
    try:
        version = operator_version(compute)
        has_ray = compute.find("/apis/ray.io/v1") is not None
        running = list(compute.items(RAY_CLUSTERS)) if has_ray else []
    except ClientError as error:
        yield find("MA807", name, str(error))
        return
    old = is_older(version, target)
    if old or not version:
        yield older_kuberay(name, version, target, "warning" if installs else "error")
    if running:
        evidence = f"{len(running)} Ray clusters run ({_named(running)})"
        yield find("MA804", name, evidence, severity="error" if old else "warning")


def is_older(version: str, target: Release) -> bool:
    """Whether an operator of KubeRay is older than the one a release is made with; not where nobody knows its
    version."""
    return bool(version) and _number(version) < _number(target.compute.kuberay)


def older_kuberay(name: str, version: str, target: Release, severity: Severity) -> Finding:
    """The finding for a cluster whose operator is older, or that has none."""
    there = f"KubeRay {version}" if version else "no operator of KubeRay"
    evidence = f"{there}; {target.name} is made with {target.compute.kuberay}"
    return find("MA803", name, evidence, severity=severity)


def _skips_check(environment: Environment) -> bool:
    return bool(base_config(environment, "apiserver")["apiserver"]["crdSync"]["skipIncompatibleCheck"])


def _named(items: Sequence[Item]) -> str:
    names = [f"{item['metadata'].get('namespace', '')}/{item['metadata']['name']}" for item in items]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _engine(item: Item) -> str:
    """The infrastructure engine that writes an object; "" when none does."""
    for entry in item["metadata"].get("managedFields") or ():
        manager = str(entry.get("manager") or "").lower()
        for engine in _ENGINES:
            if manager.startswith(engine):
                return engine
    return ""


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"[0-9]+", version)[:3])
