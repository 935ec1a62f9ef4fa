"""Endpoint of the object store, and its stack outputs."""

from __future__ import annotations

from typing import Final

from madeploy.names.aws import bucket_arn, service_host
from madeploy.settings.storage import AwsStorage, S3CompatibleStorage, Storage

ACCESS_LOGS: Final = "access-logs"
"""Stands for the bucket of access logs where others have their purpose."""

AUDIT_LOGS: Final = "audit-logs"
"""Stands for the bucket of audit logs."""

SERVING_BUCKET: Final = "deploy-models"
"""Bucket that the platform's serving code reads models from, by name (facts 0.4)."""

NOT_OURS: Final = "left alone: it was made elsewhere"
PROTECTED: Final = (
    "refused: the bucket is protected. To give it up, set storage.protect to false and run `pulumi up` first"
)
WHEN_EMPTY: Final = (
    "deleted when empty, refused and left as it is while it holds objects or their versions. To delete those "
    "with it, set storage.forceDestroy to true and run `pulumi up` first"
)
WITH_OBJECTS: Final = "deleted with every object and version in it (storage.forceDestroy)"


def s3_endpoint(storage: Storage) -> tuple[str, bool]:
    """`(host[:port], TLS)` of the object store. The services take no scheme (facts 2.3 row 11) and plain
    HTTP unless told otherwise (row 10). On AWS it is the region's own host (AWS General Reference,
    Amazon S3 endpoints)."""
    if isinstance(storage, S3CompatibleStorage):
        scheme, _, host = storage.endpoint.partition("://")
        return host, scheme == "https"
    return service_host("s3", storage.region), True


def s3_url(storage: Storage) -> str:
    """URL of the object store, with scheme, as AWS SDKs take it."""
    host, tls = s3_endpoint(storage)
    return f"{'https' if tls else 'http'}://{host}"


def made_buckets(storage: AwsStorage) -> dict[str, str]:
    """Names of all buckets that are made, by purpose, logs' included."""
    named: dict[str, str] = storage.buckets.model_dump(exclude_none=True)
    if storage.access_logs is not None and storage.access_logs.create:
        named[ACCESS_LOGS] = storage.access_logs.bucket
    if storage.audit_logs is not None:
        named[AUDIT_LOGS] = storage.audit_logs.bucket
    return named


def bucket_outputs(storage: Storage) -> dict[str, dict[str, str]]:
    """What the stack's outputs say of each bucket, by purpose, the same for every kind of store: `name`,
    `arn` (S3-compatible stores have the same form in their policies), `region`, and `on_destroy`: what
    `pulumi destroy` does with it (UX-6)."""
    named: dict[str, str] = storage.buckets.model_dump(exclude_none=True)
    logs = None
    if isinstance(storage, AwsStorage):
        named, logs = made_buckets(storage), storage.access_logs
        if logs is not None:
            named[ACCESS_LOGS] = logs.bucket
    return {
        purpose: {
            "name": name,
            "arn": bucket_arn(storage.region, name),
            "region": storage.region,
            "on_destroy": NOT_OURS if logs and name == logs.bucket and not logs.create else _fate(storage),
        }
        for purpose, name in named.items()
    }


def _fate(storage: Storage) -> str:
    if not isinstance(storage, AwsStorage):
        return NOT_OURS
    if storage.protect:
        return PROTECTED
    return WITH_OBJECTS if storage.force_destroy else WHEN_EMPTY
