"""Buckets and the IAM roles that use them, on AWS."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from components.providers import amazon
from madeploy.names.aws import role
from madeploy.settings import Environment
from madeploy.settings.identities import PodIdentity
from madeploy.settings.storage import AwsStorage
from manifests.aws_documents import bucket_policy, object_access, trust
from manifests.identities import Subject, subjects


@dataclass(frozen=True)
class ArtifactStoreArgs:
    """What an artifact store is made from."""

    environment: Environment
    storage: AwsStorage
    """Its storage section."""

    stack: str


class ArtifactStore(pulumi.ComponentResource):
    """S3 buckets with encryption, versions, no public access, TLS only (MR-1), and one IAM role for
    each service that calls the object store (MR-2)."""

    buckets: dict[str, pulumi.Output[dict[str, Any]]]
    """Name, ARN and region by purpose (`workspace`, `models`, `logs`)."""

    role_arns: dict[str, pulumi.Output[str]]
    """IAM role by identity."""

    def __init__(
        self, name: str, args: ArtifactStoreArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("michelangelo:index:ArtifactStore", name, {}, opts)
        storage = args.storage
        provider = amazon(storage, args.stack, pulumi.ResourceOptions(parent=self))
        self._opts = pulumi.ResourceOptions(parent=self, provider=provider)

        purposes = storage.buckets.model_dump(exclude_none=True)
        self.buckets = {
            purpose: self._bucket(purpose, bucket, storage) for purpose, bucket in purposes.items()
        }
        self.role_arns = {
            subject.identity: self._role(subject, list(purposes.values()), args)
            for subject in subjects(args.environment)
        }
        self.register_outputs({"buckets": self.buckets, "role_arns": self.role_arns})

    def _bucket(self, purpose: str, bucket_name: str, storage: AwsStorage) -> pulumi.Output[dict[str, Any]]:
        opts = self._opts
        # What holds data outlives the stack: it is neither replaced nor destroyed by accident (UX-6).
        kept = pulumi.ResourceOptions.merge(
            opts, pulumi.ResourceOptions(protect=storage.protect, retain_on_delete=storage.protect)
        )
        bucket = aws.s3.Bucket(purpose, bucket=bucket_name, force_destroy=False, opts=kept)
        aws.s3.BucketOwnershipControls(
            purpose,
            bucket=bucket.id,
            rule=aws.s3.BucketOwnershipControlsRuleArgs(object_ownership="BucketOwnerEnforced"),
            opts=opts,
        )
        blocked = aws.s3.BucketPublicAccessBlock(
            purpose,
            bucket=bucket.id,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=opts,
        )
        aws.s3.BucketServerSideEncryptionConfiguration(
            purpose,
            bucket=bucket.id,
            rules=[
                aws.s3.BucketServerSideEncryptionConfigurationRuleArgs(
                    apply_server_side_encryption_by_default=(
                        aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
                            sse_algorithm="aws:kms" if storage.kms_key_arn else "AES256",
                            kms_master_key_id=storage.kms_key_arn,
                        )
                    ),
                    bucket_key_enabled=storage.kms_key_arn is not None,
                )
            ],
            opts=opts,
        )
        versioning = aws.s3.BucketVersioning(
            purpose,
            bucket=bucket.id,
            versioning_configuration=aws.s3.BucketVersioningVersioningConfigurationArgs(status="Enabled"),
            opts=opts,
        )
        aws.s3.BucketLifecycleConfiguration(
            purpose,
            bucket=bucket.id,
            rules=[
                aws.s3.BucketLifecycleConfigurationRuleArgs(
                    id="remove-noncurrent-versions",
                    status="Enabled",
                    filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=""),
                    noncurrent_version_expiration=(
                        aws.s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
                            noncurrent_days=storage.noncurrent_days
                        )
                    ),
                    abort_incomplete_multipart_upload=(
                        aws.s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
                            days_after_initiation=7
                        )
                    ),
                )
            ],
            opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[versioning])),
        )
        # S3 answers a conflict when policy and public access block of one bucket are written at once.
        aws.s3.BucketPolicy(
            purpose,
            bucket=bucket.id,
            policy=json.dumps(bucket_policy(storage.region, bucket_name)),
            opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[blocked])),
        )
        return pulumi.Output.all(bucket.bucket, bucket.arn).apply(
            lambda values: {"name": values[0], "arn": values[1], "region": storage.region}
        )

    def _role(self, subject: Subject, buckets: list[str], args: ArtifactStoreArgs) -> pulumi.Output[str]:
        storage, identity = args.storage, subject.identity
        made = aws.iam.Role(
            identity,
            name=role(args.stack, identity),
            description=f"Michelangelo {identity} of {args.stack}: objects of its buckets",
            path=storage.role_path,
            assume_role_policy=json.dumps(trust(subject.source, subject.namespace, subject.service_account)),
            permissions_boundary=storage.permissions_boundary_arn,
            opts=self._opts,
        )
        aws.iam.RolePolicy(
            identity,
            name="object-access",
            role=made.id,
            policy=json.dumps(object_access(storage.region, buckets, storage.kms_key_arn)),
            opts=self._opts,
        )
        if isinstance(subject.source, PodIdentity):
            aws.eks.PodIdentityAssociation(
                identity,
                cluster_name=subject.source.cluster_name,
                namespace=subject.namespace,
                service_account=subject.service_account,
                region=subject.source.region,
                role_arn=made.arn,
                opts=self._opts,
            )
        arn: pulumi.Output[str] = made.arn
        return arn
