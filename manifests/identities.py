"""Identities on AWS: callers of the object store, their roles, and their rights by bucket (MR-2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from madeploy.names import aws as names
from madeploy.names.kubernetes import RAY_NAMESPACE, workload
from madeploy.names.models import RETENTION
from madeploy.names.services import deployed
from madeploy.settings import Environment
from madeploy.settings.buckets import Purpose
from madeploy.settings.identities import GivenRole, Irsa, PodIdentity
from madeploy.settings.storage import AwsStorage, ExistingStorage

Access = Literal["write", "read", "remove"]
"""`write`: the model-registry guide's four actions; `read`: those of them that read; `remove`: those that
list and delete."""

TASK_ACCOUNT: Final = "default"
"""ServiceAccount of task pods, in the namespace of the same name: the task templates set none (facts 3.3)."""

SERVICE_ACCESS: Final[Mapping[str, Mapping[Purpose, Access]]] = {
    "guide": {"workspace": "write", "models": "write"},
    "readOnly": {"workspace": "read", "models": "read"},
}
"""What the services may do, by `storage.serviceAccess`: the guide's set, or what their code calls (facts 2.3
row 43). Neither writes nor reads task logs."""

TASK_ACCESS: Final[Mapping[Purpose, Access]] = {"workspace": "write", "models": "write", "logs": "write"}
"""What task pods may do: they produce workspaces, model artefacts and logs."""


RETENTION_ACCESS: Final[Mapping[Purpose, Access]] = {"workspace": "remove", "models": "remove"}
"""What the job that removes old models may do: it never looks into an object."""


@dataclass(frozen=True)
class Subject:
    """One identity with an IAM role of this environment, and the ServiceAccount that may take the role."""

    identity: str
    """`controllermgr`, `worker`, `retention` or `tasks-<cluster>`."""

    namespace: str
    service_account: str
    source: Irsa | PodIdentity
    access: Mapping[Purpose, Access]
    """What it may do, by purpose of the bucket."""


def subjects(environment: Environment) -> tuple[Subject, ...]:
    """Every identity that gets a role of its own from this environment; none unless storage is `aws`."""
    storage = environment.storage
    if not isinstance(storage, AwsStorage):
        return ()
    namespace, access = environment.platform.namespace, SERVICE_ACCESS[storage.service_access]
    services = tuple(
        Subject(
            service.name,
            namespace,
            workload(service.name),
            storage.identity,
            RETENTION_ACCESS if service.name == RETENTION else access,
        )
        for service in deployed(environment)
        if service.calls_store
    )
    tasks = tuple(
        Subject(names.tasks(name), RAY_NAMESPACE, TASK_ACCOUNT, cluster.task_identity, TASK_ACCESS)
        for name, cluster in sorted(environment.clusters.items())
        if isinstance(cluster.task_identity, Irsa | PodIdentity)
    )
    return services + tasks


@dataclass(frozen=True)
class Account:
    """The AWS account that settings tell."""

    number: str
    """12 digits."""

    setting: tuple[str, ...]
    """Where it is said, as keys from the top."""


def stated_account(environment: Environment) -> Account | None:
    """The AWS account of the buckets and roles: said in the settings, or in the ARN of an OIDC provider,
    which is of the roles' own account. None where only the credentials know it."""
    storage = environment.storage
    if not isinstance(storage, AwsStorage):
        return None
    if storage.account_id is not None:
        return Account(storage.account_id, ("storage", "accountId"))
    sources: list[tuple[tuple[str, ...], object]] = [(("storage", "identity"), storage.identity)]
    for name, cluster in sorted(environment.clusters.items()):
        sources.append((("clusters", name, "taskIdentity"), cluster.task_identity))
    for path, source in sources:
        if isinstance(source, Irsa):
            return Account(names.account_of(source.oidc_provider_arn), (*path, "oidcProviderArn"))
    return None


def account(environment: Environment) -> str | None:
    """The number alone of the account that settings tell."""
    stated = stated_account(environment)
    return None if stated is None else stated.number


def predicted_roles(environment: Environment, stack: str) -> dict[str, str]:
    """ARN of every role that the stack makes, by identity (`controllermgr`, `worker`, `retention`,
    `tasks-<cluster>`), said before anything exists, so that rendered files and updates agree.

    Roles taken by IRSA are all in it, because the ARN of their OIDC provider tells the account. Roles taken
    by EKS Pod Identity are in it when the account is known; no annotation needs them. Empty unless storage is
    `aws`: the roles of `existing` are in the settings.
    """
    storage, known = environment.storage, account(environment)
    if not isinstance(storage, AwsStorage) or known is None:
        return {}
    return {
        subject.identity: names.role_arn(storage.region, known, stack, subject.identity, storage.role_path)
        for subject in subjects(environment)
    }


def given_roles(environment: Environment) -> dict[str, Any]:
    """Roles that somebody else made, by identity."""
    storage = environment.storage
    given: dict[str, Any] = {}
    if isinstance(storage, ExistingStorage):
        given.update(storage.role_arns.items())
    return given | {
        names.tasks(name): cluster.task_identity.role_arn
        for name, cluster in environment.clusters.items()
        if isinstance(cluster.task_identity, GivenRole)
    }
