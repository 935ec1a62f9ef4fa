"""Deployment, Service, ServiceAccount and disruption budget of a service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from madeploy.names.kubernetes import Workload, config_map, selector_labels, workload
from madeploy.settings import Environment
from manifests.objects import Object, metadata
from manifests.pods import Container, template


def deployment(
    environment: Environment,
    service: Workload,
    container: Container,
    annotations: Mapping[str, Any],
    overlap: bool = True,
) -> Object:
    """Deployment of a service.

    An update starts a new pod before it stops an old one (`overlap`), so that capacity never falls; a
    service that must not run twice stops first. A failed update is reported after ten minutes: API
    servers that start together on an empty cluster race to create the definitions, the losers stop and
    are restarted by the kubelet after 10 s, 20 s …, and find them there (facts 1.1), which is long done
    by then.
    """
    settings = environment.control_plane.service(service)
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(workload(service), environment.platform.namespace, service),
        "spec": {
            "replicas": settings.replicas,
            "revisionHistoryLimit": 5,
            "progressDeadlineSeconds": 600,
            "strategy": rolling if overlap else {"type": "Recreate"},
            "selector": {"matchLabels": selector_labels(service)},
            "template": template(environment, service, container, annotations),
        },
    }


def disruption_budget(environment: Environment, service: Workload) -> tuple[Object, ...]:
    """At most one replica at a time is evicted. None for a single replica, which would block every node
    drain. Pods that are not ready may always be evicted: they serve nobody."""
    settings = environment.control_plane.service(service)
    if settings.replicas < 2:
        return ()
    return (
        {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": metadata(workload(service), environment.platform.namespace, service),
            "spec": {
                "maxUnavailable": 1,
                "unhealthyPodEvictionPolicy": "AlwaysAllow",
                "selector": {"matchLabels": selector_labels(service)},
            },
        },
    )


def service_account(
    environment: Environment,
    service: Workload,
    annotations: Mapping[str, Any] | None = None,
    calls_kubernetes: bool = False,
) -> Object:
    """ServiceAccount of a service; its pods get a token only where they call the Kubernetes API."""
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": metadata(workload(service), environment.platform.namespace, service, annotations),
        "automountServiceAccountToken": calls_kubernetes,
    }


def config_map_object(environment: Environment, service: Workload, files: Mapping[str, str]) -> Object:
    """ConfigMap with a service's configuration files, text by name."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata(config_map(service), environment.platform.namespace, service),
        "data": dict(files),
    }


def cluster_service(
    environment: Environment, service: Workload, port_name: str, port: int, protocol: str
) -> Object:
    """Service inside the cluster with one port; `protocol` is its application protocol (KEP-3726)."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(workload(service), environment.platform.namespace, service),
        "spec": {
            "type": "ClusterIP",
            "selector": selector_labels(service),
            "ports": [service_port(port_name, port, protocol)],
        },
    }


def service_port(name: str, port: int, protocol: str) -> Object:
    """A port of a Service, by the name that the container's has."""
    return {"name": name, "port": port, "targetPort": name, "protocol": "TCP", "appProtocol": protocol}
