"""Pods of the control plane's services: what all of them have in common (requirement CP-7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from madeploy.names.images import reference
from madeploy.names.kubernetes import Workload, common_labels, selector_labels, workload
from madeploy.settings import Environment
from madeploy.settings.control_plane import Resources
from manifests.objects import CHECKSUM_ANNOTATION

Data = dict[str, Any]

USER: Final = 65532
"""User and group of every container: the one distroless images reserve for unprivileged processes. The
other images work under any user as long as what they write is mounted."""

ENDPOINT_REMOVAL_SECONDS: Final = 10
"""How long a pod that serves keeps serving after it was told to stop: Ingress controllers and proxies
learn of the removal later than the kubelet, and would send requests to a closed port."""

STOP_SECONDS: Final = 20
"""How long a process may take to stop after that. The Go services give themselves 15 s."""


@dataclass(frozen=True)
class Container:
    """What differs from one service's container to the next. Everything is in Kubernetes' spelling."""

    probes: Mapping[str, Any]
    """`startupProbe`, `readinessProbe`, `livenessProbe`; empty where a service can answer none."""

    ports: Mapping[str, int] = field(default_factory=dict)
    """TCP ports by name."""

    serves: bool = False
    """Whether callers reach it through a Service, so that it must outlast its own removal from there."""

    command: Sequence[str] = ()
    args: Sequence[str] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    mounts: Sequence[Data] = ()
    """`volumeMounts`, besides `/tmp`."""

    volumes: Sequence[Data] = ()
    """`volumes`, besides `/tmp`'s."""

    sysctls: Mapping[str, str] = field(default_factory=dict)
    calls_kubernetes: bool = False
    """Whether it gets a token for the Kubernetes API."""


def template(
    environment: Environment, service: Workload, container: Container, annotations: Mapping[str, Any]
) -> Data:
    """Pod template of a service. `annotations` change whenever its configuration or credentials do."""
    settings = environment.control_plane.service(service)
    spec: Data = {
        "serviceAccountName": workload(service),
        "automountServiceAccountToken": container.calls_kubernetes,
        # Variables such as MICHELANGELO_UI_PORT would tell every container of every Service.
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": STOP_SECONDS + (ENDPOINT_REMOVAL_SECONDS if container.serves else 0),
        "securityContext": pod_security(container.sysctls),
        "containers": [_container(environment, service, container, settings.resources)],
        "volumes": [*container.volumes, {"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}}],
    }
    if environment.images.pull_secrets:
        spec["imagePullSecrets"] = [{"name": name} for name in environment.images.pull_secrets]
    if environment.control_plane.zones:
        spec["affinity"] = _zone_affinity(environment.control_plane.zones)
    if settings.replicas > 1:
        spec["topologySpreadConstraints"] = spread(service, environment.control_plane.zones)
    return {
        "metadata": {"labels": common_labels(service), "annotations": dict(annotations)},
        "spec": spec,
    }


def checksum_annotation(value: str) -> Data:
    """The annotation by which a change of configuration rolls the pods."""
    return {CHECKSUM_ANNOTATION: value}


def tcp_probe(port: str, period_seconds: int, failure_threshold: int) -> Data:
    """A probe that connects to a named port."""
    return {
        "tcpSocket": {"port": port},
        "periodSeconds": period_seconds,
        "timeoutSeconds": 3,
        "failureThreshold": failure_threshold,
    }


def http_probe(port: str, path: str, period_seconds: int, failure_threshold: int) -> Data:
    """A probe that wants a 2xx or 3xx answer to GET."""
    return {
        "httpGet": {"port": port, "path": path},
        "periodSeconds": period_seconds,
        "timeoutSeconds": 3,
        "failureThreshold": failure_threshold,
    }


def config_volume(name: str, config_map: str, path: str) -> tuple[Data, Data]:
    """`(volume, mount)` of a whole ConfigMap as a folder."""
    return (
        {"name": name, "configMap": {"name": config_map}},
        {"name": name, "mountPath": path, "readOnly": True},
    )


def secret_volume(name: str, secret: str, path: str) -> tuple[Data, Data]:
    """`(volume, mount)` of a whole Secret as a folder that only the service's group can read."""
    return (
        {"name": name, "secret": {"secretName": secret, "defaultMode": 0o440}},
        {"name": name, "mountPath": path, "readOnly": True},
    )


def _container(
    environment: Environment, service: Workload, container: Container, resources: Resources
) -> Data:
    data: Data = {
        "name": service,
        "image": reference(environment, service),
        "imagePullPolicy": environment.images.pull_policy,
        "resources": _resources(resources),
        "securityContext": container_security(),
        "volumeMounts": [*container.mounts, {"name": "tmp", "mountPath": "/tmp"}],
        **container.probes,
    }
    if container.command:
        data["command"] = list(container.command)
    if container.args:
        data["args"] = list(container.args)
    if container.env:
        data["env"] = [{"name": name, "value": value} for name, value in container.env.items()]
    if container.ports:
        data["ports"] = [
            {"name": name, "containerPort": port, "protocol": "TCP"} for name, port in container.ports.items()
        ]
    if container.serves:
        # `sleep` is the kubelet's own (Kubernetes 1.30): the images have no shell to run one.
        data["lifecycle"] = {"preStop": {"sleep": {"seconds": ENDPOINT_REMOVAL_SECONDS}}}
    return data


def _resources(resources: Resources) -> Data:
    limits = {"memory": resources.memory, "ephemeral-storage": "1Gi"}
    if resources.cpu_limit is not None:
        limits["cpu"] = resources.cpu_limit
    return {
        "requests": {"cpu": resources.cpu, "memory": resources.memory, "ephemeral-storage": "128Mi"},
        "limits": limits,
    }


def container_security() -> Data:
    """What Pod Security `restricted` asks of a container, and a root that cannot be written."""
    return {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }


def pod_security(sysctls: Mapping[str, str]) -> Data:
    """What Pod Security `restricted` asks of a pod."""
    context: Data = {
        "runAsNonRoot": True,
        "runAsUser": USER,
        "runAsGroup": USER,
        "fsGroup": USER,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    if sysctls:
        context["sysctls"] = [{"name": name, "value": value} for name, value in sysctls.items()]
    return context


def _zone_affinity(zones: Sequence[str]) -> Data:
    expression = {"key": "topology.kubernetes.io/zone", "operator": "In", "values": list(zones)}
    terms = [{"matchExpressions": [expression]}]
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}}


def spread(service: Workload, zones: Sequence[str]) -> list[Data]:
    """Replicas apart, by zone and by node: one of the two is a must, the other a wish.

    Where the environment names several zones, the zone is the must. Elsewhere nodes may carry no zone
    label, and a must would leave every pod pending; there it is the node, because two replicas on one
    node do not survive its loss. Both at once could contradict each other where a zone has fewer nodes
    than the next. Nodes that refuse the pods (cordoned, lost) do not count, so that the rest can take
    over; each revision is spread on its own, so that pods on their way out do not count either.
    """
    by_zone, by_node = "topology.kubernetes.io/zone", "kubernetes.io/hostname"
    must = by_zone if len(zones) > 1 else by_node
    return [
        {
            "maxSkew": 1,
            "topologyKey": key,
            "whenUnsatisfiable": "DoNotSchedule" if key == must else "ScheduleAnyway",
            "nodeTaintsPolicy": "Honor",
            "labelSelector": {"matchLabels": selector_labels(service)},
            "matchLabelKeys": ["pod-template-hash"],
        }
        for key in (by_zone, by_node)
    ]
