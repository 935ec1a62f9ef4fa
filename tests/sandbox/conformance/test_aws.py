"""Buckets, roles and policies as the project makes them."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

import boto3
import pulumi
import pulumi_aws as aws
import pytest

from madeploy.sandbox.environment import Environment
from tests.sandbox.conformance.engine import Program, Stack

pytestmark = pytest.mark.sandbox

_numbers = itertools.count(1)


@pytest.fixture
def bucket() -> str:
    """The name of a bucket of the test's own."""
    return f"conformance-{next(_numbers)}"


@pytest.fixture
def service(environment: Environment) -> Callable[[str], Any]:
    """Clients that owe nothing to the plugins."""

    def client(name: str) -> Any:
        return boto3.client(
            name,
            endpoint_url=environment.aws_endpoint,
            region_name="us-east-1",
            aws_access_key_id="sandbox",
            aws_secret_access_key="sandbox",
        )

    return client


def statement(action: str, resource: str = "*") -> str:
    content = {"Effect": "Allow", "Action": [action], "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [content]}, indent=2)


def trust(principal: str) -> str:
    content = {"Effect": "Allow", "Principal": {"Service": principal}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [content]})


def storage(bucket: str, days: int = 30, principal: str = "pods.eks.amazonaws.com") -> Program:
    """What the artifact store is made of."""

    def program() -> None:
        provider = aws.Provider(
            "aws", region="us-east-1", s3_use_path_style=True, default_tags={"tags": {"by": "conformance"}}
        )
        opts = pulumi.ResourceOptions(provider=provider)
        made = aws.s3.Bucket("bucket", bucket=bucket, force_destroy=True, tags={"own": "1"}, opts=opts)
        aws.s3.BucketOwnershipControls(
            "ownership", bucket=made.id, rule={"object_ownership": "BucketOwnerEnforced"}, opts=opts
        )
        aws.s3.BucketPublicAccessBlock(
            "block",
            bucket=made.id,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=opts,
        )
        aws.s3.BucketServerSideEncryptionConfiguration(
            "encryption",
            bucket=made.id,
            rules=[{"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}],
            opts=opts,
        )
        aws.s3.BucketVersioning(
            "versioning", bucket=made.id, versioning_configuration={"status": "Enabled"}, opts=opts
        )
        aws.s3.BucketLifecycleConfiguration(
            "lifecycle",
            bucket=made.id,
            rules=[
                {
                    "id": "old",
                    "status": "Enabled",
                    "filter": {"prefix": ""},
                    "noncurrent_version_expiration": {"noncurrent_days": days},
                    "abort_incomplete_multipart_upload": {"days_after_initiation": 7},
                }
            ],
            opts=opts,
        )
        aws.s3.BucketPolicy(
            "policy", bucket=made.id, policy=made.arn.apply(lambda arn: denial(arn)), opts=opts
        )
        role = aws.iam.Role(
            "role", name=f"{bucket}-role", assume_role_policy=trust(principal), description="d", opts=opts
        )
        aws.iam.RolePolicy(
            "inline", name="access", role=role.id, policy=statement(f"s3:Get{days}"), opts=opts
        )
        managed = aws.iam.Policy("managed", policy=statement("s3:ListBucket"), opts=opts)
        aws.iam.RolePolicyAttachment("attached", role=role.name, policy_arn=managed.arn, opts=opts)
        aws.iam.OpenIdConnectProvider(
            "issuer",
            url=f"https://{bucket}.example.org/id",
            client_id_lists=["sts.amazonaws.com"],
            opts=opts,
        )
        caller = aws.get_caller_identity_output(opts=pulumi.InvokeOptions(provider=provider))
        pulumi.export("account", caller.account_id)
        pulumi.export("role", role.arn)
        pulumi.export("managed", managed.name)
        pulumi.export("domain", made.bucket_regional_domain_name)

    return program


def denial(arn: str) -> str:
    content = {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, f"{arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [content]}, sort_keys=True)


def test_an_artifact_store_is_made_and_left_alone(
    stack: Stack, bucket: str, service: Callable[[str], Any]
) -> None:
    """MR-1, MR-2: everything is as the program says; a second run and a refresh have nothing to do."""
    assert not (preview := stack.preview(storage(bucket))).failed, preview.text
    run = stack.up(storage(bucket))
    assert not run.failed, run.text
    assert run.outputs["role"] == f"arn:aws:iam::{run.outputs['account']}:role/{bucket}-role"
    assert run.outputs["domain"] == f"{bucket}.s3.us-east-1.amazonaws.com"
    assert run.outputs["managed"].startswith("managed-")
    s3 = service("s3")
    tags = {tag["Key"]: tag["Value"] for tag in s3.get_bucket_tagging(Bucket=bucket)["TagSet"]}
    assert tags == {"by": "conformance", "own": "1"}
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    assert json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"][0]["Effect"] == "Deny"
    found = service("iam").list_attached_role_policies(RoleName=f"{bucket}-role")["AttachedPolicies"]
    assert [policy["PolicyName"] for policy in found] == [run.outputs["managed"]]
    assert stack.up(storage(bucket)).changes == {}
    assert stack.refresh().changes == {}
    assert stack.preview(storage(bucket)).changes == {}


def test_settings_change_in_place_and_everything_goes_again(
    stack: Stack, bucket: str, service: Callable[[str], Any]
) -> None:
    """An update touches what changed and nothing else; destroy leaves nothing."""
    stack.up(storage(bucket))
    run = stack.up(storage(bucket, days=31, principal="ec2.amazonaws.com"))
    assert not run.failed, run.text
    assert run.changes == {"lifecycle": "update", "inline": "update", "role": "update"}
    rules = service("s3").get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert rules[0]["NoncurrentVersionExpiration"]["NoncurrentDays"] == 31
    assert not (gone := stack.destroy()).failed, gone.text
    assert bucket not in [entry["Name"] for entry in service("s3").list_buckets()["Buckets"]]
    assert f"{bucket}-role" not in [role["RoleName"] for role in service("iam").list_roles()["Roles"]]


def test_drift_of_a_bucket_is_found_and_mended(
    stack: Stack, bucket: str, service: Callable[[str], Any]
) -> None:
    """What somebody switched off by hand is on again after the next run."""
    stack.up(storage(bucket))
    s3 = service("s3")
    s3.delete_public_access_block(Bucket=bucket)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    found = stack.refresh().changes
    assert found == {"block": "delete", "versioning": "update"}
    assert not (mended := stack.up(storage(bucket))).failed, mended.text
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    assert s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]["BlockPublicAcls"]


def test_a_bucket_that_exists_already_is_not_taken_over(
    stack: Stack, bucket: str, service: Callable[[str], Any]
) -> None:
    """In us-east-1 AWS reports success for a bucket one has already; the plugin must not."""
    service("s3").create_bucket(Bucket=bucket)
    run = stack.up(storage(bucket))
    assert run.failed
    assert "already" in run.text.lower()
