"""What buckets refuse, whom they admit, and how their objects age."""

from __future__ import annotations

from typing import Any

from madeploy.settings.storage import AwsStorage
from manifests.bucket_documents import (
    bucket_policy,
    lifecycle_rules,
    log_bucket_policy,
    log_lifecycle_rules,
    log_prefix,
)
from tests.support.environments import aws_storage
from tests.support.iam import Document, Request, allows, weakened

LOGGED: dict[str, Any] = {"accessLogs": {"bucket": "example-ml-access-logs", "prefix": "s3/"}}


def store(**more: Any) -> AwsStorage:
    return AwsStorage.model_validate(aws_storage(**more))


def request(action: str = "s3:GetObject", **context: Any) -> Request:
    return Request(action, "arn:aws:s3:::example/key", {"aws:SecureTransport": "true"} | context)


def test_a_bucket_refuses_every_request_without_tls() -> None:
    """MR-1: whoever asks, for objects and for the bucket itself."""
    policy = bucket_policy("eu-west-1", "example")
    for action in ("s3:GetObject", "s3:PutObject", "s3:DeleteObjectVersion", "s3:PutBucketPolicy"):
        for resource in ("arn:aws:s3:::example", "arn:aws:s3:::example/a/b"):
            plain = Request(action, resource, {"aws:SecureTransport": "false"})
            assert allows(policy, plain).explicitly_denied


def test_a_bucket_refuses_outdated_tls_and_takes_what_is_current() -> None:
    """MR-1."""
    policy = bucket_policy("eu-west-1", "example")
    versions = {"1.0": True, "1.1": True, "1.2": False, "1.3": False}
    for version, refused in versions.items():
        assert allows(policy, request(**{"s3:TlsVersion": version})).explicitly_denied == refused


def test_a_bucket_policy_admits_nobody() -> None:
    """MR-1, MR-2: rights come from identities' policies alone."""
    assert not allows(bucket_policy("eu-west-1", "example"), request(**{"s3:TlsVersion": "1.3"})).allowed


def test_only_the_delivery_of_our_buckets_access_logs_may_write_to_their_bucket() -> None:
    """MR-1: not that of a bucket or account of others, which could fill it or forge entries."""
    logs = store(**LOGGED).access_logs
    assert logs is not None
    policy = log_bucket_policy("eu-west-1", "123456789012", logs, ["example-a", "example-b"])

    def delivery(**changed: Any) -> bool:
        asked = {
            "principal": {"Service": "logging.s3.amazonaws.com"},
            "action": "s3:PutObject",
            "resource": f"arn:aws:s3:::example-ml-access-logs/{log_prefix(logs, 'models')}2026-01-01",
            "aws:SourceArn": "arn:aws:s3:::example-b",
            "aws:SourceAccount": "123456789012",
        } | changed
        context = {key: value for key, value in asked.items() if ":" in key}
        context |= {"aws:SecureTransport": "true"}
        made = Request(asked["action"], asked["resource"], context, asked["principal"])
        return allows(policy, made).allowed

    assert delivery()
    assert not delivery(**{"aws:SourceArn": "arn:aws:s3:::somebody-elses"})
    assert not delivery(**{"aws:SourceAccount": "210987654321"})
    assert not delivery(principal={"AWS": "arn:aws:iam::123456789012:role/x"})
    assert not delivery(action="s3:GetObject")
    assert not delivery(resource="arn:aws:s3:::example-ml-access-logs/elsewhere/key")


def test_nothing_in_the_policy_of_the_log_bucket_can_be_left_out() -> None:
    """MR-1: without any of it the delivery fails, or somebody is admitted who must not be."""
    logs = store(**LOGGED).access_logs
    assert logs is not None
    whole = log_bucket_policy("eu-west-1", "123456789012", logs, ["example-a", "example-b"])
    service, target = {"Service": "logging.s3.amazonaws.com"}, "arn:aws:s3:::example-ml-access-logs"
    tls = {"aws:SecureTransport": "true", "s3:TlsVersion": "1.3"}

    def verdicts(policy: Document) -> list[bool]:
        deliveries = [
            {"aws:SourceArn": f"arn:aws:s3:::{source}", "aws:SourceAccount": account}
            for source in ("example-a", "example-b", "other")
            for account in ("123456789012", "210987654321")
        ]
        made = [Request("s3:PutObject", f"{target}/s3/a", {**tls, **d}, service) for d in deliveries]
        denied = [
            Request("s3:ListBucket", resource, {**tls, **weak})
            for resource in (target, f"{target}/s3/a")
            for weak in ({"aws:SecureTransport": "false"}, {"s3:TlsVersion": "1.1"}, {})
        ]
        return [
            *(allows(policy, request).allowed for request in made),
            *(allows(policy, request).explicitly_denied for request in denied),
        ]

    for change, weaker in weakened(whole):
        assert verdicts(weaker) != verdicts(whole), f"{change} makes no difference"


def test_old_versions_lone_markers_and_unfinished_uploads_go_in_every_bucket() -> None:
    """MR-1."""
    (rule,) = lifecycle_rules(store(noncurrentDays=12, abortUploadDays=3), "workspace")
    assert rule == {
        "id": "remove-noncurrent-versions",
        "status": "Enabled",
        "filter": {"prefix": ""},
        "noncurrentVersionExpiration": {"noncurrentDays": 12},
        "expiration": {"expiredObjectDeleteMarker": True},
        "abortIncompleteMultipartUpload": {"daysAfterInitiation": 3},
    }


def test_each_prefix_ages_as_the_settings_say() -> None:
    """MR-1: and the buckets of other purposes do not."""
    rules = [
        {"prefix": "uniflow/", "expireDays": 90, "noncurrentDays": 7},
        {"prefix": "", "transitions": [{"days": 30, "storageClass": "STANDARD_IA"}]},
    ]
    storage = store(lifecycle={"workspace": rules})
    assert len(lifecycle_rules(storage, "models")) == 1
    _, first, second = lifecycle_rules(storage, "workspace")
    assert first == {
        "id": "prefix uniflow/",
        "status": "Enabled",
        "filter": {"prefix": "uniflow/"},
        "expiration": {"days": 90},
        "noncurrentVersionExpiration": {"noncurrentDays": 7},
    }
    assert second["filter"] == {"prefix": ""}
    assert second["transitions"] == [{"days": 30, "storageClass": "STANDARD_IA"}]


def test_access_logs_go_when_the_settings_say() -> None:
    """MR-1."""
    storage = store(**LOGGED)
    assert storage.access_logs is not None
    (rule,) = log_lifecycle_rules(storage, storage.access_logs)
    assert rule["expiration"] == {"days": 365}
