"""Stores as the program makes them, and what their buckets have, read by clients that owe nothing to it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pulumi

from components.artifact_store import ArtifactStore, ArtifactStoreArgs
from madeploy.names.storage import bucket_outputs
from madeploy.sandbox.aws import ACCOUNT
from madeploy.settings import Environment
from madeploy.settings.storage import AwsStorage
from manifests import identities
from tests.support.engine import Program
from tests.support.environments import aws_storage
from tests.support.environments import environment as settings

Client = Callable[..., Any]
"""Makes a client of a service, by its name; `region_name` for one of another region."""


def store(prefix: str, **more: Any) -> Environment:
    """Settings of a store whose buckets may go with their stack, unless they are told otherwise."""
    issuer = f"arn:aws:iam::{ACCOUNT}:oidc-provider/oidc.example.com/{prefix}"
    identity = {"kind": "irsa", "oidcProviderArn": f"{issuer}-control", "createOidcProvider": True}
    tasks = {"kind": "irsa", "oidcProviderArn": f"{issuer}-gpu"}
    clusters = {"gpu": {"kubeconfigContext": "gpu", "taskIdentity": tasks}}
    return settings(storage=storage_of(prefix, **{"identity": identity, **more}), clusters=clusters)


def storage_of(prefix: str, **more: Any) -> dict[str, Any]:
    """The storage section of such a store."""
    return aws_storage(**{"pathStyle": True, "protect": False, "buckets": buckets_of(prefix), **more})


def buckets_of(prefix: str, **more: str) -> dict[str, str]:
    """Names of its buckets by purpose."""
    return {"workspace": f"{prefix}-workspace", "models": f"{prefix}-models", **more}


def program(env: Environment) -> Program:
    """What `Platform` does with a store."""

    def run() -> None:
        storage = env.storage
        assert isinstance(storage, AwsStorage)
        made = ArtifactStore("store", ArtifactStoreArgs(env, storage, pulumi.get_stack()))
        predicted = identities.predicted_roles(env, pulumi.get_stack())
        pulumi.export("buckets", bucket_outputs(storage))
        pulumi.export("roles", made.role_arns)
        pulumi.export("predicted", predicted)

    return run


def fill(s3: Any, bucket: str) -> None:
    """Put an object into a bucket, and another version over it."""
    for body in (b"older weights", b"weights"):
        s3.put_object(Bucket=bucket, Key="model.bin", Body=body)


def empty(s3: Any, bucket: str) -> None:
    """Take every version out of a bucket."""
    for version in s3.list_object_versions(Bucket=bucket).get("Versions", []):
        s3.delete_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])


def names(s3: Any) -> set[str]:
    """Names of all buckets there are."""
    return {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}


def encryption(s3: Any, bucket: str) -> dict[str, str]:
    """How a bucket encrypts what comes without being encrypted."""
    (rule,) = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    applied: dict[str, str] = rule["ApplyServerSideEncryptionByDefault"]
    return applied


def beside(s3: Any, bucket: str) -> dict[str, Any]:
    """The six settings that AWS keeps beside a bucket, as they are read back, its name left out."""
    policy = s3.get_bucket_policy(Bucket=bucket)["Policy"].replace(bucket, "BUCKET")
    return {
        "policy": json.loads(policy),
        "public access block": s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"],
        "ownership": s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"],
        "encryption": s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"],
        "lifecycle": s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"],
        "versioning": s3.get_bucket_versioning(Bucket=bucket).get("Status"),
    }


def is_safe(settings: dict[str, Any]) -> bool:
    """Whether these settings of a bucket are those that keep what is in it safe."""
    return (
        {statement["Effect"] for statement in settings["policy"]["Statement"]} == {"Deny"}
        and set(settings["public access block"].values()) == {True}
        and settings["ownership"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
        and len(settings["encryption"]) == 1
        and len(settings["lifecycle"]) == 1
        and settings["versioning"] == "Enabled"
    )


def contents(s3: Any, bucket: str) -> tuple[int, bytes]:
    """Number of versions of the object in a bucket that was filled, and what the newest holds."""
    versions = s3.list_object_versions(Bucket=bucket, Prefix="model.bin")["Versions"]
    return len(versions), s3.get_object(Bucket=bucket, Key="model.bin")["Body"].read()


FILLED = (2, b"weights")
"""Contents of a bucket as `fill` leaves it."""
