"""Where the object store is reached."""

from __future__ import annotations

from madeploy.names.aws import partition
from madeploy.settings.storage import S3CompatibleStorage, Storage


def s3_endpoint(storage: Storage) -> tuple[str, bool]:
    """`(host[:port], TLS)` of the object store. The services take no scheme (facts 2.3 row 11) and plain
    HTTP unless told otherwise (row 10). On AWS it is the region's own host (AWS General Reference,
    Amazon S3 endpoints)."""
    if isinstance(storage, S3CompatibleStorage):
        scheme, _, host = storage.endpoint.partition("://")
        return host, scheme == "https"
    suffix = ".cn" if partition(storage.region) == "aws-cn" else ""
    return f"s3.{storage.region}.amazonaws.com{suffix}", True


def s3_url(storage: Storage) -> str:
    """URL of the object store, with scheme, as AWS SDKs take it."""
    host, tls = s3_endpoint(storage)
    return f"{'https' if tls else 'http'}://{host}"
