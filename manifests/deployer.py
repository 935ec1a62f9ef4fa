"""What whoever deploys a stack must be allowed on AWS, and no more: from one table of what the provider calls
for each type of resource.

Actions: AWS service authorization reference. Which of them are called: the Terraform AWS provider 6, which
reads a bucket by many calls whatever was set, and asks for tags with every resource.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from madeploy.names import aws as names
from madeploy.names.storage import made_buckets
from madeploy.settings import Environment
from madeploy.settings.identities import Irsa, PodIdentity
from madeploy.settings.storage import ENVIRONMENT_TAG, AwsStorage
from manifests.identities import Subject, subjects
from manifests.policy_documents import Condition, Document, document, statement

Actions = tuple[str, ...]

POLICY_LIMIT: Final = 6144
"""Characters without white space that a managed policy may have (IAM quotas)."""


@dataclass(frozen=True)
class Calls:
    """AWS actions that the provider calls for one type of resource, by operation."""

    read: Actions = ()
    """With every update and refresh."""

    create: Actions = ()
    update: Actions = ()
    delete: Actions = ()

    @property
    def write(self) -> Actions:
        """All that creating and changing need."""
        return (*self.create, *self.update)


CALLS: Final[Mapping[str, Calls]] = {
    "aws:s3/bucket:Bucket": Calls(
        read=(
            # HeadBucket.
            "s3:ListBucket",
            "s3:GetAccelerateConfiguration",
            "s3:GetBucketAcl",
            "s3:GetBucketCORS",
            "s3:GetBucketLogging",
            "s3:GetBucketObjectLockConfiguration",
            "s3:GetBucketPolicy",
            "s3:GetBucketRequestPayment",
            "s3:GetBucketVersioning",
            "s3:GetBucketWebsite",
            "s3:GetEncryptionConfiguration",
            "s3:GetLifecycleConfiguration",
            "s3:GetReplicationConfiguration",
            "s3:ListTagsForResource",
        ),
        create=("s3:CreateBucket", "s3:TagResource"),
        update=("s3:UntagResource",),
        delete=("s3:DeleteBucket",),
    ),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": Calls(
        read=("s3:GetBucketOwnershipControls",), create=("s3:PutBucketOwnershipControls",)
    ),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": Calls(
        read=("s3:GetBucketPublicAccessBlock",), create=("s3:PutBucketPublicAccessBlock",)
    ),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": Calls(
        read=("s3:GetEncryptionConfiguration",), create=("s3:PutEncryptionConfiguration",)
    ),
    "aws:s3/bucketVersioning:BucketVersioning": Calls(
        read=("s3:GetBucketVersioning",), create=("s3:PutBucketVersioning",)
    ),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": Calls(
        read=("s3:GetLifecycleConfiguration",), create=("s3:PutLifecycleConfiguration",)
    ),
    "aws:s3/bucketPolicy:BucketPolicy": Calls(read=("s3:GetBucketPolicy",), create=("s3:PutBucketPolicy",)),
    "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration": Calls(
        read=("s3:GetBucketObjectLockConfiguration",),
        # Also of CreateBucket, where a bucket is made with the ability.
        create=("s3:PutBucketObjectLockConfiguration",),
    ),
    "aws:s3/bucketLogging:BucketLogging": Calls(
        read=("s3:GetBucketLogging",), create=("s3:PutBucketLogging",)
    ),
    "aws:kms/key:Key": Calls(
        read=("kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListResourceTags"),
        create=("kms:CreateKey", "kms:TagResource", "kms:EnableKeyRotation"),
        update=("kms:PutKeyPolicy", "kms:UntagResource", "kms:UpdateKeyDescription"),
        delete=("kms:ScheduleKeyDeletion",),
    ),
    "aws:kms/alias:Alias": Calls(
        read=("kms:ListAliases",),
        create=("kms:CreateAlias",),
        update=("kms:UpdateAlias",),
        delete=("kms:DeleteAlias",),
    ),
    "aws:iam/role:Role": Calls(
        read=("iam:GetRole", "iam:ListRolePolicies", "iam:ListAttachedRolePolicies"),
        create=("iam:CreateRole", "iam:TagRole"),
        update=("iam:UpdateAssumeRolePolicy", "iam:UpdateRole", "iam:UntagRole"),
        delete=("iam:DeleteRole", "iam:ListInstanceProfilesForRole"),
    ),
    "aws:iam/rolePolicy:RolePolicy": Calls(
        read=("iam:GetRolePolicy",), create=("iam:PutRolePolicy",), delete=("iam:DeleteRolePolicy",)
    ),
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider": Calls(
        read=("iam:GetOpenIDConnectProvider",),
        create=("iam:CreateOpenIDConnectProvider", "iam:TagOpenIDConnectProvider"),
        update=("iam:UntagOpenIDConnectProvider",),
        delete=("iam:DeleteOpenIDConnectProvider",),
    ),
    "aws:eks/podIdentityAssociation:PodIdentityAssociation": Calls(
        read=("eks:DescribePodIdentityAssociation",),
        create=("eks:CreatePodIdentityAssociation", "eks:TagResource"),
        update=("eks:UpdatePodIdentityAssociation", "eks:UntagResource"),
        delete=("eks:DeletePodIdentityAssociation",),
    ),
}
"""By type of resource. What is deleted with its bucket or role has no call of its own for it."""

_BOUNDARY: Final = ("iam:PutRolePermissionsBoundary", "iam:DeleteRolePermissionsBoundary")
_EMPTY: Final = ("s3:DeleteObject", "s3:DeleteObjectVersion")
_LOCKED: Final = ("s3:BypassGovernanceRetention", "s3:GetObjectLegalHold", "s3:PutObjectLegalHold")


@dataclass(frozen=True)
class Grant:
    """Actions on resources, and why they are needed."""

    sid: str
    reason: str
    """For a person, as the end of "it is needed to …"."""

    actions: Actions
    resources: Actions
    condition: Condition = field(default_factory=dict)


def _calls(kind: str) -> Calls:
    (token,) = (token for token in CALLS if token.endswith(f":{kind}"))
    return CALLS[token]


def _union(*groups: Actions) -> Actions:
    return tuple(sorted(dict.fromkeys(action for group in groups for action in group)))


def grants(environment: Environment, stack: str, account: str) -> tuple[Grant, ...]:
    """Everything the deployer of `stack` calls on AWS, with credentials of `account` (12 digits). Empty where
    a stack has nothing on AWS, and its clusters need nothing of it."""
    found: list[Grant] = []
    storage = environment.storage
    if isinstance(storage, AwsStorage):
        whom = subjects(environment)
        found += _buckets(storage)
        if storage.kms_key is not None:
            found += _key(storage, stack, account)
        found += _roles(storage, whom, stack, account)
        found += _oidc_providers(whom)
        found += _associations(storage, whom, stack, account)
    return (*found, *_clusters(environment, account))


def deployer_policy(environment: Environment, stack: str, account: str) -> Document:
    """The least policy of whoever deploys `stack`, for an identity of `account`."""
    return document(
        *(
            statement(
                grant.sid,
                "Allow",
                grant.actions,
                resources=grant.resources,
                condition=grant.condition or None,
            )
            for grant in grants(environment, stack, account)
        )
    )


def _buckets(storage: AwsStorage) -> Iterator[Grant]:
    named: dict[str, str] = storage.buckets.model_dump(exclude_none=True)
    own = list(named.values())
    logs = storage.access_logs
    everywhere = list(made_buckets(storage).values())

    def arns(buckets: list[str], end: str = "") -> Actions:
        return tuple(f"{names.bucket_arn(storage.region, bucket)}{end}" for bucket in buckets)

    bucket = _calls("Bucket")
    beside = [
        _calls(kind)
        for kind in (
            "BucketOwnershipControls",
            "BucketPublicAccessBlock",
            "BucketServerSideEncryptionConfiguration",
            "BucketVersioning",
            "BucketLifecycleConfiguration",
            "BucketPolicy",
        )
    ]
    reads = _union(bucket.read, *(calls.read for calls in beside))
    yield Grant("ReadBuckets", "look at every bucket and what is set beside it", reads, arns(everywhere))
    writes = _union(bucket.write, *(calls.write for calls in beside))
    yield Grant("WriteBuckets", "make and change buckets", writes, arns(everywhere))
    locked = (
        [named[purpose] for purpose in storage.object_lock.buckets if purpose in named]
        if storage.object_lock
        else []
    )
    if storage.audit_logs is not None:
        locked.append(storage.audit_logs.bucket)
    if locked:
        lock = _calls("BucketObjectLockConfiguration").write
        yield Grant("LockBuckets", "set Object Lock", lock, arns(locked))
    if logs is not None:
        yield Grant("LogBuckets", "set access logs", _calls("BucketLogging").write, arns(own))
    if not storage.protect:
        yield Grant("DeleteBuckets", "delete buckets (protect is false)", bucket.delete, arns(everywhere))
    if storage.force_destroy:
        versions = ("s3:ListBucketVersions",)
        reason = "delete what is in buckets (forceDestroy)"
        yield Grant("ListVersions", reason, versions, arns(everywhere))
        emptying = (*_EMPTY, *_LOCKED) if locked else _EMPTY
        yield Grant("EmptyBuckets", reason, _union(emptying), arns(everywhere, "/*"))


def _key(storage: AwsStorage, stack: str, account: str) -> Iterator[Grant]:
    key, alias = _calls("Key"), _calls("Alias")
    start = f"arn:{names.partition(storage.region)}:kms:{storage.region}:{account}"
    keys, name = f"{start}:key/*", f"{start}:{names.key_alias(stack)}"
    requested: Condition = {"StringEquals": {f"aws:RequestTag/{ENVIRONMENT_TAG}": stack}}
    own: Condition = {"StringEquals": {f"aws:ResourceTag/{ENVIRONMENT_TAG}": stack}}
    # KMS knows no key by a name, and authorizes by a new key's tags only after minutes: what a creation goes
    # on to call is not narrowed to them, what could harm another key is.
    yield Grant("CreateKey", "make the key", ("kms:CreateKey",), ("*",), requested)
    yield Grant("TagKey", "make the key", ("kms:TagResource",), (keys,), requested)
    reads = _union(key.read, ("kms:EnableKeyRotation",))
    yield Grant("ReadKey", "look at the key, and have it rotated", reads, (keys,))
    yield Grant("ChangeKey", "change the key", _union(key.update), (keys,), own)
    if not storage.protect:
        yield Grant("DeleteKey", "delete the key (protect is false)", key.delete, (keys,), own)
    yield Grant("ListAliases", "look at the key's alias", alias.read, ("*",))
    named = _union(alias.write, alias.delete)
    yield Grant("NameKey", "give the key its alias", named, (name, keys))


def _role_arns(storage: AwsStorage, whom: tuple[Subject, ...], stack: str, account: str) -> Actions:
    return tuple(
        names.role_arn(storage.region, account, stack, subject.identity, storage.role_path)
        for subject in whom
    )


def _roles(storage: AwsStorage, whom: tuple[Subject, ...], stack: str, account: str) -> Iterator[Grant]:
    role, policy = _calls("Role"), _calls("RolePolicy")
    arns = _role_arns(storage, whom, stack, account)
    reads = _union(role.read, policy.read)
    yield Grant("ReadRoles", "look at the roles", reads, arns)
    changes = _union(role.update, role.delete, policy.write, policy.delete, ("iam:TagRole",))
    yield Grant("ChangeRoles", "change and delete the roles", changes, arns)
    boundary = storage.permissions_boundary_arn
    if boundary is None:
        yield Grant("CreateRoles", "make the roles", ("iam:CreateRole",), arns)
        return
    bounded: Condition = {"StringEquals": {"iam:PermissionsBoundary": boundary}}
    creates = _union(("iam:CreateRole", _BOUNDARY[0]))
    yield Grant("CreateRoles", "make the roles, none without the boundary", creates, arns, bounded)


def _oidc_providers(whom: tuple[Subject, ...]) -> Iterator[Grant]:
    made = [
        subject.source.oidc_provider_arn
        for subject in whom
        if isinstance(subject.source, Irsa) and subject.source.create_oidc_provider
    ]
    if made:
        calls = _calls("OpenIdConnectProvider")
        actions = _union(calls.read, calls.write, calls.delete)
        yield Grant("OidcProviders", "make OIDC providers (createOidcProvider)", actions, _union(tuple(made)))


def _associations(
    storage: AwsStorage, whom: tuple[Subject, ...], stack: str, account: str
) -> Iterator[Grant]:
    taking = tuple(subject for subject in whom if isinstance(subject.source, PodIdentity))
    if not taking:
        return
    clusters, made = [], []
    for subject in taking:
        assert isinstance(subject.source, PodIdentity)
        region, name = subject.source.region or storage.region, subject.source.cluster_name
        start = f"arn:{names.partition(storage.region)}:eks:{region}:{account}"
        clusters.append(f"{start}:cluster/{name}")
        made.append(f"{start}:podidentityassociation/{name}/*")
    calls = _calls("PodIdentityAssociation")
    on_clusters = ("eks:CreatePodIdentityAssociation",)
    reason = "hand roles to pods (EKS Pod Identity)"
    yield Grant("Associate", reason, on_clusters, _union(tuple(clusters)))
    others = _union(calls.read, calls.write, calls.delete)
    rest = tuple(action for action in others if action not in on_clusters)
    yield Grant("Associations", reason, rest, _union(tuple(made)))
    passed: Condition = {"StringEquals": {"iam:PassedToService": names.POD_IDENTITY}}
    yield Grant("PassRoles", reason, ("iam:PassRole",), _role_arns(storage, taking, stack, account), passed)


def _clusters(environment: Environment, account: str) -> Iterator[Grant]:
    described, taken = [], []
    for cluster in environment.clusters.values():
        # With a profile of its own other credentials sign in, whose rights are nothing of this identity's.
        if cluster.eks is None or cluster.eks.profile is not None:
            continue
        eks = cluster.eks
        if cluster.server is None or cluster.certificate_authority_data is None:
            start = f"arn:{names.partition(eks.region)}:eks:{eks.region}:{account}"
            described.append(f"{start}:cluster/{eks.cluster_name}")
        if eks.role_arn is not None:
            taken.append(eks.role_arn)
    if described:
        arns = _union(tuple(described))
        yield Grant("DescribeClusters", "find clusters on EKS", ("eks:DescribeCluster",), arns)
    if taken:
        yield Grant("SignIn", "sign in to clusters on EKS", ("sts:AssumeRole",), _union(tuple(taken)))
