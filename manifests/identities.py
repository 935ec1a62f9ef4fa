"""Identities on AWS: who gets a role of this environment, and what it may do: callers of the object store by
bucket (MR-2), and the Prometheus that writes to Amazon's service (OPS-3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from madeploy.names import aws as names
from madeploy.names.kubernetes import RAY_NAMESPACE, workload
from madeploy.names.models import MODEL_SYNC, RETENTION
from madeploy.names.services import deployed
from madeploy.settings import CONTROL_PLANE, Environment
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

MODEL_SYNC_ACCESS: Final[Mapping[Purpose, Access]] = {"models": "read"}
"""What model-sync may do: it copies models to nodes."""

METRICS: Final = "metrics"
"""Identity of the Prometheus that writes to a workspace of Amazon Managed Service for Prometheus."""


@dataclass(frozen=True)
class Right:
    """One right beside those on buckets."""

    name: str
    """Of its statement."""

    action: str
    resource: str


@dataclass(frozen=True)
class Subject:
    """One identity with an IAM role of this environment, and the ServiceAccount that may take the role."""

    identity: str
    """`controllermgr`, `worker`, `retention`, `tasks-<cluster>`, `model-sync-<cluster>` or `metrics`."""

    namespace: str
    service_account: str
    source: Irsa | PodIdentity
    access: Mapping[Purpose, Access]
    """What it may do, by purpose of the bucket."""

    beside: tuple[Right, ...] = ()
    """What it may do besides."""


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
    return (*services, *tasks, *_model_sync(environment, storage), *_metrics(environment, storage))


def _model_sync(environment: Environment, storage: AwsStorage) -> Iterator[Subject]:
    """model-sync on each cluster that serves: pods of a cluster get roles as its task pods do, those of the
    control plane's as the services. A given role is taken in place of one made here."""
    serving = environment.serving
    if serving is None or serving.model_sync is None:
        return
    sources: dict[str, object] = {CONTROL_PLANE: storage.identity} | {
        name: cluster.task_identity
        for name, cluster in sorted(environment.clusters.items())
        if cluster.serving
    }
    for name, source in sources.items():
        if name not in serving.model_sync.role_arns and isinstance(source, Irsa | PodIdentity):
            account = workload(MODEL_SYNC)
            yield Subject(names.model_sync(name), serving.namespace, account, source, MODEL_SYNC_ACCESS)


def _metrics(environment: Environment, storage: AwsStorage) -> Iterator[Subject]:
    """Prometheus on the control plane's cluster, where the settings name its ServiceAccount."""
    amazon = environment.monitoring.amazon if environment.monitoring is not None else None
    namespace = environment.network.monitoring_namespace
    if amazon is None or amazon.service_account is None or namespace is None:
        return
    if amazon.role_arn is None:
        right = Right("WriteMetrics", "aps:RemoteWrite", amazon.workspace_arn)
    else:
        right = Right("TakeWritersRole", "sts:AssumeRole", amazon.role_arn)
    yield Subject(METRICS, namespace, amazon.service_account, storage.identity, {}, (right,))


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
    """ARN of every role that the stack makes, by identity (`Subject.identity`), said before anything exists,
    so that rendered files and updates agree.

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
    if environment.serving is not None and environment.serving.model_sync is not None:
        for name, arn in environment.serving.model_sync.role_arns.items():
            given[names.model_sync(name)] = arn
    return given | {
        names.tasks(name): cluster.task_identity.role_arn
        for name, cluster in environment.clusters.items()
        if isinstance(cluster.task_identity, GivenRole)
    }
