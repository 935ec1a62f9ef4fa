"""Cases of codes MA3xx."""

from __future__ import annotations

from tests.rules.cases.sections import (
    ARN,
    SECURE,
    Allowed,
    Broken,
    aws,
    cluster,
    existing,
    minio,
    tier,
)

BROKEN: list[Broken] = [
    # code, severity, subject, sections
    ("MA301", "error", "storage.buckets.models", {"storage": existing(models="Upper")}),
    ("MA301", "error", "storage.buckets.models", {"storage": existing(models="a..b")}),
    ("MA301", "error", "storage.buckets.models", {"storage": existing(models="10.0.0.1")}),
    ("MA301", "error", "storage.buckets.models", {"storage": existing(models="sthree-a")}),
    ("MA301", "error", "storage.buckets.models", {"storage": existing(models="a--x-s3")}),
    ("MA302", "error", "storage.buckets.models", {"storage": existing(models="deploy-models")}),
    (
        "MA303",
        "error",
        "storage.buckets.models",
        {"storage": aws(buckets={"workspace": "example", "models": "example"})},
    ),
    ("MA303", "warning", "storage.buckets.models", {"storage": existing(models="example-a")}),
    ("MA304", "warning", "storage.buckets.models", {"storage": existing(models="example.models")}),
    (
        "MA305",
        "warning",
        "storage.buckets.models",
        {"storage": minio(buckets={"workspace": "default", "models": "models"})},
    ),
    (
        "MA306",
        "error",
        "storage.permissionsBoundaryArn",
        {"storage": aws(permissionsBoundaryArn="arn:aws-cn:iam::123456789012:policy/x")},
    ),
    (
        "MA306",
        "error",
        "storage.kmsKeyArn",
        {"storage": aws(kmsKeyArn="arn:aws:kms:us-east-1:123456789012:key/x")},
    ),
    (
        "MA306",
        "error",
        "storage.identity.oidcProviderArn",
        {
            "storage": aws(
                identity={
                    "kind": "irsa",
                    "oidcProviderArn": "arn:aws-us-gov:iam::123456789012:oidc-provider/x",
                }
            )
        },
    ),
    ("MA310", "error", "storage.endpoint", {"storage": minio(endpoint="http://minio.example.com")}),
    ("MA310", "warning", "storage.endpoint", {"storage": minio(endpoint="http://minio.minio.svc:9000")}),
    (
        "MA310",
        "warning",
        "storage.endpoint",
        {"storage": minio(endpoint="http://minio.example.com")} | tier("staging"),
    ),
    (
        "MA311",
        "error",
        "storage",
        {"storage": {"kind": "s3Compatible", "endpoint": "https://minio.example.com"}},
    ),
    (
        "MA311",
        "error",
        "objectStore",
        {
            "storage": {"kind": "s3Compatible", "endpoint": "https://minio.example.com"},
            "objectStore": {"accessKeyId": SECURE},
        },
    ),
    ("MA312", "warning", "objectStore", {"objectStore": {"accessKeyId": SECURE, "secretAccessKey": SECURE}}),
    ("MA313", "warning", "storage.protect", {"storage": aws(protect=False)}),
    ("MA315", "warning", "storage.roleArns", {"storage": existing() | {"roleArns": {"worker": ARN}}}),
    (
        "MA301",
        "error",
        "storage.accessLogs.bucket",
        {"storage": aws(accessLogs={"bucket": "Upper-case"})},
    ),
    (
        "MA306",
        "error",
        "clusters.gpu.taskIdentity.oidcProviderArn",
        {"storage": aws()}
        | cluster(
            taskIdentity={
                "kind": "irsa",
                "oidcProviderArn": "arn:aws-cn:iam::123456789012:oidc-provider/x",
            }
        ),
    ),
    *[
        (
            "MA306",
            "error",
            "storage.identity.oidcProviderArn",
            {
                "storage": aws(
                    region=region,
                    identity={
                        "kind": "irsa",
                        "oidcProviderArn": f"arn:{name}:iam::123456789012:oidc-provider/x",
                    },
                )
            },
        )
        for region, name in (
            ("us-iso-east-1", "aws"),
            ("us-isob-east-1", "aws-iso"),
            ("eusc-de-east-1", "aws"),
            ("eu-west-1", "aws-nowhere"),
        )
    ],
    ("MA307", "warning", "storage.region", {"storage": aws(region="eu-wset-1")}),
    ("MA307", "warning", "storage.region", {"storage": existing() | {"region": "us-isoo-east-1"}}),
    (
        "MA307",
        "warning",
        "storage.identity.region",
        {"storage": aws(identity={"kind": "podIdentity", "clusterName": "c", "region": "eu-west-4"})},
    ),
    (
        "MA307",
        "warning",
        "clusters.gpu.eks.region",
        {"clusters": {"gpu": {"eks": {"clusterName": "c", "region": "us-wets-2"}}}},
    ),
    (
        "MA307",
        "warning",
        "clusters.gpu.taskIdentity.region",
        {
            "storage": aws(),
            "clusters": {
                "gpu": {
                    "kubeconfigContext": "gpu",
                    "taskIdentity": {"kind": "podIdentity", "clusterName": "c", "region": "eu-wset-2"},
                }
            },
        },
    ),
    ("MA301", "error", "storage.auditLogs.bucket", {"storage": aws(auditLogs={"bucket": "Example"})}),
]

ALLOWED: list[Allowed] = [
    ("MA302", {"storage": minio()}),
    ("MA310", {"storage": minio(endpoint="http://minio.example.com")} | tier("development")),
    ("MA315", {"storage": existing() | {"roleArns": {"worker": ARN, "controllermgr": ARN}}}),
    *[
        (
            "MA306",
            {
                "storage": aws(
                    region=region,
                    identity={
                        "kind": "irsa",
                        "oidcProviderArn": f"arn:{name}:iam::123456789012:oidc-provider/x",
                    },
                )
            },
        )
        for region, name in (
            ("us-iso-east-1", "aws-iso"),
            ("us-isob-east-1", "aws-iso-b"),
            ("eusc-de-east-1", "aws-eusc"),
            ("cn-north-1", "aws-cn"),
        )
    ],
    ("MA307", {"storage": aws(region="eusc-de-east-1")}),
]
