"""Pods as rendered objects describe them: what selectors, Services and policies are matched against."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from manifests.objects import Object

_TEMPLATES = {"apps": ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"), "batch": ("Job",)}


@dataclass(frozen=True)
class WorkloadPods:
    """The pods of one workload."""

    kind: str
    name: str
    namespace: str
    labels: Mapping[str, str]
    spec: Mapping[str, Any]
    """The pod's `spec`."""

    def __str__(self) -> str:
        return f"{self.kind}/{self.namespace}/{self.name}"

    def ports(self) -> Iterator[tuple[str | None, int, str]]:
        """`(name, number, protocol)` of every declared port of its containers."""
        for container in self.spec.get("containers", ()):
            for port in container.get("ports", ()):
                yield port.get("name"), port["containerPort"], port.get("protocol", "TCP")

    def port_number(self, port: int | str, protocol: str = "TCP") -> int | None:
        """Number of a declared port given by name or number; None when no container declares it."""
        return next(
            (number for name, number, own in self.ports() if port in (name, number) and own == protocol), None
        )


def workload_pods(objects: Iterable[Object]) -> tuple[WorkloadPods, ...]:
    """The pods of every workload among the objects, and bare pods."""
    return tuple(found for obj in objects if (found := _pods(obj)) is not None)


def _pods(obj: Object) -> WorkloadPods | None:
    group, _, _ = obj["apiVersion"].rpartition("/")
    kind, meta = obj["kind"], obj["metadata"]
    if kind in _TEMPLATES.get(group, ()):
        template = obj["spec"]["template"]
    elif (group, kind) == ("batch", "CronJob"):
        template = obj["spec"]["jobTemplate"]["spec"]["template"]
    elif (group, kind) == ("", "Pod"):
        template = obj
    else:
        return None
    labels = template.get("metadata", {}).get("labels", {})
    return WorkloadPods(kind, meta["name"], meta.get("namespace", "default"), labels, template["spec"])


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a Kubernetes label selector (`matchLabels`, `matchExpressions`) matches; the empty one
    matches everything."""
    wanted = selector.get("matchLabels", {})
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    return all(_matches(expression, labels) for expression in selector.get("matchExpressions", ()))


def _matches(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, operator = expression["key"], expression["operator"]
    if operator == "In":
        return labels.get(key) in expression["values"]
    if operator == "NotIn":
        return labels.get(key) not in expression["values"]
    if operator == "Exists":
        return key in labels
    if operator == "DoesNotExist":
        return key not in labels
    raise ValueError(f"{operator!r} is no operator of a label selector")
