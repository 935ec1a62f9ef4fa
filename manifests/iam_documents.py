"""Policies of the environment's identities, and of the key that its objects are encrypted with (MR-2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from madeploy.names.aws import POD_IDENTITY, bucket_arn, issuer, partition, service_host
from madeploy.settings.identities import Irsa
from madeploy.settings.storage import AwsStorage
from manifests.identities import Access, Subject
from manifests.policy_documents import Condition, Document, Statement, document, statement

OBJECT_ACTIONS: Final[dict[Access, tuple[str, ...]]] = {
    "write": ("s3:PutObject", "s3:GetObject", "s3:DeleteObject"),
    "read": ("s3:GetObject",),
    "remove": ("s3:DeleteObject",),
}
"""Actions on objects (model-registry guide, step 2; facts 2.3 row 43)."""

KEY_ACTIONS: Final[dict[Access, tuple[str, ...]]] = {
    "write": ("kms:Decrypt", "kms:GenerateDataKey"),
    "read": ("kms:Decrypt",),
    "remove": (),
}
"""What S3 calls KMS for in a caller's name (Amazon S3 User Guide, SSE-KMS); multipart uploads decrypt too."""

_KEY_ADMINISTRATION: Final = (
    "kms:CancelKeyDeletion",
    "kms:CreateAlias",
    "kms:DeleteAlias",
    "kms:Describe*",
    "kms:Disable*",
    "kms:Enable*",
    "kms:Get*",
    "kms:List*",
    "kms:PutKeyPolicy",
    "kms:RotateKeyOnDemand",
    "kms:ScheduleKeyDeletion",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:UpdateAlias",
    "kms:UpdateKeyDescription",
)
_NAMES: Final[dict[Access, str]] = {"write": "Write", "read": "Read", "remove": "Delete"}


def access_policy(storage: AwsStorage, subject: Subject, key_arn: str | None) -> Document:
    """What an identity may do: the model-registry guide's four actions, split by what each applies to,
    objects or buckets, or those of them that read; and what it may do besides.

    Args:
        storage: names the buckets.
        subject: the identity.
        key_arn: ARN of the customer-managed key, or of an alias, that objects are encrypted with; None for
            keys managed by S3, which need no right.
    """
    named = storage.buckets.model_dump(exclude_none=True)
    granted = {purpose: access for purpose, access in subject.access.items() if purpose in named}
    arns = {purpose: bucket_arn(storage.region, named[purpose]) for purpose in granted}
    statements: list[Statement] = []
    for access, name in _NAMES.items():
        objects = [f"{arns[purpose]}/*" for purpose, given in granted.items() if given == access]
        if objects:
            statements.append(statement(f"{name}Objects", "Allow", OBJECT_ACTIONS[access], resources=objects))
    if arns:
        statements.append(statement("ListBuckets", "Allow", ["s3:ListBucket"], resources=list(arns.values())))
    for right in subject.beside:
        statements.append(statement(right.name, "Allow", [right.action], resources=[right.resource]))
    uses = max((KEY_ACTIONS[access] for access in granted.values()), key=len, default=())
    if key_arn is not None and uses:
        statements.append(_key_use(storage.region, key_arn, uses))
    return document(*statements)


def _key_use(region: str, key_arn: str, actions: Sequence[str]) -> Statement:
    """Use of a key, through S3 only. Policies do not know keys by the ARN of an alias, but by a condition on
    it (AWS KMS Developer Guide, aliases in policies)."""
    condition: dict[str, dict[str, object]] = {"StringEquals": {"kms:ViaService": via_s3(region)}}
    base, _, name = key_arn.partition(":alias/")
    if name:
        key_arn = f"{base}:key/*"
        condition["ForAnyValue:StringEquals"] = {"kms:ResourceAliases": f"alias/{name}"}
    return statement("UseKeyThroughS3", "Allow", actions, resources=[key_arn], condition=condition)


def via_s3(region: str) -> str | list[str]:
    """Value of `kms:ViaService` for requests that S3 makes; where hosts end otherwise than in
    `amazonaws.com` either end of the name, for published policies have both."""
    names = list(dict.fromkeys((service_host("s3", region), f"s3.{region}.amazonaws.com")))
    return names if len(names) > 1 else names[0]


def key_policy(region: str, account: str) -> Document:
    """Policy of the key made for the buckets: who has IAM rights in the account may administer it, and use
    it through S3 alone. So no identity can decrypt what it may not read from S3."""
    principal = {"AWS": f"arn:{partition(region)}:iam::{account}:root"}
    through_s3: Condition = {"StringEquals": {"kms:ViaService": via_s3(region)}}
    return document(
        statement("Administer", "Allow", _KEY_ADMINISTRATION, resources=["*"], principal=principal),
        statement(
            "UseThroughS3",
            "Allow",
            KEY_ACTIONS["write"],
            resources=["*"],
            principal=principal,
            condition=through_s3,
        ),
    )


def trust_policy(subject: Subject, region: str) -> Document:
    """Who may take an identity's role: one ServiceAccount of one cluster, by IRSA or EKS Pod Identity (EKS
    user guide). `region` is that of the buckets."""
    source = subject.source
    if isinstance(source, Irsa):
        provider = issuer(source.oidc_provider_arn)
        owner = f"system:serviceaccount:{subject.namespace}:{subject.service_account}"
        return document(
            statement(
                "TakenByIrsa",
                "Allow",
                ["sts:AssumeRoleWithWebIdentity"],
                principal={"Federated": source.oidc_provider_arn},
                condition={
                    "StringEquals": {f"{provider}:aud": "sts.amazonaws.com", f"{provider}:sub": owner}
                },
            )
        )
    # The session tags that the agent sends name the pod's account and cluster: without these conditions any
    # association in the AWS account could use the role. A cluster's name is unique in its region only.
    cluster = f"arn:{partition(region)}:eks:{source.region or region}:*:cluster/{source.cluster_name}"
    return document(
        statement(
            "TakenByPodIdentity",
            "Allow",
            ["sts:AssumeRole", "sts:TagSession"],
            principal={"Service": POD_IDENTITY},
            condition={
                "StringEquals": {
                    "aws:RequestTag/kubernetes-namespace": subject.namespace,
                    "aws:RequestTag/kubernetes-service-account": subject.service_account,
                },
                "StringLike": {"aws:RequestTag/eks-cluster-arn": cluster},
            },
        )
    )
