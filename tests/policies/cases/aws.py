"""What breaks the rules for IAM and buckets."""

from __future__ import annotations

from tests.policies.cases.shape import (
    BUCKET,
    RIGHTS,
    ROLE,
    case,
    put,
    statement,
)
from tests.policies.world import Object

ANY_TRUST: Object = {"Condition": {"StringLike": {"oidc.example.com:sub": "system:serviceaccount:*"}}}

IAM = (
    statement("iam-actions-named", RIGHTS, Action="s3:*"),
    statement("iam-actions-named", RIGHTS, Action=["*"], label="all"),
    statement("iam-resources-named", RIGHTS, Resource="*"),
    statement("iam-principals-named", ROLE, Principal={"AWS": "*"}),
    statement("trust-with-conditions", ROLE, **ANY_TRUST),
    statement(
        "trust-with-conditions",
        ROLE,
        Principal={"Service": "pods.eks.amazonaws.com"},
        Action=["sts:AssumeRole", "sts:TagSession"],
        label="pod identity",
    ),
    statement(
        "wildcards-that-match",
        ROLE,
        Condition={
            "StringEquals": {
                "oidc.example.com:sub": "system:serviceaccount:ma-system:*",
                "oidc.example.com:aud": "sts.amazonaws.com",
            }
        },
    ),
    statement(
        "wildcards-that-match", RIGHTS, Condition={"StringEquals": {"s3:prefix": "models/*"}}, label="prefix"
    ),
    statement("no-iam-exceptions", RIGHTS, NotAction=["s3:DeleteBucket"]),
    statement("no-rights-to-gain-rights", RIGHTS, Action=["iam:PassRole"]),
    statement(
        "no-rights-to-gain-rights",
        RIGHTS,
        Action=["sts:AssumeRole"],
        Resource=["arn:aws:iam::123456789012:role/reader-*"],
        label="roles by a wildcard",
    ),
    case(
        "no-broad-managed-policies",
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        "",
        put("policyArn", to="arn:aws:iam::aws:policy/AdministratorAccess"),
    ),
)

BUCKETS = (
    case(
        "buckets-not-public",
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
        "",
        put("blockPublicPolicy", to=False),
    ),
    case(
        "buckets-not-public",
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
        "",
        put("bucket", to="another"),
        label="absent",
    ),
    case(
        "buckets-encrypted",
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
        "",
        put("rules", to=[]),
    ),
    case(
        "buckets-versioned",
        "aws:s3/bucketVersioning:BucketVersioning",
        "",
        put("versioningConfiguration", "status", to="Suspended"),
    ),
    statement(
        "buckets-by-tls",
        "aws:s3/bucketPolicy:BucketPolicy",
        Condition={"Bool": {"aws:SecureTransport": "true"}},
    ),
    statement(
        "buckets-by-tls",
        "aws:s3/bucketPolicy:BucketPolicy",
        Condition={"Bool": {"aws:SecureTransport": "false"}, "StringEquals": {"aws:PrincipalTag/x": "y"}},
        label="narrowed",
    ),
    case("no-bucket-acls", BUCKET, "", put("acl", to="public-read")),
    case(
        "no-bucket-acls",
        "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
        "",
        put("rule", "objectOwnership", to="ObjectWriter"),
        label="ownership",
    ),
    case("buckets-kept", BUCKET, "", put("forceDestroy", to=True)),
)
