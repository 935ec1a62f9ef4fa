"""An S3 object store as the toolkit calls it: boto3 with time limits, and typed failures."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from madeploy.clients.aws import failures
from madeploy.clients.errors import ClientError

CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0
ATTEMPTS = 4


class S3:
    """One object store with the credentials that boto3 finds (environment, profile, SSO, role).

    Args:
        endpoint: URL with scheme; None for AWS's own of the region.
        region: such as `eu-west-1`.
        path_style: whether buckets are folders of the URL, not host names.
        keys: access key id and secret access key, in place of what boto3 finds.
    """

    def __init__(
        self, endpoint: str | None, region: str, path_style: bool = False, keys: tuple[str, str] | None = None
    ) -> None:
        # This import takes a second, which only commands that call S3 should wait for.
        import boto3
        from botocore.config import Config

        settings = Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
            s3={"addressing_style": "path" if path_style else "virtual"},
        )
        key_id, secret = keys or (None, None)
        self._client = boto3.client(
            "s3",
            region_name=region,
            endpoint_url=endpoint,
            config=settings,
            aws_access_key_id=key_id,
            aws_secret_access_key=secret,
        )
        self.endpoint = str(self._client.meta.endpoint_url)

    def pages(self, bucket: str, prefix: str, limit: int = 1000) -> Iterator[list[tuple[str, int]]]:
        """Keys that start with `prefix`, in order, with sizes in bytes; `limit` keys a page at most.

        Raises ClientError.
        """
        query: dict[str, Any] = {"Bucket": bucket, "Prefix": prefix, "MaxKeys": limit}
        while True:
            answer = self._call("list_objects_v2", **query)
            page = [(item["Key"], item["Size"]) for item in answer.get("Contents") or ()]
            if page:
                yield page
            if not answer.get("IsTruncated"):
                return
            query["ContinuationToken"] = answer["NextContinuationToken"]

    def has_bucket(self, bucket: str) -> bool:
        """Whether a bucket exists. Raises ClientError: `forbidden` for one that is not shown."""
        try:
            self._call("head_bucket", Bucket=bucket)
        except ClientError as error:
            if error.cause == "notFound":
                return False
            raise
        return True

    def safeguards(self, bucket: str) -> dict[str, Any]:
        """What protects a bucket: `versioning`, `encryption`, `publicAccessBlock`, `tlsOnly` as booleans, and
        `lifecycle`, the number of its rules. Raises ClientError."""
        versioning = self._call("get_bucket_versioning", Bucket=bucket).get("Status") == "Enabled"
        encryption = self._setting("get_bucket_encryption", bucket)
        block = self._setting("get_public_access_block", bucket).get("PublicAccessBlockConfiguration") or {}
        policy = json.loads(self._setting("get_bucket_policy", bucket).get("Policy") or "{}")
        lifecycle = self._setting("get_bucket_lifecycle_configuration", bucket)
        return {
            "versioning": versioning,
            "encryption": bool(encryption.get("ServerSideEncryptionConfiguration")),
            "publicAccessBlock": bool(block) and all(block.values()),
            "tlsOnly": any(_refuses_plain_http(item) for item in policy.get("Statement") or ()),
            "lifecycle": len(lifecycle.get("Rules") or ()),
        }

    def _setting(self, operation: str, bucket: str) -> dict[str, Any]:
        """A bucket's configuration of one kind; empty where it has none, which S3 answers with 404."""
        try:
            return self._call(operation, Bucket=bucket)
        except ClientError as error:
            if error.cause == "notFound" and not error.message.startswith("NoSuchBucket "):
                return {}
            raise

    def try_write(self, bucket: str) -> None:
        """Whether an object may be written, with nothing left behind: an upload in parts needs the right to
        put the object (Amazon S3 User Guide, multipart upload and permissions), and is given up at once.
        Raises ClientError."""
        place = {"Bucket": bucket, "Key": "madeploy-write-check"}
        upload = self._call("create_multipart_upload", **place)["UploadId"]
        self._call("abort_multipart_upload", **place, UploadId=upload)

    def delete(self, bucket: str, keys: Sequence[str]) -> dict[str, str]:
        """Delete up to 1000 objects; the reason by key for those that could not be. Raises ClientError."""
        objects = [{"Key": key} for key in keys]
        answer = self._call("delete_objects", Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
        return {
            item["Key"]: f"{item.get('Code', '')} {item.get('Message', '')}".strip()
            for item in answer.get("Errors") or ()
        }

    def _call(self, operation: str, **given: Any) -> dict[str, Any]:
        with failures(self.endpoint):
            answer: dict[str, Any] = getattr(self._client, operation)(**given)
        return answer


def _refuses_plain_http(statement: dict[str, Any]) -> bool:
    """Whether a statement denies requests without TLS (Amazon S3 User Guide, aws:SecureTransport)."""
    plain = ((statement.get("Condition") or {}).get("Bool") or {}).get("aws:SecureTransport")
    return statement.get("Effect") == "Deny" and str(plain).lower() == "false"
