"""Kubernetes RBAC: rights that may be granted, and to whom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from .model import ADVICE, ALWAYS, STRICT, Path, Resource, Violation, mapping, mappings, rule, set_rule, texts

_GROUP: Final = "rbac.authorization.k8s.io"
ROLES: Final = frozenset({f"{_GROUP}/Role", f"{_GROUP}/ClusterRole"})
BINDINGS: Final = frozenset({f"{_GROUP}/RoleBinding", f"{_GROUP}/ClusterRoleBinding"})
_EVERYBODY: Final = frozenset(
    {"system:anonymous", "system:unauthenticated", "system:authenticated", "system:serviceaccounts"}
)
_ESCALATING_VERBS: Final = ("bind", "escalate", "impersonate")
_ESCALATING: Final = {
    "serviceaccounts/token": "create",
    "pods/exec": "create",
    "pods/attach": "create",
    "nodes/proxy": "get",
    "certificatesigningrequests/approval": "update",
}
"""Subresource and the verb that hands its holder somebody else's rights (Kubernetes, RBAC good practices)."""

_NOT_BUILT_IN: Final = frozenset({"viewer", "editor"})


def _grants(resource: Resource) -> Iterator[tuple[Mapping[str, Any], Path]]:
    yield from mappings(resource.properties.get("rules"), ("rules",))


@rule(
    "MA530",
    "no-wildcard-rights",
    title="Role that grants everything of a kind",
    why="It also grants what is added later: new resources, new verbs, Secrets among them.",
    fix="Name the groups, resources and verbs that are needed.",
    severities=ALWAYS,
    kinds=ROLES,
)
def wildcards(resource: Resource) -> Iterator[Violation]:
    for grant, path in _grants(resource):
        for key in ("apiGroups", "resources", "verbs", "nonResourceURLs"):
            if "*" in texts(grant.get(key)):
                yield Violation((*path, key), f'{key} has "*"')


def _reads_secrets(grant: Mapping[str, Any]) -> bool:
    return (
        not {"", "*"}.isdisjoint(texts(grant.get("apiGroups")))
        and not {"secrets", "*"}.isdisjoint(texts(grant.get("resources")))
        and not {"get", "list", "watch", "*"}.isdisjoint(texts(grant.get("verbs")))
    )


def _unnamed(role: Resource) -> Iterator[Violation]:
    """Secrets that a role reads without naming them."""
    for grant, path in _grants(role):
        if _reads_secrets(grant) and not grant.get("resourceNames"):
            yield Violation((*path, "resources"), "reads Secrets, without resourceNames")


@rule(
    "MA531",
    "no-secrets-of-all-namespaces",
    title="Secrets of every namespace readable",
    why="Whoever holds the role holds every credential in the cluster, other teams' included.",
    fix="Use a Role in the namespace, limited by resourceNames. The platform reads cluster credentials in "
    "`default` only.",
    severities=ALWAYS,
    kinds=[f"{_GROUP}/ClusterRole"],
)
def cluster_wide_secrets(resource: Resource) -> Iterator[Violation]:
    yield from _unnamed(resource)


@rule(
    "MA532",
    "secrets-by-name",
    title="Every Secret of a namespace readable",
    why="A Secret that is put there later is readable too; `list` returns the values as well.",
    fix="Name the Secrets in resourceNames, and grant `get` alone.",
    severities=ADVICE,
    kinds=[f"{_GROUP}/Role"],
)
def unnamed_secrets(resource: Resource) -> Iterator[Violation]:
    yield from _unnamed(resource)


@rule(
    "MA533",
    "no-borrowed-rights",
    title="Rights that lead to all others",
    why="Their holder can act as somebody else, or give itself any role.",
    fix="Leave them to cluster administrators.",
    severities=ALWAYS,
    kinds=ROLES,
)
def borrowed(resource: Resource) -> Iterator[Violation]:
    for grant, path in _grants(resource):
        verbs = texts(grant.get("verbs"))
        for verb in _ESCALATING_VERBS:
            if verb in verbs:
                yield Violation((*path, "verbs"), f"grants the verb {verb}")
        for target in texts(grant.get("resources")):
            if _ESCALATING.get(target) in verbs:
                yield Violation((*path, "resources"), f"grants {_ESCALATING[target]} on {target}")


@rule(
    "MA534",
    "no-cluster-admin",
    title="Binding to cluster-admin",
    why="Its subjects may do everything, in a RoleBinding everything in the namespace.",
    fix="Bind a role that names what is needed.",
    severities=ALWAYS,
    kinds=BINDINGS,
)
def cluster_admin(resource: Resource) -> Iterator[Violation]:
    if mapping(resource.properties.get("roleRef")).get("name") in ("cluster-admin", "system:masters"):
        yield Violation(("roleRef", "name"), "binds cluster-admin")


@rule(
    "MA535",
    "no-rights-for-everybody",
    title="Rights for everybody",
    why="These groups hold every account there is, or callers without any.",
    fix="Name the ServiceAccounts, users or groups that need it.",
    severities=ALWAYS,
    kinds=BINDINGS,
)
def everybody(resource: Resource) -> Iterator[Violation]:
    for subject, path in mappings(resource.properties.get("subjects"), ("subjects",)):
        if str(subject.get("name")) in _EVERYBODY:
            yield Violation((*path, "name"), f"binds {subject['name']}")


@rule(
    "MA536",
    "service-accounts-with-namespace",
    title="ServiceAccount without its namespace",
    why="The API server refuses the binding, and whoever needs the rights stays without them.",
    fix="Add the subject's namespace.",
    severities=ALWAYS,
    kinds=BINDINGS,
)
def without_namespace(resource: Resource) -> Iterator[Violation]:
    for subject, path in mappings(resource.properties.get("subjects"), ("subjects",)):
        if subject.get("kind") == "ServiceAccount" and not subject.get("namespace"):
            yield Violation(path, f"ServiceAccount {subject.get('name')} has no namespace")


@set_rule(
    "MA537",
    "bound-roles-exist",
    title="Binding to a role that does not exist",
    why="Kubernetes accepts the binding and grants nothing; its own roles are called view, edit and admin.",
    fix="Bind view or edit, or add the ClusterRole.",
    severities=STRICT,
    kinds=BINDINGS | ROLES,
)
def missing_roles(resources: Sequence[Resource]) -> Iterator[tuple[Resource, Violation]]:
    there = {str(resource.metadata.get("name")) for resource in resources if resource.kind in ROLES}
    for resource in resources:
        named = str(mapping(resource.properties.get("roleRef")).get("name"))
        if resource.kind in BINDINGS and named in _NOT_BUILT_IN - there:
            yield resource, Violation(("roleRef", "name"), f"there is no ClusterRole {named}")


RULES: Final = (
    wildcards,
    cluster_wide_secrets,
    unnamed_secrets,
    borrowed,
    cluster_admin,
    everybody,
    without_namespace,
    missing_roles,
)
