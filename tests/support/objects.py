"""Finding objects in a list, for tests that look at single ones."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from madeploy.names.kubernetes import Workload, workload
from manifests.objects import Object


def one(objects: Iterable[Object], kind: str, name: str, namespace: str | None = None) -> Object:
    """The object of this kind and name; fails unless there is exactly one."""
    found = [
        obj
        for obj in objects
        if obj["kind"] == kind
        and obj["metadata"]["name"] == name
        and (namespace is None or obj["metadata"].get("namespace") == namespace)
    ]
    assert len(found) == 1, f"{len(found)} objects {kind}/{name} where one is expected"
    return found[0]


def of_kind(objects: Iterable[Object], kind: str) -> list[Object]:
    """Objects of one kind, in order."""
    return [obj for obj in objects if obj["kind"] == kind]


def deployment(objects: Iterable[Object], service: Workload) -> Object:
    """Deployment of a service of the control plane."""
    return one(objects, "Deployment", workload(service))


def pod_spec(deployment: Object) -> dict[str, Any]:
    """Pod specification of a Deployment."""
    spec: dict[str, Any] = deployment["spec"]["template"]["spec"]
    return spec


def container(deployment: Object) -> dict[str, Any]:
    """The one container of a Deployment."""
    (found,) = pod_spec(deployment)["containers"]
    data: dict[str, Any] = found
    return data


def identity(obj: Object) -> tuple[str, str, str, str]:
    """What no two objects of one cluster share."""
    metadata = obj["metadata"]
    return obj["apiVersion"].rpartition("/")[0], obj["kind"], metadata.get("namespace", ""), metadata["name"]
