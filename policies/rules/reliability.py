"""Availability of services after the loss of a pod or a node, or after a mistake."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from .embedded import CONFIG_MAP, files
from .model import ALWAYS, SERVICE, STRICT, Resource, Violation, mapping, mappings, rule, set_rule
from .pods import DISTROLESS, REPLICATED, WORKLOADS, containers, pod, replicas, selects

BUDGET: Final = "policy/PodDisruptionBudget"
_MANAGER: Final = "michelangelo-controllermgr"
_HEALTH_PATHS: Final = ("/healthz", "/readyz", "/livez")
_HEALTH_PORT: Final = 8083
_GRPC_PORT: Final = 15566
_PROBES: Final = ("startupProbe", "readinessProbe", "livenessProbe")

NAMESPACED: Final = frozenset(
    {
        "core/ConfigMap",
        "core/Secret",
        "core/Service",
        "core/ServiceAccount",
        "core/PersistentVolumeClaim",
        "networking.k8s.io/Ingress",
        "networking.k8s.io/NetworkPolicy",
        "rbac.authorization.k8s.io/Role",
        "rbac.authorization.k8s.io/RoleBinding",
        BUDGET,
        *WORKLOADS,
        *(
            f"michelangelo.api/{kind}"
            for kind in (
                "CachedOutput", "Cluster", "Deployment", "InferenceServer", "Model", "ModelFamily",
                "Pipeline", "PipelineRun", "Project", "RayCluster", "RayJob", "Revision", "SparkJob",
                "TriggerRun",
            )
        ),
    }
)  # fmt: skip


@rule(
    "MA575",
    "several-replicas",
    title="Service of one pod",
    why="Every roll-out, drain and crash is an outage.",
    fix="Set replicas to 2 or more; the controller manager needs leaderElection: true with it.",
    severities=SERVICE,
    kinds=["apps/Deployment"],
)
def single(resource: Resource) -> Iterator[Violation]:
    if replicas(resource) == 1:
        yield Violation(("spec", "replicas"), "runs one replica")


def _budgets(resources: Sequence[Resource], workload: Resource) -> Iterator[Resource]:
    """Budgets that select a workload's pods."""
    found = pod(workload)
    labels = mapping(found.metadata.get("labels")) if found else {}
    for resource in resources:
        selector = resource.spec.get("selector")
        if (
            resource.kind == BUDGET
            and resource.namespace == workload.namespace
            and isinstance(selector, Mapping)
            and selects(selector, labels)
        ):
            yield resource


@set_rule(
    "MA576",
    "disruption-budgets",
    title="Replicas without a disruption budget",
    why="An upgrade of the cluster may drain every node with a replica at once.",
    fix="Add a PodDisruptionBudget with maxUnavailable: 1 that selects its pods.",
    severities=SERVICE,
    kinds=REPLICATED | {BUDGET},
)
def without_budget(resources: Sequence[Resource]) -> Iterator[tuple[Resource, Violation]]:
    for resource in resources:
        if resource.kind in REPLICATED and replicas(resource) > 1 and not any(_budgets(resources, resource)):
            yield resource, Violation((), "no PodDisruptionBudget selects its pods")


@set_rule(
    "MA577",
    "budgets-let-go",
    title="Disruption budget that lets no pod go",
    why="No node with one of its pods can be drained: upgrades of the cluster hang.",
    fix="Use maxUnavailable: 1, or a minAvailable below the number of replicas.",
    severities=STRICT,
    kinds=REPLICATED | {BUDGET},
)
def blocking_budget(resources: Sequence[Resource]) -> Iterator[tuple[Resource, Violation]]:
    for budget in resources:
        if budget.kind != BUDGET:
            continue
        spec = budget.spec
        if str(spec.get("maxUnavailable")).strip() in ("0", "0%"):
            yield budget, Violation(("spec", "maxUnavailable"), f"maxUnavailable is {spec['maxUnavailable']}")
        if str(spec.get("minAvailable")).strip() == "100%":
            yield budget, Violation(("spec", "minAvailable"), "minAvailable is 100%")
        least = spec.get("minAvailable")
        for workload in resources:
            if (
                workload.kind in REPLICATED
                and isinstance(least, int)
                and budget in _budgets(resources, workload)
                and least >= replicas(workload)
            ):
                said = f"minAvailable is {least}, and {workload.subject} runs {replicas(workload)}"
                yield budget, Violation(("spec", "minAvailable"), said)


def _port(container: Any, given: Any) -> Any:
    """A probe's port as a number where it is one or the container names it."""
    for port, _ in mappings(container.get("ports"), ()):
        if port.get("name") == given:
            return port.get("containerPort")
    return int(given) if isinstance(given, str) and given.isdigit() else given


@rule(
    "MA578",
    "probes-that-can-pass",
    title="Probe that can never pass",
    why="The controller manager answers 404 on /healthz, /readyz and /livez, the API server "
    "neither HTTP nor gRPC health checks, and the images have no shell: the pod is restarted for ever.",
    fix="Probe GET /metrics on 8091 for the controller manager, tcpSocket 15566 for the API server, nothing "
    "for the worker.",
    severities=ALWAYS,
    kinds=WORKLOADS,
)
def hopeless_probes(resource: Resource) -> Iterator[Violation]:
    for _, container in containers(resource):
        ours = container.program in DISTROLESS
        for key in _PROBES:
            probe = mapping(container.data.get(key))
            path = (*container.path, key)
            if http := mapping(probe.get("httpGet")):
                port = _port(container.data, http.get("port"))
                if http.get("path") in _HEALTH_PATHS and (ours or port == _HEALTH_PORT):
                    said = f"{container.name}: {key} asks for {http['path']} on {port}, which answers 404"
                    yield Violation((*path, "httpGet"), said)
                elif port == _GRPC_PORT:
                    said = f"{container.name}: {key} sends HTTP to {port}, which speaks gRPC only"
                    yield Violation((*path, "httpGet"), said)
            grpc = mapping(probe.get("grpc"))
            if grpc and (ours or _port(container.data, grpc.get("port")) == _GRPC_PORT):
                said = f"{container.name}: {key} uses gRPC health checks, which it does not serve"
                yield Violation((*path, "grpc"), said)
            if "exec" in probe and ours:
                yield Violation((*path, "exec"), f"{container.name}: {key} runs a program the image has not")


@rule(
    "MA579",
    "readiness-probes",
    title="Port without a readiness probe",
    why="Callers are sent to the pod before it serves, and while it hangs.",
    fix="Add a readinessProbe on the port: tcpSocket where there is no HTTP.",
    severities=STRICT,
    kinds=["apps/Deployment", "apps/StatefulSet", "apps/DaemonSet"],
)
def unready(resource: Resource) -> Iterator[Violation]:
    for _, container in containers(resource):
        if container.main and container.data.get("ports") and not container.data.get("readinessProbe"):
            yield Violation(container.path, f"{container.name} opens ports and has no readinessProbe")


@rule(
    "MA580",
    "resources-declared",
    title="Resources not declared",
    why="The scheduler packs the pod onto full nodes, and a process without memory takes others along.",
    fix="Set requests for cpu and memory, and a limit for memory.",
    severities=STRICT,
    kinds=WORKLOADS,
)
def undeclared(resource: Resource) -> Iterator[Violation]:
    for _, container in containers(resource):
        given = mapping(container.data.get("resources"))
        requests, limits = mapping(given.get("requests")), mapping(given.get("limits"))
        missing = [
            *(f"requests.{key}" for key in ("cpu", "memory") if key not in requests and key not in limits),
            *(["limits.memory"] if "memory" not in limits else []),
        ]
        if missing:
            path = (*container.path, "resources")
            yield Violation(path, f"{container.name} has no {', '.join(missing)}")


@rule(
    "MA581",
    "replicas-apart",
    title="Replicas that may share a node",
    why="The node's loss is then the service's.",
    fix="Add topologySpreadConstraints by zone and by node, or pod anti-affinity.",
    severities=SERVICE,
    kinds=REPLICATED,
)
def together(resource: Resource) -> Iterator[Violation]:
    found = pod(resource)
    if found is None or replicas(resource) < 2:
        return
    apart = mapping(found.spec.get("affinity")).get("podAntiAffinity")
    if not apart and not found.spec.get("topologySpreadConstraints"):
        yield Violation((*found.path, "topologySpreadConstraints"), "nothing keeps its replicas apart")


@set_rule(
    "MA582",
    "one-leader",
    title="Several controller managers without an election",
    why="Each would act on every object: jobs are started twice and statuses overwrite one another.",
    fix="Set controllermgr.leaderElection: true and a leaderElectionID, or one replica.",
    severities=ALWAYS,
    kinds=["apps/Deployment", CONFIG_MAP],
)
def leaderless(resources: Sequence[Resource]) -> Iterator[tuple[Resource, Violation]]:
    crowded = {
        item.namespace
        for item in resources
        if item.kind == "apps/Deployment" and item.metadata.get("name") == _MANAGER and replicas(item) > 1
    }
    for resource in resources:
        if resource.kind != CONFIG_MAP or resource.namespace not in crowded:
            continue
        for key, content, path in files(resource):
            section = content.get("controllermgr")
            if isinstance(section, Mapping) and section.get("leaderElection") is not True:
                said = f"{key}: controllermgr.leaderElection is not true, and several replicas run"
                yield resource, Violation((*path, "controllermgr", "leaderElection"), said)


@rule(
    "MA583",
    "no-bare-pods",
    title="Pod that nothing restarts elsewhere",
    why="When its node is drained or lost, the pod is gone for good.",
    fix="Use a Deployment.",
    severities=STRICT,
    kinds=["core/Pod"],
)
def bare(resource: Resource) -> Iterator[Violation]:
    yield Violation(("kind",), "is a Pod of its own")


@rule(
    "MA584",
    "namespaces-said",
    title="Object without a namespace",
    why="Where it ends up depends on the context of whoever applies it; the platform looks in fixed places.",
    fix="Set metadata.namespace.",
    severities=STRICT,
    kinds=NAMESPACED,
)
def unplaced(resource: Resource) -> Iterator[Violation]:
    if not resource.metadata.get("namespace"):
        yield Violation(("metadata", "namespace"), "metadata.namespace is not set")


RULES: Final = (
    single,
    without_budget,
    blocking_budget,
    hopeless_probes,
    unready,
    undeclared,
    together,
    leaderless,
    bare,
    unplaced,
)
