"""RBAC of the API server and the controller manager: the rights their code needs, and nothing more
(facts 1.3). Worker, UI and Envoy may do nothing: they have no token."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from madeploy.names.kubernetes import (
    API_GROUP,
    CREDENTIAL_READER,
    CREDENTIALS_NAMESPACE,
    PLURALS,
    Workload,
    cluster_ca_secret,
    cluster_token_secret,
    crd,
    workload,
)
from madeploy.releases.model import Grant
from madeploy.settings import Environment
from manifests.objects import Object, metadata
from manifests.service_config import base_config

Rule = dict[str, Any]

READ: Final = ("get", "list", "watch")
RBAC_GROUP: Final = "rbac.authorization.k8s.io"
RBAC_VERSION: Final = f"{RBAC_GROUP}/v1"

RIGHTS: Final = frozenset({"ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"})
"""Kinds by which services have rights. An update makes all of them before it touches any service: one that
starts without a right of its release waits two minutes for it, ends, and starts again."""


def apiserver_rbac(environment: Environment) -> tuple[Object, ...]:
    """Rights of the API server: the platform's kinds, their definitions by name, and the namespaces that
    new projects get. It makes every caller's request in its own name."""
    definitions, group = ["customresourcedefinitions"], ["apiextensions.k8s.io"]
    kinds = environment.release.kinds
    rules = [
        _rule([API_GROUP], kinds.values(), ["get", "list", "create", "update", "delete", "deletecollection"]),
        _rule(group, definitions, ["list", "create"]),
        _rule(group, definitions, ["get", "update"], names=[crd(kind) for kind in kinds]),
        _rule([""], ["namespaces"], ["create"]),
        *_granted(environment.release.apiserver_rights),
    ]
    if base_config(environment, "apiserver")["apiserver"]["crdSync"]["enableCRDDeletion"]:
        # What it then deletes are definitions it does not know, so there is no name to give.
        rules.append(_rule(group, definitions, ["delete"]))
    return _cluster_role(environment, "apiserver", rules)


def controllermgr_rbac(environment: Environment) -> tuple[Object, ...]:
    """Rights of the controller manager: its kinds and what it makes of them cluster-wide, the
    credentials of the registered clusters by name, its Lease in its own namespace."""
    release = environment.release
    written = _plurals(release.reconciled)
    rules = [
        _rule([API_GROUP], written, [*READ, "update", "patch"]),
        _rule([API_GROUP], [f"{plural}/status" for plural in written], ["get", "update", "patch"]),
        _rule([API_GROUP], _plurals(release.read_only), READ),
        *_granted(release.controllermgr_rights),
    ]
    if environment.metadata_storage is not None:
        # Every object gets a finalizer of the ingester, which removes the object at its end.
        rules.append(_rule([API_GROUP], release.kinds.values(), [*READ, "update", "patch", "delete"]))
    if release.created:
        rules.append(_rule([API_GROUP], _plurals(release.created), ["create"]))
    if release.serving_reads_secrets and "inferenceServer" in base_config(environment, "controllermgr"):
        # Credentials of serving's target clusters come through a cache of every Secret there is.
        rules.append(_rule([""], ["secrets"], READ))
    own = environment.clusters if environment.fleet.layout == "inline" else ()
    return (
        *_cluster_role(environment, "controllermgr", rules),
        *cluster_credentials(environment, own),
        *_leader_election(environment),
    )


def role(name: str, namespace: str, rules: Sequence[Rule], service: Workload | None = None) -> Object:
    """A Role."""
    return {
        "apiVersion": RBAC_VERSION,
        "kind": "Role",
        "metadata": metadata(name, namespace, service),
        "rules": list(rules),
    }


def role_binding(
    name: str, namespace: str, role_name: str, subject: Rule, service: Workload | None = None
) -> Object:
    """A RoleBinding to a Role of the same namespace."""
    return {
        "apiVersion": RBAC_VERSION,
        "kind": "RoleBinding",
        "metadata": metadata(name, namespace, service),
        "roleRef": {"apiGroup": RBAC_GROUP, "kind": "Role", "name": role_name},
        "subjects": [subject],
    }


def cluster_role(name: str, rules: Sequence[Rule], service: Workload | None = None) -> Object:
    """A ClusterRole."""
    return {
        "apiVersion": RBAC_VERSION,
        "kind": "ClusterRole",
        "metadata": metadata(name, None, service),
        "rules": list(rules),
    }


def cluster_role_binding(name: str, role_name: str, subject: Rule, service: Workload | None = None) -> Object:
    """A ClusterRoleBinding."""
    return {
        "apiVersion": RBAC_VERSION,
        "kind": "ClusterRoleBinding",
        "metadata": metadata(name, None, service),
        "roleRef": {"apiGroup": RBAC_GROUP, "kind": "ClusterRole", "name": role_name},
        "subjects": [subject],
    }


def account(name: str, namespace: str) -> Rule:
    """A ServiceAccount as a binding's subject."""
    return {"kind": "ServiceAccount", "name": name, "namespace": namespace}


def _cluster_role(environment: Environment, service: Workload, rules: Sequence[Rule]) -> tuple[Object, ...]:
    name = workload(service)
    subject = account(name, environment.platform.namespace)
    return cluster_role(name, rules, service), cluster_role_binding(name, name, subject, service)


def _namespaced_role(
    environment: Environment, name: str, namespace: str, rules: Sequence[Rule]
) -> tuple[Object, ...]:
    subject = account(workload("controllermgr"), environment.platform.namespace)
    return (
        role(name, namespace, rules, "controllermgr"),
        role_binding(name, namespace, name, subject, "controllermgr"),
    )


def cluster_credentials(
    environment: Environment, clusters: Iterable[str], shard: int | None = None
) -> tuple[Object, ...]:
    """Reading the registered clusters' Secrets, where the platform looks for them. Nothing while no
    cluster is registered: a rule without names would be a right to every Secret there.

    A shard has a Role of its own for its clusters, so that adding one changes nothing of the others.
    """
    names = [
        secret(cluster)
        for cluster in sorted(clusters)
        for secret in (cluster_ca_secret, cluster_token_secret)
    ]
    if not names:
        return ()
    rules = [_rule([""], ["secrets"], ["get"], names=names)]
    name = CREDENTIAL_READER if shard is None else f"{CREDENTIAL_READER}-{shard:02d}"
    return _namespaced_role(environment, name, CREDENTIALS_NAMESPACE, rules)


def _leader_election(environment: Environment) -> tuple[Object, ...]:
    """The Lease in the pods' own namespace (V3). `create` cannot be limited by name: the name of what is
    created is not known when the right is checked."""
    settings = environment.control_plane.controllermgr
    if not settings.leader_election:
        return ()
    group, leases = ["coordination.k8s.io"], ["leases"]
    rules = [
        _rule(group, leases, ["create"]),
        _rule(group, leases, ["get", "update"], names=[settings.leader_election_id]),
    ]
    name = f"{workload('controllermgr')}-leader-election"
    return _namespaced_role(environment, name, environment.platform.namespace, rules)


def _granted(grants: Iterable[Grant]) -> list[Rule]:
    return [_rule([grant.group], grant.resources, grant.verbs) for grant in grants]


def _plurals(kinds: Iterable[str]) -> list[str]:
    return [PLURALS[kind] for kind in kinds]


def _rule(
    groups: Iterable[str], resources: Iterable[str], verbs: Iterable[str], names: Iterable[str] = ()
) -> Rule:
    rule: Rule = {"apiGroups": list(groups), "resources": list(resources), "verbs": list(verbs)}
    if names:
        rule["resourceNames"] = list(names)
    return rule
