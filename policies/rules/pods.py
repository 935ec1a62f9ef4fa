"""Pods in the kinds that make them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from .model import Path, Resource, mapping, mappings, texts

WORKLOADS: Final = frozenset(
    {
        "apps/Deployment",
        "apps/StatefulSet",
        "apps/DaemonSet",
        "apps/ReplicaSet",
        "batch/Job",
        "batch/CronJob",
        "core/Pod",
        "core/ReplicationController",
    }
)
"""Kinds that are pods or make some."""

REPLICATED: Final = frozenset({"apps/Deployment", "apps/StatefulSet"})

DISTROLESS: Final = frozenset({"apiserver", "controllermgr", "worker"})
"""Last step of the names of the platform's images without a shell (facts 1.1)."""


class Pod(NamedTuple):
    """A pod's template: labels and annotations, and its `spec` with the path to it."""

    metadata: Mapping[str, Any]
    spec: Mapping[str, Any]
    path: Path


class Container(NamedTuple):
    """A container and its path."""

    data: Mapping[str, Any]
    path: Path
    main: bool
    """Whether it runs for the pod's whole life, not only before."""

    @property
    def name(self) -> str:
        return f"container {self.data.get('name')}"

    @property
    def security(self) -> Mapping[str, Any]:
        return mapping(self.data.get("securityContext"))

    @property
    def image(self) -> str:
        return str(self.data.get("image") or "")

    @property
    def repository(self) -> str:
        """The image's name without tag and digest."""
        folder, slash, name = self.image.partition("@")[0].rpartition("/")
        return folder + slash + name.partition(":")[0]

    @property
    def program(self) -> str:
        """Last step of the image's name, without tag and digest."""
        return self.repository.rpartition("/")[2]


def pod(resource: Resource) -> Pod | None:
    """The pod template of a workload; None where it has none."""
    owner: Any = resource.properties
    path: Path = ("spec",)
    if resource.kind == "batch/CronJob":
        owner = mapping(mapping(owner.get("spec")).get("jobTemplate"))
        path = ("spec", "jobTemplate", "spec")
    if resource.kind != "core/Pod":
        owner = mapping(mapping(owner.get("spec")).get("template"))
        path = (*path, "template", "spec")
    spec = owner.get("spec")
    return Pod(mapping(owner.get("metadata")), spec, path) if isinstance(spec, Mapping) else None


def containers(resource: Resource) -> Iterator[tuple[Pod, Container]]:
    """Every container of a workload, init containers first."""
    found = pod(resource)
    if found is None:
        return
    for key in ("initContainers", "ephemeralContainers", "containers"):
        for data, path in mappings(found.spec.get(key), (*found.path, key)):
            yield found, Container(data, path, key == "containers")


def replicas(resource: Resource) -> int:
    """Replicas a workload asks for; 1 where it says nothing."""
    given = resource.spec.get("replicas")
    return given if isinstance(given, int) and not isinstance(given, bool) else 1


def selects(selector: Any, labels: Mapping[str, Any]) -> bool:
    """Whether a label selector selects these labels (Kubernetes, labels and selectors)."""
    chosen = mapping(selector)
    if any(labels.get(key) != value for key, value in mapping(chosen.get("matchLabels")).items()):
        return False
    for expression, _ in mappings(chosen.get("matchExpressions"), ()):
        key, values = str(expression.get("key")), texts(expression.get("values"))
        holds = {
            "In": labels.get(key) in values,
            "NotIn": labels.get(key) not in values,
            "Exists": key in labels,
            "DoesNotExist": key not in labels,
        }
        if not holds.get(str(expression.get("operator")), False):
            return False
    return True
