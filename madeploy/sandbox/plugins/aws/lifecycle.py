"""A bucket's lifecycle rules, which the SDK and the API spell differently in many places."""

from __future__ import annotations

from typing import Any

from madeploy.sandbox.plugins.aws.resource import tag_list, tag_map
from madeploy.sandbox.plugins.aws.s3 import BucketSetting
from madeploy.sandbox.plugins.properties import Properties

_SMALLEST_OBJECT = "all_storage_classes_128K"

# Names in the SDK and in the API, for the parts of a rule that are flat.
_PARTS = {
    "abortIncompleteMultipartUpload": "AbortIncompleteMultipartUpload",
    "expiration": "Expiration",
    "noncurrentVersionExpiration": "NoncurrentVersionExpiration",
    "noncurrentVersionTransitions": "NoncurrentVersionTransitions",
    "transitions": "Transitions",
}
_FIELDS = {
    "date": "Date",
    "days": "Days",
    "daysAfterInitiation": "DaysAfterInitiation",
    "expiredObjectDeleteMarker": "ExpiredObjectDeleteMarker",
    "newerNoncurrentVersions": "NewerNoncurrentVersions",
    "noncurrentDays": "NoncurrentDays",
    "objectSizeGreaterThan": "ObjectSizeGreaterThan",
    "objectSizeLessThan": "ObjectSizeLessThan",
    "prefix": "Prefix",
    "storageClass": "StorageClass",
}
_FIELDS_BACK = {theirs: ours for ours, theirs in _FIELDS.items()}


class BucketLifecycleConfiguration(BucketSetting):
    token = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
    required = ("bucket", "rules")
    missing = frozenset({"NoSuchLifecycleConfiguration"})

    def write(self, s3: Any, inputs: Properties) -> None:
        rules = [_sent(rule) for rule in inputs["rules"]]
        s3.put_bucket_lifecycle_configuration(
            Bucket=inputs["bucket"], LifecycleConfiguration={"Rules": rules}
        )

    def fetch(self, s3: Any, bucket: str) -> Properties | None:
        found = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
        return {
            "rules": [_received(rule) for rule in found],
            "transitionDefaultMinimumObjectSize": _SMALLEST_OBJECT,
        }

    def remove(self, s3: Any, bucket: str, known: Properties) -> None:
        s3.delete_bucket_lifecycle(Bucket=bucket)


def _sent(rule: dict[str, Any]) -> dict[str, Any]:
    sent: dict[str, Any] = {"ID": rule["id"], "Status": rule["status"]}
    given = rule.get("filter") or {"prefix": ""}
    filtered = _renamed(given, _FIELDS)
    if tag := given.get("tag"):
        filtered["Tag"] = {"Key": tag["key"], "Value": tag["value"]}
    if both := given.get("and"):
        filtered["And"] = _renamed(both, _FIELDS)
        if tags := both.get("tags"):
            filtered["And"]["Tags"] = tag_list(tags)
    sent["Filter"] = filtered
    for ours, theirs in _PARTS.items():
        if part := rule.get(ours):
            sent[theirs] = (
                [_renamed(item, _FIELDS) for item in part]
                if isinstance(part, list)
                else _renamed(part, _FIELDS)
            )
    return sent


def _received(rule: dict[str, Any]) -> dict[str, Any]:
    received: dict[str, Any] = {"id": rule.get("ID"), "status": rule["Status"]}
    given = rule.get("Filter") or {"Prefix": ""}
    filtered = _renamed(given, _FIELDS_BACK)
    if tag := given.get("Tag"):
        filtered["tag"] = {"key": tag["Key"], "value": tag["Value"]}
    if both := given.get("And"):
        filtered["and"] = {**_renamed(both, _FIELDS_BACK), "tags": tag_map(both.get("Tags"))}
    received["filter"] = filtered
    for ours, theirs in _PARTS.items():
        if part := rule.get(theirs):
            many = isinstance(part, list)
            received[ours] = (
                [_renamed(item, _FIELDS_BACK) for item in part] if many else _renamed(part, _FIELDS_BACK)
            )
    return received


def _renamed(part: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    return {
        names[key]: value if isinstance(value, str | int | bool) else str(value)
        for key, value in part.items()
        if key in names
    }
