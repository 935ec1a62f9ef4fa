"""Buckets and the IAM roles that use them, on AWS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import pulumi
import pulumi_aws as aws

from components import buckets, roles
from components.providers import amazon
from madeploy.names.storage import ACCESS_LOGS, AUDIT_LOGS
from madeploy.settings import Environment
from madeploy.settings.buckets import AccessLogs, AuditLogs, ObjectLock, Purpose
from madeploy.settings.storage import AwsStorage
from manifests import bucket_documents, identities


@dataclass(frozen=True)
class ArtifactStoreArgs:
    """Arguments of an artifact store."""

    environment: Environment
    storage: AwsStorage
    """Its storage section."""

    stack: str


class ArtifactStore(pulumi.ComponentResource):
    """S3 buckets with encryption, versions, no public access, TLS only (MR-1), and one IAM role for
    each identity (MR-2)."""

    role_arns: dict[str, pulumi.Output[str]]
    """IAM role by identity (`manifests.identities.Subject`)."""

    def __init__(
        self, name: str, args: ArtifactStoreArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("michelangelo:index:ArtifactStore", name, {}, opts)
        storage = args.storage
        self._known = identities.account(args.environment)
        self._provider = amazon(storage, args.stack, self._known, pulumi.ResourceOptions(parent=self))
        self._opts = pulumi.ResourceOptions(parent=self, provider=self._provider)

        key_arn: pulumi.Input[str] | None = storage.kms_key_arn
        holding = self._opts
        if storage.kms_key is not None:
            made_from = buckets.KeyArgs(storage, args.stack, self._account())
            key = buckets.key(storage.kms_key, made_from, self._opts)
            key_arn = key.output("arn")
            # A key goes only once the buckets have gone that it encrypts: S3 may refuse that.
            after = pulumi.ResourceOptions(depends_on=[key])
            holding = pulumi.ResourceOptions.merge(self._opts, after)

        self._make_buckets(storage, key_arn, holding)
        subjects = identities.subjects(args.environment)
        trusted = pulumi.ResourceOptions(depends_on=roles.oidc_providers(subjects, self._opts))
        self.role_arns = {
            subject.identity: roles.role(
                subject,
                roles.RoleArgs(storage, args.stack, key_arn),
                pulumi.ResourceOptions.merge(self._opts, trusted),
            )
            for subject in subjects
        }
        self.register_outputs({"role_arns": self.role_arns})

    def _account(self) -> pulumi.Output[str]:
        """The AWS account; asked of AWS where the settings do not tell it."""
        if self._known is not None:
            return pulumi.Output.from_input(self._known)
        caller = aws.get_caller_identity_output(opts=pulumi.InvokeOptions(provider=self._provider))
        account: pulumi.Output[str] = caller.account_id
        return account

    def _make_buckets(
        self, storage: AwsStorage, key_arn: pulumi.Input[str] | None, opts: pulumi.ResourceOptions
    ) -> None:
        given: dict[str, str] = storage.buckets.model_dump(exclude_none=True)
        names = {purpose: given[purpose] for purpose in get_args(Purpose) if purpose in given}
        logs, lock = storage.access_logs, storage.object_lock
        target = self._log_bucket(storage, logs, list(names.values())) if logs is not None else None
        for purpose, name in names.items():
            args = buckets.BucketArgs(
                name=name,
                storage=storage,
                policy=bucket_documents.bucket_policy(storage.region, name),
                lifecycle_rules=bucket_documents.lifecycle_rules(storage, purpose),
                key_arn=key_arn,
                object_lock=lock if lock is not None and purpose in lock.buckets else None,
                logs_to=(target, bucket_documents.log_prefix(logs, purpose)) if logs and target else None,
            )
            buckets.bucket(purpose, args, opts)
        if storage.audit_logs is not None:
            self._audit_bucket(storage, storage.audit_logs, key_arn, opts)

    def _audit_bucket(
        self,
        storage: AwsStorage,
        audit: AuditLogs,
        key_arn: pulumi.Input[str] | None,
        opts: pulumi.ResourceOptions,
    ) -> None:
        """The locked bucket for audit logs that somebody ships."""
        args = buckets.BucketArgs(
            name=audit.bucket,
            storage=storage,
            policy=bucket_documents.bucket_policy(storage.region, audit.bucket),
            lifecycle_rules=bucket_documents.audit_lifecycle_rules(storage, audit),
            key_arn=key_arn,
            object_lock=ObjectLock(mode=audit.mode, days=audit.days),
        )
        buckets.bucket(AUDIT_LOGS, args, opts)

    def _log_bucket(self, storage: AwsStorage, logs: AccessLogs, sources: list[str]) -> pulumi.Input[str]:
        """The bucket that access logs go to. S3 delivers none to a bucket with another default encryption
        than its own, or with Object Lock's default retention (Amazon S3 User Guide)."""
        if not logs.create:
            return logs.bucket
        args = buckets.BucketArgs(
            name=logs.bucket,
            storage=storage,
            policy=self._account().apply(
                lambda account: bucket_documents.log_bucket_policy(storage.region, account, logs, sources)
            ),
            lifecycle_rules=bucket_documents.log_lifecycle_rules(storage, logs),
            key_arn=None,
        )
        return buckets.bucket(ACCESS_LOGS, args, self._opts)
