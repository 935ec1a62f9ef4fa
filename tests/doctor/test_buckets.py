"""Buckets are compared with what the stack makes of them, against a local S3."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from madeploy.doctor.checks import Check, run
from madeploy.doctor.data import buckets
from madeploy.findings.outcomes import Outcome
from tests.support.aws_double import BLOCK, Aws, policy, protected
from tests.support.environments import aws_storage, environment
from tests.support.furnished import FurnishedSite
from tests.support.local_aws import local_aws

pytestmark = pytest.mark.whole

NAMES = ("example-ml-workspace", "example-ml-models")


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A local S3, empty, and a client of it."""
    import boto3

    with local_aws() as address:
        for name, value in Aws.environ(address).items():
            monkeypatch.setenv(name, value)
        yield boto3.client("s3", region_name="eu-west-1")


def make(s3: Any, *names: str) -> None:
    """Buckets as an update makes them."""
    for name in names:
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        protected(s3, name)


def look() -> Outcome:
    made = FurnishedSite(environment(storage=aws_storage(pathStyle=True)))
    (outcome,) = run("verify", "prod", [Check("b", "x", lambda: buckets(made.site, lambda: None))]).outcomes
    return outcome


def test_buckets_as_the_stack_makes_them_pass(s3: Any) -> None:
    """MR-1."""
    make(s3, *NAMES)
    outcome = look()
    assert (outcome.state, outcome.detail) == ("passed", "2 buckets are as declared")


def test_a_bucket_that_is_gone_is_named(s3: Any) -> None:
    """MR-1."""
    make(s3, NAMES[0])
    (finding,) = look().findings
    assert (finding.code, NAMES[1] in finding.subject) == ("MA914", True)


@pytest.mark.parametrize(
    ("break_", "words"),
    [
        (
            lambda s3, name: s3.put_bucket_versioning(
                Bucket=name, VersioningConfiguration={"Status": "Suspended"}
            ),
            "versions are not kept",
        ),
        (lambda s3, name: s3.delete_bucket_encryption(Bucket=name), "objects are not encrypted"),
        (lambda s3, name: s3.delete_public_access_block(Bucket=name), "public access is not blocked"),
        (
            lambda s3, name: s3.put_public_access_block(
                Bucket=name,
                PublicAccessBlockConfiguration={**dict.fromkeys(BLOCK, True), "BlockPublicPolicy": False},
            ),
            "public access is not blocked",
        ),
        (lambda s3, name: s3.delete_bucket_policy(Bucket=name), "requests without TLS are allowed"),
        (
            lambda s3, name: s3.put_bucket_policy(Bucket=name, Policy=policy("Allow")),
            "requests without TLS are allowed",
        ),
        (
            lambda s3, name: s3.delete_bucket_lifecycle(Bucket=name),
            "old versions and unfinished uploads never expire",
        ),
    ],
    ids=["versioning", "encryption", "no block", "half a block", "no policy", "another policy", "no rules"],
)
def test_a_safeguard_that_was_taken_away_is_found(
    break_: Callable[[Any, str], None], words: str, s3: Any
) -> None:
    """MR-1: which one, of which bucket."""
    make(s3, *NAMES)
    break_(s3, NAMES[0])
    (finding,) = look().findings
    assert (finding.code, finding.evidence) == ("MA966", words)
    assert NAMES[0] in finding.subject
    assert finding.commands == ("pulumi up --refresh --stack prod",)
