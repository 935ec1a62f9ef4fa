"""The least policy of whoever deploys a stack."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from madeploy.policy.service_files import EVERY_RULE
from madeploy.settings import Environment
from manifests.deployer import CALLS, deployer_policy, grants
from policies.rules.evaluation import evaluate
from policies.rules.model import Resource
from tests.support.environments import aws_storage, environment
from tests.support.iam import Request, allows

ACCOUNT, REGION, STACK = "123456789012", "eu-west-1", "prod"
ISSUER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/oidc.example.com/id"
IRSA = {"kind": "irsa", "oidcProviderArn": f"{ISSUER}/a", "createOidcProvider": True}
POD_IDENTITY = {"kind": "podIdentity", "clusterName": "control"}
MODELS, LOGS = "arn:aws:s3:::example-ml-models", "arn:aws:s3:::example-ml-access"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1"
WORKER = f"arn:aws:iam::{ACCOUNT}:role/michelangelo-{STACK}-worker"
TAGGED = "aws:ResourceTag/michelangelo:environment"

VARIANTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "irsa": {"identity": IRSA},
    "pod identity": {"identity": POD_IDENTITY},
    "everything": {
        "identity": POD_IDENTITY,
        "kmsKey": {},
        "objectLock": {"mode": "governance", "days": 30},
        "accessLogs": {"bucket": "example-ml-access"},
        "permissionsBoundaryArn": f"arn:aws:iam::{ACCOUNT}:policy/boundary",
        "rolePath": "/ml/",
        "protect": False,
        "forceDestroy": True,
    },
}


def settings(**storage: Any) -> Environment:
    return environment(storage=aws_storage(**storage))


def may(env: Environment, action: str, resource: str, **context: Any) -> bool:
    given = {key.replace("__", ":"): value for key, value in context.items()}
    return allows(deployer_policy(env, STACK, ACCOUNT), Request(action, resource, given)).allowed


def actions(env: Environment) -> set[str]:
    return {action for grant in grants(env, STACK, ACCOUNT) for action in grant.actions}


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_policy_keeps_every_rule_but_that_it_makes_identities(variant: str) -> None:
    """MR-2, POL-1: named actions, named resources; rights that lead to others are the deployer's alone."""
    policy = deployer_policy(settings(**VARIANTS[variant]), STACK, ACCOUNT)
    token = "aws:iam/policy:Policy"
    found = evaluate(EVERY_RULE, [Resource(token, {"name": "deployer", "policy": policy})], "production", ())
    assert {item.rule.code for item in found.found} <= {"MA556"}


@pytest.mark.parametrize(
    ("storage", "action", "resource", "is_needed"),
    [
        ({}, "s3:PutBucketPolicy", MODELS, True),
        ({}, "s3:PutBucketPolicy", "arn:aws:s3:::somebody-elses", False),
        ({}, "s3:GetObject", f"{MODELS}/a", False),
        ({}, "s3:DeleteBucket", MODELS, False),
        ({"protect": False}, "s3:DeleteBucket", MODELS, True),
        ({"protect": False}, "s3:DeleteObjectVersion", f"{MODELS}/a", False),
        ({"protect": False, "forceDestroy": True}, "s3:DeleteObjectVersion", f"{MODELS}/a", True),
        ({"protect": False, "forceDestroy": True}, "s3:BypassGovernanceRetention", f"{MODELS}/a", False),
        ({}, "s3:PutBucketObjectLockConfiguration", MODELS, False),
        (
            {"objectLock": {"mode": "compliance", "days": 9}},
            "s3:PutBucketObjectLockConfiguration",
            MODELS,
            True,
        ),
        ({}, "s3:PutBucketLogging", MODELS, False),
        ({"accessLogs": {"bucket": "example-ml-access"}}, "s3:PutBucketLogging", MODELS, True),
        ({"accessLogs": {"bucket": "example-ml-access"}}, "s3:PutBucketPolicy", LOGS, True),
        ({"accessLogs": {"bucket": "example-ml-access", "create": False}}, "s3:PutBucketPolicy", LOGS, False),
        ({"auditLogs": {"bucket": "example-ml-access"}}, "s3:PutBucketObjectLockConfiguration", LOGS, True),
        ({"auditLogs": {"bucket": "example-ml-access"}}, "s3:CreateBucket", LOGS, True),
        ({}, "kms:CreateKey", "*", False),
        ({"kmsKeyArn": KEY}, "kms:DescribeKey", KEY, False),
        ({"kmsKey": {}}, "kms:DescribeKey", KEY, True),
        ({"kmsKey": {}}, "kms:Decrypt", KEY, False),
        ({}, "iam:PutRolePolicy", WORKER, True),
        ({}, "iam:PutRolePolicy", f"arn:aws:iam::{ACCOUNT}:role/admin", False),
        ({"rolePath": "/ml/"}, "iam:PutRolePolicy", WORKER, False),
        ({}, "iam:CreateOpenIDConnectProvider", f"{ISSUER}/a", False),
        ({"identity": IRSA}, "iam:CreateOpenIDConnectProvider", f"{ISSUER}/a", True),
        ({"identity": IRSA}, "iam:CreateOpenIDConnectProvider", f"{ISSUER}/b", False),
    ],
)
def test_it_follows_the_settings(
    storage: dict[str, Any], action: str, resource: str, is_needed: bool
) -> None:
    """MR-2, UX-6: what nothing needs is not granted; protected data cannot be deleted by it."""
    assert may(settings(**storage), action, resource) == is_needed


@pytest.mark.parametrize(
    ("action", "resource", "right", "wrong"),
    [
        ("kms:CreateKey", "*", {"aws__RequestTag/michelangelo__environment": STACK}, {}),
        ("kms:PutKeyPolicy", KEY, {TAGGED: STACK}, {TAGGED: "other"}),
        ("kms:ScheduleKeyDeletion", KEY, {TAGGED: STACK}, {}),
        (
            "iam:PassRole",
            WORKER.replace("role/", "role/ml/"),
            {"iam__PassedToService": "pods.eks.amazonaws.com"},
            {"iam__PassedToService": "ec2.amazonaws.com"},
        ),
        (
            "iam:CreateRole",
            WORKER.replace("role/", "role/ml/"),
            {"iam__PermissionsBoundary": f"arn:aws:iam::{ACCOUNT}:policy/boundary"},
            {},
        ),
    ],
)
def test_what_names_cannot_narrow_conditions_do(
    action: str, resource: str, right: dict[str, str], wrong: dict[str, str]
) -> None:
    """MR-2: keys by the stack's tag, roles by their boundary and by who they are passed to."""
    env = settings(**VARIANTS["everything"])
    assert may(env, action, resource, **right)
    assert not may(env, action, resource, **wrong)


@pytest.mark.parametrize(
    ("region", "partition"),
    [("us-iso-east-1", "aws-iso"), ("cn-north-1", "aws-cn"), ("eusc-de-east-1", "aws-eusc")],
)
def test_every_arn_is_of_the_regions_partition(region: str, partition: str) -> None:
    """MR-2: keys, aliases, roles, clusters and buckets alike."""
    given = {**VARIANTS["everything"], "region": region}
    del given["permissionsBoundaryArn"]
    for grant in grants(settings(**given), STACK, ACCOUNT):
        for resource in grant.resources:
            assert resource == "*" or resource.startswith(f"arn:{partition}:"), grant.sid


def test_a_stack_without_aws_needs_nothing_and_clusters_on_eks_what_signs_in() -> None:
    """MR-2, REG-1: what an entry records is not asked for; with a profile other credentials sign in."""
    assert grants(environment(), STACK, ACCOUNT) == ()
    role = f"arn:aws:iam::{ACCOUNT}:role/admin"
    eks = {"clusterName": "gpu", "region": "eu-west-2"}

    def found(**more: Any) -> set[str]:
        return actions(environment(clusters={"gpu": {"eks": eks | more.pop("eks", {}), **more}}))

    assert found() == {"eks:DescribeCluster"}
    assert found(eks={"roleArn": role}) == {"eks:DescribeCluster", "sts:AssumeRole"}
    assert found(eks={"profile": "gpu"}) == set()
    recorded = {"server": "https://a.example.com", "certificateAuthorityData": _authority()}
    assert found(**recorded) == set()


def _authority() -> str:
    import base64

    text = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    return base64.b64encode(text.encode()).decode()


def test_nothing_in_the_table_is_forgotten_by_the_policy() -> None:
    """MR-2: every action of every type of resource is granted where all settings are."""
    everything = actions(settings(**VARIANTS["everything"])) | actions(settings(identity=IRSA))
    assert _all(CALLS.values()) <= everything


def _all(calls: Iterable[Any]) -> set[str]:
    return {action for one in calls for action in (*one.read, *one.create, *one.update, *one.delete)}
