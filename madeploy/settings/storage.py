"""`michelangelo:storage`: the object store, on AWS, S3-compatible, or already there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from madeploy.settings.base import Accepts, Arn, DnsSubdomain, Name, Region, Section

BucketName = Annotated[
    str,
    Field(min_length=3, max_length=63),
    Accepts(
        "3 to 63 lower-case letters, digits, hyphens and dots, a letter or digit first and last",
        "example-ml-models",
    ),
]
TagKey = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9_ .:/=+@-]+$", max_length=128),
    Accepts("1 to 128 letters, digits, spaces and _ . : / = + - @", "team"),
]
TagValue = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9_ .:/=+@-]*$", max_length=256),
    Accepts("at most 256 letters, digits, spaces and _ . : / = + - @", "ml"),
]

Identities = Literal["controllermgr", "worker"]
"""The services that call the object store, and so have an IAM role (facts 2.2, 5.2)."""


class Buckets(Section):
    """Bucket names by purpose."""

    workspace: BucketName = Field(examples=["example-ml-workspace"])
    """Pipeline workspaces, results and code archives. The platform's own default is `default`."""

    models: BucketName
    """Model artefacts. The platform's serving code expects `deploy-models` (facts 0.4)."""

    logs: BucketName | None = Field(default=None, examples=["example-ml-logs"])
    """Task logs. Default: no such bucket."""


class Irsa(Section):
    """IAM roles for service accounts, through the cluster's OIDC provider."""

    kind: Literal["irsa"]
    """Chooses IRSA."""

    oidc_provider_arn: Annotated[
        str,
        Field(pattern=r"^arn:aws(-cn|-us-gov)?:iam::[0-9]{12}:oidc-provider/\S+$"),
        Accepts(
            "arn:aws:iam::<account>:oidc-provider/<issuer's host and path>",
            "arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE",
        ),
    ]
    """ARN of the IAM OIDC provider of the control plane's cluster."""


class PodIdentity(Section):
    """EKS Pod Identity: the agent on each node hands out credentials."""

    kind: Literal["podIdentity"]
    """Chooses EKS Pod Identity."""

    cluster_name: Name
    """Name of the control plane's EKS cluster."""


Identity = Annotated[Irsa | PodIdentity, Field(discriminator="kind")]


class AwsStorage(Section):
    """Buckets and IAM roles made on AWS."""

    kind: Literal["aws"]
    """Chooses AWS."""

    region: Region
    """Region of the buckets, such as `eu-west-1`."""

    buckets: Buckets
    """Names of the buckets to make. S3 names are global."""

    identity: Identity
    """How pods get the roles' credentials: no static key."""

    kms_key_arn: (
        Annotated[
            str,
            Field(pattern=r"^arn:aws(-cn|-us-gov)?:kms:[a-z0-9-]+:[0-9]{12}:(key|alias)/\S+$"),
            Accepts(
                "arn:aws:kms:<region>:<account>:key/<id>", "arn:aws:kms:eu-west-1:123456789012:key/example"
            ),
        ]
        | None
    ) = None
    """Customer-managed key for encryption at rest. Default: keys managed by S3 (SSE-S3)."""

    protect: bool = True
    """Whether buckets are protected from `pulumi destroy`. Default true."""

    noncurrent_days: int = Field(default=30, ge=1, le=3650)
    """Days after which overwritten and deleted object versions are removed. Default 30."""

    permissions_boundary_arn: Arn | None = None
    """IAM permissions boundary of every role. Default: none."""

    tags: Mapping[TagKey, TagValue] = Field(default_factory=dict)
    """Tags of every AWS resource, besides the toolkit's own."""

    path_style: bool = False
    """Whether S3 is called as `https://host/bucket`, for endpoints that serve no bucket host names."""


class S3CompatibleStorage(Section):
    """An S3-compatible store such as MinIO, with buckets made by its own tools."""

    kind: Literal["s3Compatible"]
    """Chooses an S3-compatible store."""

    endpoint: Annotated[
        str,
        Field(pattern=r"^https?://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?$"),
        Accepts(
            "http:// or https://, a host, and a port where it is not the scheme's",
            "https://minio.example.com:9000",
        ),
    ]
    """URL with scheme, no path, such as `https://minio.example.com:9000`."""

    region: Name = "us-east-1"
    """Region the store answers with. Default `us-east-1`."""

    buckets: Buckets = Buckets(workspace="default", models="deploy-models")
    """Names of the existing buckets. Default: those the platform's code expects."""

    credentials_secret: DnsSubdomain | None = None
    """Existing Secret in the control plane's namespace with key `secrets.yaml`, holding
    `minio.awsAccessKeyId` and `minio.awsSecretAccessKey`. Default: made from the encrypted
    `objectStore` of the stack file."""


class ExistingStorage(Section):
    """Buckets and roles on AWS that somebody else made."""

    kind: Literal["existing"]
    """Chooses existing buckets."""

    region: Region
    """Region of the buckets."""

    buckets: Buckets
    """Names of the existing buckets."""

    role_arns: Mapping[Identities, Arn] = Field(default_factory=dict)
    """IAM role of each identity (`controllermgr`, `worker`), put on its ServiceAccount."""


Storage = Annotated[AwsStorage | S3CompatibleStorage | ExistingStorage, Field(discriminator="kind")]
