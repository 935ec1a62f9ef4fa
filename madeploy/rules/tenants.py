"""Rules about tenants."""

from __future__ import annotations

from collections.abc import Iterator

from madeploy.findings.codes.code import Code
from madeploy.names.kubernetes import CLUSTERS_NAMESPACE
from madeploy.rules.model import SecretNames, Violation, rule
from madeploy.settings.environment import Environment


@rule(
    {
        "MA260": Code(
            "Tenant with the name of somebody else's namespace",
            "A tenant has the namespace of its name: its people would get rights, and its quota hold, where "
            "the control plane or the cluster's own services live.",
            "Choose another name.",
        ),
    },
    reads=("tenants", "platform", "front_door", "network", "model_registry"),
)
def tenants_have_namespaces_of_their_own(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """OPS-2: and the platform takes neither `default` nor `kube-…` (facts 4.3)."""
    taken = {
        "default": "Kubernetes",
        CLUSTERS_NAMESPACE: "the platform",
        env.platform.namespace: "the control plane",
        env.front_door.controller_namespace: "the front door",
        env.network.dns.namespace: "the cluster's DNS",
    }
    if env.network.monitoring_namespace is not None:
        taken[env.network.monitoring_namespace] = "monitoring"
    if env.model_registry.ci_reader is not None:
        taken[env.model_registry.ci_reader.namespace] = "continuous integration"
    for name in env.tenants:
        owner = "Kubernetes" if name.startswith("kube-") else taken.get(name)
        if owner is not None:
            yield Violation("MA260", ("tenants", name), f"is the namespace of {owner}", key=True)


@rule(
    {
        "MA261": Code(
            "Queue of a tenant that no worker polls",
            "Runs of the tenant's pipelines wait for ever.",
            "Add the queue to workflow.additionalTaskLists, or take it away.",
        ),
    },
    reads=("tenants", "workflow", "platform"),
)
def queues_of_tenants_are_polled(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """OPS-2, CP-3."""
    polled = {env.workflow.task_list, *env.workflow.additional_task_lists, *env.release.task_lists}
    for name, tenant in env.tenants.items():
        if tenant.worker_queue is not None and tenant.worker_queue not in polled:
            path = ("tenants", name, "workerQueue")
            yield Violation("MA261", path, f"is {tenant.worker_queue}, which no worker polls")


@rule(
    {
        "MA262": Code(
            "Tenants that are not kept apart",
            "Pods of one tenant reach those of all others.",
            "Leave network.policies on.",
        ),
    },
    reads=("tenants", "network"),
)
def tenants_are_kept_apart(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """OPS-2, NET-13."""
    if len(env.tenants) > 1 and not env.network.policies:
        yield Violation("MA262", ("network", "policies"), f"is false, with {len(env.tenants)} tenants")
