"""S3, STS and IAM on the wire, with what they refuse."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.http_double import Answer, http_double

BLOCK = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
"""Everything that a bucket's public access block can block."""


def protected(s3: Any, name: str) -> None:
    """Give a bucket the safeguards that an update gives it."""
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [rule]})
    s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=dict.fromkeys(BLOCK, True))
    s3.put_bucket_policy(Bucket=name, Policy=policy("Deny"))
    old = {"NoncurrentDays": 30}
    rule = {"ID": "old", "Status": "Enabled", "Filter": {"Prefix": ""}, "NoncurrentVersionExpiration": old}
    s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": [rule]})


def policy(effect: str) -> str:
    """A bucket's policy about requests without TLS."""
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": effect,
                    "Principal": "*",
                    "Action": "s3:*",
                    "Resource": "arn:aws:s3:::x",
                    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                }
            ],
        }
    )


class Aws:
    """S3, STS and IAM on the wire, with what they refuse."""

    def __init__(self, **refused: int) -> None:
        self.refused = refused
        self.account = "123456789012"
        self.denied = ""
        self.written: list[str] = []

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        """By the query protocol of STS and IAM, and S3's own."""
        action = body.decode().partition("Action=")[2].partition("&")[0]
        if action:
            return self._query(action)
        bucket = path.strip("/").partition("/")[0].partition("?")[0]
        kind = "head" if method == "HEAD" else "begin" if path.endswith("?uploads") else "abort"
        status = self.refused.get(f"{kind}_{bucket}".replace("-", "_"), 0)
        if status:
            return status, {"Content-Type": "application/xml"}, b"<Error><Code>AccessDenied</Code></Error>"
        if kind == "begin":
            self.written.append(path)
            text = "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>"
            return 200, {"Content-Type": "application/xml"}, text.encode()
        if kind == "abort":
            self.written.pop()
            return 204, {}, b""
        return 200, {}, b""

    def _query(self, action: str) -> Answer:
        if action in self.refused:
            text = (
                "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>"
            )
            return self.refused[action], {"Content-Type": "text/xml"}, text.encode()
        results = {
            "GetCallerIdentity": f"<Account>{self.account}</Account><UserId>u</UserId>"
            f"<Arn>arn:aws:sts::{self.account}:assumed-role/deployer/session</Arn>",
            "SimulatePrincipalPolicy": "<EvaluationResults><member><EvalActionName>s3:CreateBucket"
            f"</EvalActionName><EvalResourceName>*</EvalResourceName><EvalDecision>{self.denied or 'allowed'}"
            "</EvalDecision></member></EvaluationResults><IsTruncated>false</IsTruncated>",
        }
        text = f"<{action}Response><{action}Result>{results[action]}</{action}Result></{action}Response>"
        return 200, {"Content-Type": "text/xml"}, text.encode()

    @staticmethod
    def environ(address: str) -> dict[str, str]:
        """Variables by which AWS SDKs reach a server at `host:port`, and nothing else."""
        return {
            "AWS_ENDPOINT_URL": f"http://{address}",
            "AWS_ACCESS_KEY_ID": "key-of-nobody",
            "AWS_SECRET_ACCESS_KEY": "not-a-secret",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }


@contextlib.contextmanager
def signed_in(made: Aws, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Start it, and have SDKs reach it alone."""
    with http_double(made.answer) as address:
        for name, value in made.environ(address).items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("AWS_PROFILE", raising=False)
        yield
