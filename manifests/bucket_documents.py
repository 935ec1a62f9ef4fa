"""Policies and lifecycle rules of buckets as plain data (MR-1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from madeploy.names.aws import LOG_DELIVERY, bucket_arn
from madeploy.settings.buckets import AccessLogs, AuditLogs, LifecycleRule, Purpose
from madeploy.settings.storage import AwsStorage
from manifests.policy_documents import Document, Statement, document, statement


def bucket_policy(region: str, bucket: str, *more: Statement) -> Document:
    """Refuses every request to a bucket that does not use TLS 1.2 or later (AWS Config rule
    `s3-bucket-ssl-requests-only`; Amazon S3 User Guide, minimum TLS version)."""
    arn = bucket_arn(region, bucket)
    everything: dict[str, Any] = {"principal": {"AWS": "*"}, "resources": [arn, f"{arn}/*"]}
    return document(
        statement(
            "TlsOnly",
            "Deny",
            ["s3:*"],
            condition={"Bool": {"aws:SecureTransport": "false"}},
            **everything,
        ),
        statement(
            "Tls12OrLater",
            "Deny",
            ["s3:*"],
            condition={"NumericLessThan": {"s3:TlsVersion": "1.2"}},
            **everything,
        ),
        *more,
    )


def log_bucket_policy(region: str, account: str, access_logs: AccessLogs, sources: Sequence[str]) -> Document:
    """Policy of the bucket that access logs are delivered to: S3's log delivery may write there for the
    buckets named `sources` of `account`, and for no others (Amazon S3 User Guide, permissions for log
    delivery). No ACL is needed."""
    arn = bucket_arn(region, access_logs.bucket)
    delivery = statement(
        "AccessLogs",
        "Allow",
        ["s3:PutObject"],
        resources=[f"{arn}/{access_logs.prefix}*"],
        principal={"Service": LOG_DELIVERY},
        condition={
            "ArnLike": {"aws:SourceArn": [bucket_arn(region, source) for source in sources]},
            "StringEquals": {"aws:SourceAccount": account},
        },
    )
    return bucket_policy(region, access_logs.bucket, delivery)


def log_prefix(access_logs: AccessLogs, purpose: str) -> str:
    """Start of the keys of one bucket's access logs."""
    return f"{access_logs.prefix}{purpose}/"


def lifecycle_rules(storage: AwsStorage, purpose: Purpose) -> list[dict[str, Any]]:
    """Lifecycle rules of one bucket, in the spelling of `aws:s3:BucketLifecycleConfiguration`: the rule for
    everything first, then one for each prefix in the settings."""
    stated: tuple[LifecycleRule, ...] = getattr(storage.lifecycle, purpose)
    rules = [_everything(storage.noncurrent_days, storage.abort_upload_days)]
    for rule in stated:
        made = _rule(f"prefix {rule.prefix}" if rule.prefix else "every object", rule.prefix)
        if rule.expire_days is not None:
            made["expiration"] = {"days": rule.expire_days}
        if rule.noncurrent_days is not None:
            made["noncurrentVersionExpiration"] = {"noncurrentDays": rule.noncurrent_days}
        if rule.transitions:
            made["transitions"] = [
                {"days": item.days, "storageClass": item.storage_class} for item in rule.transitions
            ]
        rules.append(made)
    return rules


def log_lifecycle_rules(storage: AwsStorage, access_logs: AccessLogs) -> list[dict[str, Any]]:
    """Lifecycle rules of the bucket of access logs."""
    everything = _everything(storage.noncurrent_days, storage.abort_upload_days)
    # An expiry by age removes lone delete markers too, and S3 takes only one of the two.
    return [{**everything, "expiration": {"days": access_logs.expire_days}}]


def audit_lifecycle_rules(storage: AwsStorage, audit_logs: AuditLogs) -> list[dict[str, Any]]:
    """Lifecycle rules of the bucket of audit logs: they go the day after their lock ends."""
    everything = _everything(storage.noncurrent_days, storage.abort_upload_days)
    return [{**everything, "expiration": {"days": audit_logs.days + 1}}]


def _everything(noncurrent_days: int, abort_upload_days: int) -> dict[str, Any]:
    return {
        **_rule("remove-noncurrent-versions", ""),
        "noncurrentVersionExpiration": {"noncurrentDays": noncurrent_days},
        # What is left of an object whose last version is gone: it costs every listing.
        "expiration": {"expiredObjectDeleteMarker": True},
        "abortIncompleteMultipartUpload": {"daysAfterInitiation": abort_upload_days},
    }


def _rule(name: str, prefix: str) -> dict[str, Any]:
    return {"id": name, "status": "Enabled", "filter": {"prefix": prefix}}
