"""Buckets on AWS, each with everything that AWS keeps beside a bucket (MR-1)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi

from components.resources import Resource
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
    made = Resource(
        "aws:s3/bucket:Bucket",
        purpose,
        {
            "bucket": args.name,
            "region": region,
            "forceDestroy": args.storage.force_destroy,
            "objectLockEnabled": True if args.object_lock else None,
        },
        # An existing bucket gets Object Lock by its configuration below; this would replace it.
        pulumi.ResourceOptions.merge(
            kept(args.storage, opts), pulumi.ResourceOptions(ignore_changes=["objectLockEnabled"])
        ),
    )
    # When S3 refuses to delete a bucket that holds objects, it must not have lost its settings before.
    beside = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(deleted_with=made))

    def after(*resources: pulumi.Resource) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions.merge(beside, pulumi.ResourceOptions(depends_on=list(resources)))

    def setting(kind: str, inputs: dict[str, Any], opts: pulumi.ResourceOptions = beside) -> Resource:
        token = f"aws:s3/{kind[0].lower()}{kind[1:]}:{kind}"
        return Resource(token, purpose, {"bucket": made.id, "region": region, **inputs}, opts)

    setting("BucketOwnershipControls", {"rule": {"objectOwnership": "BucketOwnerEnforced"}})
    blocked = setting(
        "BucketPublicAccessBlock",
        {
            "blockPublicAcls": True,
            "blockPublicPolicy": True,
            "ignorePublicAcls": True,
            "restrictPublicBuckets": True,
        },
    )
    setting("BucketServerSideEncryptionConfiguration", {"rules": [_encryption(args.key_arn)]})
    versioning = setting("BucketVersioning", {"versioningConfiguration": {"status": "Enabled"}})
    setting("BucketLifecycleConfiguration", {"rules": list(args.lifecycle_rules)}, after(versioning))
    # S3 answers a conflict when policy and public access block of one bucket are written at once.
    document = pulumi.Output.from_input(args.policy).apply(json.dumps)
    policy = setting("BucketPolicy", {"policy": document}, after(blocked))
    if args.object_lock is not None:
        retention = {"mode": _LOCK_MODES[args.object_lock.mode], "days": args.object_lock.days}
        rule = {"rule": {"defaultRetention": retention}}
        setting("BucketObjectLockConfiguration", rule, after(versioning))
    if args.logs_to is not None:
        target, prefix = args.logs_to
        setting("BucketLogging", {"targetBucket": target, "targetPrefix": prefix})
    return policy.output("bucket")


def key(settings: KmsKey, args: KeyArgs, opts: pulumi.ResourceOptions) -> Resource:
    """The customer-managed key of the buckets, with its alias."""
    made = Resource(
        "aws:kms/key:Key",
        OBJECTS_KEY,
        {
            "region": args.storage.region,
            "description": f"Objects of the Michelangelo buckets of {args.stack}",
            "enableKeyRotation": True,
            "rotationPeriodInDays": settings.rotation_days,
            "deletionWindowInDays": settings.deletion_window_days,
            "policy": args.account.apply(
                lambda account: json.dumps(key_policy(args.storage.region, account))
            ),
        },
        kept(args.storage, opts),
        outputs=["arn", "keyId"],
    )
    # Replaced only with the region or for another name, where both can be.
    beside = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(delete_before_replace=False))
    Resource(
        "aws:kms/alias:Alias",
        OBJECTS_KEY,
        {
            "name": key_alias(args.stack),
            "region": args.storage.region,
            "targetKeyId": made.output("keyId"),
        },
        beside,
    )
    return made


def _encryption(key_arn: pulumi.Input[str] | None) -> dict[str, Any]:
    # What S3 does by itself with buckets made since April 2026: stated, so that older ones are the same.
    blocked = {"blockedEncryptionTypes": ["SSE-C"]}
    if key_arn is None:
        return {
            "applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"},
            "bucketKeyEnabled": False,
            **blocked,
        }
    return {
        "applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": key_arn},
        # One request to KMS for many objects: less cost, and no throttling of large reads.
        "bucketKeyEnabled": True,
        **blocked,
    }
