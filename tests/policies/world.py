"""A small platform that keeps every rule, and how to break it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from madeploy.policy import files
from madeploy.policy.service_files import EVERY_RULE
from policies.rules.evaluation import Outcome, evaluate
from policies.rules.model import Resource, Tier

DATA = Path(__file__).parent / "data"
TODAY = date(2026, 11, 21)
Object = dict[str, Any]

ALLOW = {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::example/*"]}
DENY_PLAIN = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": ["arn:aws:s3:::example"],
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}
TRUST = {
    "Effect": "Allow",
    "Principal": {"Federated": "arn:aws:iam::123456789012:oidc-provider/oidc.example.com"},
    "Action": "sts:AssumeRoleWithWebIdentity",
    "Condition": {
        "StringEquals": {
            "oidc.example.com:sub": "system:serviceaccount:ma-system:michelangelo-worker",
            "oidc.example.com:aud": "sts.amazonaws.com",
        }
    },
}


def _document(statement: Object) -> Object:
    return {"Version": "2012-10-17", "Statement": [copy.deepcopy(statement)]}


AWS: tuple[tuple[str, Object], ...] = (
    ("aws:s3/bucket:Bucket", {"bucket": "example"}),
    (
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
        {
            "bucket": "example",
            "blockPublicAcls": True,
            "blockPublicPolicy": True,
            "ignorePublicAcls": True,
            "restrictPublicBuckets": True,
        },
    ),
    (
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
        {
            "bucket": "example",
            "rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}],
        },
    ),
    (
        "aws:s3/bucketVersioning:BucketVersioning",
        {"bucket": "example", "versioningConfiguration": {"status": "Enabled"}},
    ),
    ("aws:s3/bucketPolicy:BucketPolicy", {"bucket": "example", "policy": _document(DENY_PLAIN)}),
    (
        "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
        {"bucket": "example", "rule": {"objectOwnership": "BucketOwnerEnforced"}},
    ),
    ("aws:iam/role:Role", {"assumeRolePolicy": _document(TRUST)}),
    ("aws:iam/rolePolicy:RolePolicy", {"policy": _document(ALLOW)}),
    (
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        {"policyArn": "arn:aws:iam::123456789012:policy/example"},
    ),
)


def good() -> list[Resource]:
    """Every resource of the platform, fresh copies. Objects come as from a file."""
    objects = [
        replace(item, properties=copy.deepcopy(dict(item.properties)))
        for item in files.read([DATA / "good.yaml"]).resources
    ]
    return objects + [Resource(token, copy.deepcopy(data), name="example") for token, data in AWS]


def found(resources: Iterable[Resource], tier: Tier = "production", **more: Any) -> Outcome:
    """What every rule says of these resources."""
    return evaluate(EVERY_RULE, list(resources), tier, today=TODAY, **more)


def names(resources: Iterable[Resource], tier: Tier = "production") -> set[str]:
    """Names of the rules that are broken."""
    return {item.rule.name for item in found(resources, tier).found}


def pick(resources: Iterable[Resource], kind: str, name: str = "") -> Resource:
    """The first resource of a kind whose name is or ends in `name`."""
    return next(
        item
        for item in resources
        if item.kind == kind and str(item.metadata.get("name") or item.name).endswith(name)
    )


def change(resources: list[Resource], kind: str, name: str, mutate: Callable[[Object], None]) -> None:
    """Mutate one resource in place: replaced by a changed copy, so that nothing cached stays."""
    target = pick(resources, kind, name)
    properties: Object = copy.deepcopy(dict(target.properties))
    mutate(properties)
    resources[resources.index(target)] = replace(target, properties=properties)
