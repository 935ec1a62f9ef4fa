"""The artifact store as it is deployed: every property read back, and what becomes of its data."""

from __future__ import annotations

import json
from typing import Any

import pytest

from madeploy.sandbox.aws import ACCOUNT
from madeploy.settings import Environment
from manifests import identities
from tests.sandbox.aws.stores import (
    FILLED,
    Client,
    beside,
    contents,
    encryption,
    fill,
    is_safe,
    program,
    storage_of,
    store,
)
from tests.support.engine import Stack
from tests.support.environments import environment as settings
from tests.support.iam import Request, allows
from tests.support.proves import proves

pytestmark = pytest.mark.sandbox


@proves("MR-1", played="AWS, by moto")
def test_buckets_have_every_property_of_the_settings(stack: Stack, prefix: str, client: Client) -> None:
    """MR-1: encryption, versions, no public access, ownership, TLS only, lifecycle, access logs, lock."""
    colder = {"days": 30, "storageClass": "STANDARD_IA"}
    ageing = {"prefix": "uniflow/", "expireDays": 90, "noncurrentDays": 10, "transitions": [colder]}
    env = store(
        prefix,
        kmsKey={"rotationDays": 180, "deletionWindowDays": 14},
        lifecycle={"workspace": [ageing]},
        objectLock={"mode": "governance", "days": 30},
        accessLogs={"bucket": f"{prefix}-access-logs"},
        forceDestroy=True,
        tags={"team": "ml"},
    )
    run = stack.up(program(env))
    assert not run.failed, run.text
    s3, kms = client("s3"), client("kms")
    models, logs = f"{prefix}-models", f"{prefix}-access-logs"
    tags = {tag["Key"]: tag["Value"] for tag in s3.get_bucket_tagging(Bucket=models)["TagSet"]}
    assert tags["team"] == "ml"
    assert tags["michelangelo:managed-by"] == "madeploy"
    for bucket in (f"{prefix}-workspace", models, logs):
        assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
        block = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
        assert set(block.values()) == {True}
        rules = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
        assert rules == [{"ObjectOwnership": "BucketOwnerEnforced"}]
        policy = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
        plain = Request("s3:GetObject", f"arn:aws:s3:::{bucket}/a", {"aws:SecureTransport": "false"})
        assert allows(policy, plain).explicitly_denied
    assert encryption(s3, logs) == {"SSEAlgorithm": "AES256"}

    key = encryption(s3, models)["KMSMasterKeyID"]
    assert encryption(s3, models) == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    rotation = kms.get_key_rotation_status(KeyId=key)
    assert (rotation["KeyRotationEnabled"], rotation["RotationPeriodInDays"]) == (True, 180)
    aliases = {alias["AliasName"]: alias.get("TargetKeyId") for alias in kms.list_aliases()["Aliases"]}
    assert key.endswith(f"/{aliases[f'alias/michelangelo-{stack.name}']}")
    key_policy = json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])
    caller = {"AWS": f"arn:aws:iam::{ACCOUNT}:role/x"}
    assert not allows(key_policy, Request("kms:Decrypt", key, {}, caller)).allowed

    lifecycle = s3.get_bucket_lifecycle_configuration(Bucket=f"{prefix}-workspace")["Rules"]
    assert {rule["Filter"]["Prefix"] for rule in lifecycle} == {"", "uniflow/"}
    (expiring,) = [rule for rule in lifecycle if rule["Filter"]["Prefix"] == "uniflow/"]
    assert expiring["Expiration"]["Days"] == 90
    assert expiring["NoncurrentVersionExpiration"]["NoncurrentDays"] == 10
    assert expiring["Transitions"] == [{"Days": 30, "StorageClass": "STANDARD_IA"}]
    (everything,) = [rule for rule in lifecycle if rule["Filter"]["Prefix"] == ""]
    assert everything["NoncurrentVersionExpiration"]["NoncurrentDays"] == 30
    assert everything["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] == 7

    lock = s3.get_object_lock_configuration(Bucket=models)["ObjectLockConfiguration"]
    assert lock["ObjectLockEnabled"] == "Enabled"
    assert lock["Rule"]["DefaultRetention"]["Mode"] == "GOVERNANCE"
    assert lock["Rule"]["DefaultRetention"]["Days"] == 30
    target = s3.get_bucket_logging(Bucket=models)["LoggingEnabled"]
    assert (target["TargetBucket"], target["TargetPrefix"]) == (logs, "models/")
    assert "LoggingEnabled" not in s3.get_bucket_logging(Bucket=logs), "logs about logs never end"
    delivered = {entry["Key"].partition("/")[0] for entry in s3.list_objects_v2(Bucket=logs)["Contents"]}
    assert delivered == {"workspace", "models"}

    assert stack.up(program(env)).changes == {}
    assert stack.refresh().changes == {}
    assert not (gone := stack.destroy()).failed, gone.text
    assert not [b["Name"] for b in s3.list_buckets()["Buckets"] if b["Name"].startswith(f"{prefix}-")]


def test_a_bucket_that_exists_is_locked_in_place_and_let_go_again(
    stack: Stack, prefix: str, client: Client
) -> None:
    """MR-1, UX-6: Object Lock, access logs and a lifecycle rule come and go without replacing a bucket."""
    s3, models = client("s3"), f"{prefix}-models"
    assert not (run := stack.up(program(store(prefix)))).failed, run.text
    more = store(
        prefix,
        objectLock={"mode": "compliance", "days": 20},
        accessLogs={"bucket": f"{prefix}-access-logs"},
        lifecycle={"models": [{"prefix": "old/", "expireDays": 40}]},
        forceDestroy=True,
    )
    assert not (run := stack.up(program(more))).failed, run.text
    assert not {"replace", "delete"} & set(run.changes.values())
    lock = s3.get_object_lock_configuration(Bucket=models)["ObjectLockConfiguration"]
    assert lock["Rule"]["DefaultRetention"]["Mode"] == "COMPLIANCE"
    assert stack.up(program(more)).changes == {}
    assert not (run := stack.up(program(store(prefix, forceDestroy=True)))).failed, run.text
    assert "replace" not in run.changes.values()
    lock = s3.get_object_lock_configuration(Bucket=models)["ObjectLockConfiguration"]
    assert "Rule" not in lock, "the ability stays, the retention of new versions ends"
    assert "LoggingEnabled" not in s3.get_bucket_logging(Bucket=models)
    assert not (gone := stack.destroy()).failed, gone.text


@proves("MR-2", played="AWS, by moto")
def test_roles_have_every_property_of_the_settings(stack: Stack, prefix: str, client: Client) -> None:
    """MR-2: path, boundary, tags, trust and policy of each identity; ARNs as they were predicted."""
    iam = client("iam")
    nothing = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    boundary = iam.create_policy(PolicyName=f"{prefix}-boundary", PolicyDocument=json.dumps(nothing))
    arn = boundary["Policy"]["Arn"]
    env = store(prefix, rolePath="/ml/", permissionsBoundaryArn=arn, serviceAccess="readOnly")
    run = stack.up(program(env))
    assert not run.failed, run.text
    assert run.outputs["roles"] == run.outputs["predicted"]
    assert set(run.outputs["roles"]) == {"controllermgr", "worker", "tasks-gpu"}
    providers = [p["Arn"] for p in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]]
    assert f"arn:aws:iam::{ACCOUNT}:oidc-provider/oidc.example.com/{prefix}-control" in providers
    assert f"arn:aws:iam::{ACCOUNT}:oidc-provider/oidc.example.com/{prefix}-gpu" not in providers
    for subject in identities.subjects(env):
        role = iam.get_role(RoleName=run.outputs["roles"][subject.identity].rpartition("/")[2])["Role"]
        assert role["Path"] == "/ml/"
        assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == arn
        assert {tag["Key"] for tag in role["Tags"]} >= {"michelangelo:environment"}
        provider = role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["Federated"]
        account = f"system:serviceaccount:{subject.namespace}:{subject.service_account}"
        issuer = provider.partition(":oidc-provider/")[2]
        context = {f"{issuer}:sub": account, f"{issuer}:aud": "sts.amazonaws.com"}
        taken = Request("sts:AssumeRoleWithWebIdentity", role["Arn"], context, {"Federated": provider})
        assert allows(role["AssumeRolePolicyDocument"], taken).allowed
        assert iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"] == ["object-access"]
        policy = iam.get_role_policy(RoleName=role["RoleName"], PolicyName="object-access")["PolicyDocument"]
        write = Request("s3:PutObject", f"arn:aws:s3:::{prefix}-models/a")
        assert allows(policy, write).allowed == (subject.identity == "tasks-gpu")
    assert stack.up(program(env)).changes == {}
    assert stack.refresh().changes == {}
    assert not (gone := stack.destroy()).failed, gone.text


def test_pods_are_associated_with_their_roles(stack: Stack, prefix: str, client: Client) -> None:
    """MR-2: by EKS Pod Identity, for the control plane's and a compute cluster's ServiceAccounts; a changed
    role changes its association in place."""
    eks = client("eks")
    for name in (f"{prefix}-control", f"{prefix}-gpu"):
        eks.create_cluster(
            name=name,
            roleArn=f"arn:aws:iam::{ACCOUNT}:role/eks",
            resourcesVpcConfig={"subnetIds": ["subnet-1", "subnet-2"]},
        )

    def env(**more: Any) -> Environment:
        own = {"kind": "podIdentity", "clusterName": f"{prefix}-control"}
        tasks = {"kind": "podIdentity", "clusterName": f"{prefix}-gpu"}
        clusters = {"gpu": {"kubeconfigContext": "gpu", "taskIdentity": tasks}}
        return settings(
            storage=storage_of(prefix, identity=own, accountId=ACCOUNT, **more), clusters=clusters
        )

    def associated() -> dict[str, dict[str, Any]]:
        """Associations by ServiceAccount."""
        found = [
            item
            for name in (f"{prefix}-control", f"{prefix}-gpu")
            for item in eks.list_pod_identity_associations(clusterName=name)["associations"]
        ]
        names = ("clusterName", "associationId")
        told = [eks.describe_pod_identity_association(**{key: item[key] for key in names}) for item in found]
        return {item["association"]["serviceAccount"]: item["association"] for item in told}

    run = stack.up(program(env()))
    assert not run.failed, run.text
    assert run.outputs["roles"] == run.outputs["predicted"]
    first = associated()
    assert {item["roleArn"] for item in first.values()} == set(run.outputs["roles"].values())
    assert {item["clusterName"] for item in first.values()} == {f"{prefix}-control", f"{prefix}-gpu"}
    assert not any(item["disableSessionTags"] for item in first.values())
    assert stack.up(program(env())).changes == {}
    assert stack.refresh().changes == {}
    moved = stack.up(program(env(rolePath="/ml/")))
    assert not moved.failed, moved.text
    second = associated()
    assert {item["roleArn"] for item in second.values()} == set(moved.outputs["roles"].values())
    assert all("/ml/" in item["roleArn"] for item in second.values())
    assert {name: item["associationId"] for name, item in second.items()} == {
        name: item["associationId"] for name, item in first.items()
    }
    assert not (gone := stack.destroy()).failed, gone.text
    assert eks.list_pod_identity_associations(clusterName=f"{prefix}-control")["associations"] == []


def _is_as_it_was(s3: Any, bucket: str) -> bool:
    """Whether a bucket has its object and everything that keeps it safe."""
    return contents(s3, bucket) == FILLED and is_safe(beside(s3, bucket))


@pytest.mark.usefixtures("kept")
@proves("UX-6", played="AWS, by moto")
def test_a_bucket_with_objects_is_not_destroyed_unless_that_is_forced(
    stack: Stack, prefix: str, client: Client
) -> None:
    """UX-6, MR-1: destroy fails and leaves bucket, objects and settings as they were; the stack's outputs say
    what forces it; the next update goes on from there. Forced, it removes every version."""
    s3, bucket = client("s3"), f"{prefix}-models"
    assert not (run := stack.up(program(store(prefix)))).failed, run.text
    fill(s3, bucket)
    assert "storage.forceDestroy" in run.outputs["buckets"]["models"]["on_destroy"]
    refused = stack.destroy()
    assert refused.failed
    assert "BucketNotEmpty" in refused.text
    assert _is_as_it_was(s3, bucket)
    assert not (again := stack.up(program(store(prefix)))).failed, again.text
    assert _is_as_it_was(s3, bucket)
    forced = store(prefix, forceDestroy=True)
    assert not (run := stack.up(program(forced))).failed, run.text
    assert not (gone := stack.destroy()).failed, gone.text
    assert bucket not in [entry["Name"] for entry in s3.list_buckets()["Buckets"]]


@pytest.mark.usefixtures("kept")
@proves("UX-6", played="AWS, by moto")
def test_a_protected_bucket_outlives_its_stack(stack: Stack, prefix: str, client: Client) -> None:
    """UX-6, MR-1: by default nothing destroys it; unprotected by hand, it is let go and not deleted."""
    s3, bucket = client("s3"), f"{prefix}-models"
    assert not (run := stack.up(program(store(prefix, protect=True)))).failed, run.text
    fill(s3, bucket)
    assert "storage.protect" in run.outputs["buckets"]["models"]["on_destroy"]
    for refused in (stack.preview_destroy(), stack.destroy()):
        assert refused.failed
        assert "cannot be deleted" in refused.text
        assert "it is protected" in refused.text
    assert _is_as_it_was(s3, bucket)
    stack.unprotect()
    assert not (gone := stack.destroy()).failed, gone.text
    assert _is_as_it_was(s3, bucket)
