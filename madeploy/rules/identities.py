"""Rules about the roles of services and task pods on AWS."""

from __future__ import annotations

from collections.abc import Iterator

from madeploy.documents.paths import Path
from madeploy.findings.codes.code import Code
from madeploy.names.aws import account_of
from madeploy.rules.model import SecretNames, Violation, rule
from madeploy.settings.environment import Environment
from madeploy.settings.identities import GivenRole, Irsa, PodIdentity
from madeploy.settings.storage import AwsStorage, ExistingStorage


@rule(
    {
        "MA326": Code(
            "ARN of another account",
            "Roles and OIDC providers belong to one account; a role cannot trust another account's provider.",
            "Give the ARN in the account of the buckets, which is that of the credentials that deploy.",
        ),
    },
    reads=("storage", "clusters"),
)
def roles_are_of_one_account(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """MR-2: a role trusts OIDC providers of its own account only, and has its boundary there."""
    storage = env.storage
    if not isinstance(storage, AwsStorage):
        return
    arns: list[tuple[Path, str]] = []
    if isinstance(storage.identity, Irsa):
        arns.append((("storage", "identity", "oidcProviderArn"), storage.identity.oidc_provider_arn))
    if storage.permissions_boundary_arn is not None:
        arns.append((("storage", "permissionsBoundaryArn"), storage.permissions_boundary_arn))
    for name, cluster in env.clusters.items():
        if isinstance(cluster.task_identity, Irsa):
            path: Path = ("clusters", name, "taskIdentity", "oidcProviderArn")
            arns.append((path, cluster.task_identity.oidc_provider_arn))
    known = storage.account_id
    for where, arn in arns:
        account = account_of(arn)
        known = known or account
        # Policies that AWS itself manages have no account.
        if account and account != known:
            yield Violation("MA326", where, f"is of account {account}; the others are of {known}")


@rule(
    {
        "MA327": Code(
            "Task pods without AWS credentials",
            "They write workspaces and model artefacts; without a role of their own they depend on what the "
            "nodes may do, or fail at the first object.",
            "Set clusters.<name>.taskIdentity: irsa, podIdentity, or an existing role.",
            "warning",
        ),
        "MA328": Code(
            "Task identity that cannot be had from this store",
            "Roles are made with buckets on AWS only; existing buckets come with existing roles, other "
            "stores with static keys.",
            "Use kind role with storage.kind existing, none with s3Compatible; or set storage.kind to aws.",
        ),
    },
    reads=("storage", "clusters"),
)
def task_pods_have_credentials(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """MR-2, REG-3: keyless by default on AWS."""
    storage = env.storage
    for name, cluster in env.clusters.items():
        source, path = cluster.task_identity, ("clusters", name, "taskIdentity")
        if source is None:
            if isinstance(storage, AwsStorage):
                yield Violation("MA327", ("clusters", name), "has no taskIdentity", key=True)
        elif isinstance(storage, ExistingStorage):
            if not isinstance(source, GivenRole):
                evidence = f"is {source.kind}; roles are not made for existing buckets"
                yield Violation("MA328", (*path, "kind"), evidence)
        elif not isinstance(storage, AwsStorage):
            yield Violation("MA328", path, "is set, but the store takes static keys", key=True)


@rule(
    {
        "MA329": Code(
            "Two compute clusters with one identity provider",
            "Task pods have the same ServiceAccount on every cluster: each could take the other's role, "
            "and EKS keeps one association for it.",
            "Give each cluster its own OIDC provider, or EKS cluster.",
        ),
    },
    reads=("clusters",),
)
def clusters_have_identity_providers_of_their_own(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """MR-2: one role for the task pods of one cluster."""
    seen: dict[tuple[str, str | None], str] = {}
    for name, cluster in env.clusters.items():
        source = cluster.task_identity
        if isinstance(source, Irsa):
            key: tuple[str, str | None] = (source.oidc_provider_arn, None)
            path: Path = ("clusters", name, "taskIdentity", "oidcProviderArn")
        elif isinstance(source, PodIdentity):
            key, path = (
                (source.cluster_name, source.region),
                ("clusters", name, "taskIdentity", "clusterName"),
            )
        else:
            continue
        if key in seen:
            yield Violation("MA329", path, f"is that of clusters.{seen[key]} too")
        seen.setdefault(key, name)
