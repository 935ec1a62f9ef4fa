"""Tenants: a Project each, and a namespace with rights, limits and readers of models (OPS-2).

All of a tenant's objects carry its label. They are kept on the cluster when the tenant leaves the settings:
the platform deletes a namespace's contents with its Project, and that never happens by a typo.
"""

from __future__ import annotations

from typing import Any, Final

from madeploy.names.kubernetes import API_GROUP, API_VERSION
from madeploy.names.tenants import EDITOR, SHARED, TENANT_LABEL, VIEWER, WORKER_QUEUE
from madeploy.settings import Environment
from madeploy.settings.tenants import People, Tenant
from manifests.model_registry import namespace_readers
from manifests.objects import Object, metadata
from manifests.rbac import RBAC_GROUP, RBAC_VERSION, READ, Rule, cluster_role

QUOTA: Final = "michelangelo-quota"
LIMITS: Final = "michelangelo-limits"

_WRITE: Final = ("create", "update", "patch", "delete")
_KEPT: Final = {
    "argocd.argoproj.io/sync-options": "Prune=false,Delete=false",
    "kustomize.toolkit.fluxcd.io/prune": "disabled",
}
"""How GitOps engines are told to leave on the cluster what is no longer in the files."""


def tenants(environment: Environment) -> tuple[Object, ...]:
    """Everything of every tenant but its namespace, which is there before, and its NetworkPolicy."""
    if not environment.tenants:
        return ()
    return (
        *_roles(environment),
        *(
            kept(obj, name)
            for name, tenant in environment.tenants.items()
            for obj in _objects(environment, name, tenant)
        ),
    )


def kept(obj: Object, tenant: str) -> Object:
    """An object of a tenant's: labelled, and left alone by whoever removes what files no longer say."""
    meta = obj["metadata"]
    labels = {**meta["labels"], TENANT_LABEL: tenant}
    annotations = {**meta.get("annotations", {}), **_KEPT}
    return {**obj, "metadata": {**meta, "labels": labels, "annotations": annotations}}


def _roles(environment: Environment) -> tuple[Object, ...]:
    """ClusterRoles that tenants' bindings give within one namespace. Neither reads Secrets, and neither
    changes a Project, with which its namespace's contents would go."""
    plurals = list(environment.release.kinds.values())
    look: list[Rule] = [
        {"apiGroups": [API_GROUP], "resources": plurals, "verbs": list(READ)},
        {"apiGroups": [""], "resources": ["pods", "services", "events"], "verbs": list(READ)},
        {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]},
        {"apiGroups": [""], "resources": ["resourcequotas", "limitranges"], "verbs": list(READ)},
        {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": list(READ)},
    ]
    changed = [plural for plural in plurals if plural not in ("projects", "clusters")]
    change: Rule = {"apiGroups": [API_GROUP], "resources": changed, "verbs": list(_WRITE)}
    # Kept as well: bindings of tenants that left the settings go on naming them.
    return kept(cluster_role(VIEWER, look), SHARED), kept(cluster_role(EDITOR, [*look, change]), SHARED)


def _objects(environment: Environment, name: str, tenant: Tenant) -> tuple[Object, ...]:
    bindings = (
        _binding(VIEWER, name, tenant.viewers),
        _binding(EDITOR, name, tenant.editors),
    )
    return (
        _project(name, tenant),
        _quota(name, tenant),
        _limits(name, tenant),
        *(binding for binding in bindings if binding["subjects"]),
        # Namespaces that the model registry's own settings name have theirs already.
        *(namespace_readers(environment, name) if name not in environment.model_registry.namespaces else ()),
    )


def _project(name: str, tenant: Tenant) -> Object:
    queue = None if tenant.worker_queue is None else {WORKER_QUEUE: tenant.worker_queue}
    owner: dict[str, Any] = {"owningTeam": tenant.team}
    if tenant.owners:
        owner["owners"] = list(tenant.owners)
    return {
        "apiVersion": API_VERSION,
        "kind": "Project",
        # The platform wants a Project's name to be its namespace's (facts 4.3).
        "metadata": metadata(name, name, annotations=queue),
        "spec": {
            "description": tenant.description,
            "owner": owner,
            "tier": tenant.tier,
            "gitRepo": tenant.git_repo,
            "rootDir": tenant.root_dir,
        },
    }


def _quota(name: str, tenant: Tenant) -> Object:
    quota = tenant.quota
    hard: dict[str, str] = {
        "pods": str(quota.pods),
        f"count/pipelineruns.{API_GROUP}": str(quota.pipeline_runs),
    }
    if quota.cpu is not None:
        hard["requests.cpu"] = quota.cpu
    if quota.memory is not None:
        hard |= {"requests.memory": quota.memory, "limits.memory": quota.memory}
    if quota.gpus is not None:
        hard["requests.nvidia.com/gpu"] = str(quota.gpus)
    return {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": metadata(QUOTA, name),
        "spec": {"hard": hard},
    }


def _limits(name: str, tenant: Tenant) -> Object:
    defaults = tenant.container_defaults
    limit = {
        "type": "Container",
        "defaultRequest": {"cpu": defaults.cpu, "memory": defaults.memory},
        "default": {"memory": defaults.memory},
    }
    return {
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": metadata(LIMITS, name),
        "spec": {"limits": [limit]},
    }


def _binding(role: str, namespace: str, people: People) -> Object:
    subjects = [
        *({"apiGroup": RBAC_GROUP, "kind": "Group", "name": group} for group in people.groups),
        *({"apiGroup": RBAC_GROUP, "kind": "User", "name": user} for user in people.users),
    ]
    return {
        "apiVersion": RBAC_VERSION,
        "kind": "RoleBinding",
        "metadata": metadata(f"{role}s", namespace),
        "roleRef": {"apiGroup": RBAC_GROUP, "kind": "ClusterRole", "name": role},
        "subjects": subjects,
    }
