"""Buckets on AWS, each with everything that AWS keeps beside a bucket (MR-1)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi
import pulumi_aws as aws

from madeploy.names.aws import OBJECTS_KEY, key_alias
from madeploy.settings.buckets import KmsKey, ObjectLock
from madeploy.settings.storage import AwsStorage
from manifests.iam_documents import key_policy
from manifests.policy_documents import Document

_LOCK_MODES: Final = {"governance": "GOVERNANCE", "compliance": "COMPLIANCE"}


@dataclass(frozen=True)
class BucketArgs:
    """Arguments of one bucket."""

    name: str
    storage: AwsStorage
    policy: pulumi.Input[Document]
    lifecycle_rules: Sequence[dict[str, Any]]
    key_arn: pulumi.Input[str] | None
    """Customer-managed key, or None for keys managed by S3."""

    object_lock: ObjectLock | None = None
    logs_to: tuple[pulumi.Input[str], str] | None = None
    """Bucket that access logs go to, and the start of their keys."""


@dataclass(frozen=True)
class KeyArgs:
    """Arguments of the KMS key."""

    storage: AwsStorage
    stack: str
    account: pulumi.Output[str]
    """The AWS account, whose own policies decide about the key."""


def kept(storage: AwsStorage, opts: pulumi.ResourceOptions) -> pulumi.ResourceOptions:
    """Options of what holds data, or the key to it: it outlives the stack and is neither replaced nor
    destroyed by accident (UX-6).

    A replacement is there, with all its settings, before the old one is deleted. pulumi-aws would delete
    first, because the name is given: policy, encryption, versions and all else beside the old bucket would
    be gone before S3 refuses to delete it with objects in it.
    """
    own = pulumi.ResourceOptions(
        protect=storage.protect, retain_on_delete=storage.protect, delete_before_replace=False
    )
    return pulumi.ResourceOptions.merge(opts, own)


def bucket(purpose: str, args: BucketArgs, opts: pulumi.ResourceOptions) -> pulumi.Output[str]:
    """One bucket with its settings, all under the logical name `purpose`. Returns its name, for others that
    need its policy to be in force."""
    # Another region is another bucket. Only a resource's own region replaces it; the provider's does not.
    region = args.storage.region
    made = aws.s3.Bucket(
        purpose,
        bucket=args.name,
        region=region,
        force_destroy=args.storage.force_destroy,
        object_lock_enabled=True if args.object_lock else None,
        # An existing bucket gets Object Lock by its configuration below; this would replace it.
        opts=pulumi.ResourceOptions.merge(
            kept(args.storage, opts), pulumi.ResourceOptions(ignore_changes=["objectLockEnabled"])
        ),
    )
    # When S3 refuses to delete a bucket that holds objects, it must not have lost its settings before.
    beside = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(deleted_with=made))

    def after(*resources: pulumi.Resource) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions.merge(beside, pulumi.ResourceOptions(depends_on=list(resources)))

    aws.s3.BucketOwnershipControls(
        purpose,
        bucket=made.id,
        region=region,
        rule={"object_ownership": "BucketOwnerEnforced"},
        opts=beside,
    )
    blocked = aws.s3.BucketPublicAccessBlock(
        purpose,
        bucket=made.id,
        region=region,
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=True,
        restrict_public_buckets=True,
        opts=beside,
    )
    aws.s3.BucketServerSideEncryptionConfiguration(
        purpose, bucket=made.id, region=region, rules=[_encryption(args.key_arn)], opts=beside
    )
    versioning = aws.s3.BucketVersioning(
        purpose,
        bucket=made.id,
        region=region,
        versioning_configuration={"status": "Enabled"},
        opts=beside,
    )
    aws.s3.BucketLifecycleConfiguration(
        purpose, bucket=made.id, region=region, rules=list(args.lifecycle_rules), opts=after(versioning)
    )
    # S3 answers a conflict when policy and public access block of one bucket are written at once.
    policy = aws.s3.BucketPolicy(
        purpose,
        bucket=made.id,
        region=region,
        policy=pulumi.Output.from_input(args.policy).apply(json.dumps),
        opts=after(blocked),
    )
    if args.object_lock is not None:
        retention = {"mode": _LOCK_MODES[args.object_lock.mode], "days": args.object_lock.days}
        aws.s3.BucketObjectLockConfiguration(
            purpose,
            bucket=made.id,
            region=region,
            rule={"default_retention": retention},
            opts=after(versioning),
        )
    if args.logs_to is not None:
        target, prefix = args.logs_to
        aws.s3.BucketLogging(
            purpose,
            bucket=made.id,
            region=region,
            target_bucket=target,
            target_prefix=prefix,
            opts=beside,
        )
    name: pulumi.Output[str] = policy.bucket
    return name


def key(settings: KmsKey, args: KeyArgs, opts: pulumi.ResourceOptions) -> aws.kms.Key:
    """The customer-managed key of the buckets, with its alias."""
    made = aws.kms.Key(
        OBJECTS_KEY,
        region=args.storage.region,
        description=f"Objects of the Michelangelo buckets of {args.stack}",
        enable_key_rotation=True,
        rotation_period_in_days=settings.rotation_days,
        deletion_window_in_days=settings.deletion_window_days,
        policy=args.account.apply(lambda account: json.dumps(key_policy(args.storage.region, account))),
        opts=kept(args.storage, opts),
    )
    # Replaced only with the region or for another name, where both can be.
    beside = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(delete_before_replace=False))
    aws.kms.Alias(
        OBJECTS_KEY,
        name=key_alias(args.stack),
        region=args.storage.region,
        target_key_id=made.key_id,
        opts=beside,
    )
    return made


def _encryption(key_arn: pulumi.Input[str] | None) -> dict[str, Any]:
    # What S3 does by itself with buckets made since April 2026: stated, so that older ones are the same.
    blocked = {"blocked_encryption_types": ["SSE-C"]}
    if key_arn is None:
        return {
            "apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"},
            "bucket_key_enabled": False,
            **blocked,
        }
    return {
        "apply_server_side_encryption_by_default": {"sse_algorithm": "aws:kms", "kms_master_key_id": key_arn},
        # One request to KMS for many objects: less cost, and no throttling of large reads.
        "bucket_key_enabled": True,
        **blocked,
    }
