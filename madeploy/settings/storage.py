"""`michelangelo:storage`: the object store, on AWS, S3-compatible, or already there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import Field

from madeploy.settings.base import Accepts, Arn, DnsSubdomain, Name, Region, Section
from madeploy.settings.buckets import AccessLogs, AuditLogs, Buckets, KmsKey, Lifecycle, ObjectLock
from madeploy.settings.identities import ServiceIdentity

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

ENVIRONMENT_TAG: Final = "michelangelo:environment"
MANAGED_BY_TAG: Final = "michelangelo:managed-by"
"""Tags that every AWS resource gets: the stack, and the toolkit."""

AccountId = Annotated[
    str,
    Field(pattern=r"^[0-9]{12}$"),
    Accepts("the account's 12 digits, in quotes", "123456789012"),
]
"""Number of an AWS account."""

RolePath = Annotated[
    str,
    Field(pattern=r"^/([A-Za-z0-9._+=,@-]+/)*$", max_length=512),
    Accepts("a path that starts and ends with a slash", "/michelangelo/"),
]
"""Path of IAM roles (IAM user guide, IAM identifiers)."""

Identities = Literal["controllermgr", "worker", "retention"]
"""What calls the object store, and so has an IAM role (facts 2.2, 5.2): two services, and the job that
removes old models."""


class IgnoredTags(Section):
    """Tags that somebody else puts on buckets, key and roles: backup plans, cost allocation, scanners."""

    keys: tuple[TagKey, ...] = ()
    """Whole keys. Default: none."""

    key_prefixes: tuple[TagKey, ...] = ()
    """Starts of keys, such as `company:`. Default: none."""


class AwsStorage(Section):
    """Buckets and IAM roles made on AWS."""

    kind: Literal["aws"]
    """Chooses AWS."""

    region: Region
    """Region of the buckets, such as `eu-west-1`. No bucket can be moved to another: there they need other
    names."""

    buckets: Buckets
    """Names of the buckets to make. S3 names are global. Another name is another bucket: nothing is copied
    from the old one (`bin/madeploy plan` says what becomes of it)."""

    identity: ServiceIdentity
    """How the services' pods get their roles' credentials: no static key. Task pods: `taskIdentity` of each
    cluster."""

    account_id: AccountId | None = None
    """The AWS account, in quotes. When it is known, from here or from an OIDC provider's ARN, an update with
    credentials of another account is refused. Default: that of the credentials."""

    kms_key_arn: (
        Annotated[
            str,
            Field(pattern=r"^arn:aws(-[a-z]+)*:kms:[a-z0-9-]+:[0-9]{12}:(key|alias)/\S+$"),
            Accepts(
                "arn:aws:kms:<region>:<account>:key/<id>", "arn:aws:kms:eu-west-1:123456789012:key/example"
            ),
        ]
        | None
    ) = None
    """Existing customer-managed key, or alias, for encryption at rest (SSE-KMS). Default: keys managed by S3
    (SSE-S3)."""

    kms_key: KmsKey | None = None
    """Customer-managed key to make for the buckets (SSE-KMS), in place of `kmsKeyArn`. Default: none."""

    protect: bool = True
    """Whether buckets, and their key, are protected from `pulumi destroy`. Default true."""

    force_destroy: bool = False
    """Whether deleting a bucket deletes every object in it first. Default false: a bucket with objects is
    not deleted. Needs `protect: false`."""

    noncurrent_days: int = Field(default=30, ge=1, le=3650)
    """Days after which overwritten and deleted object versions are removed. Default 30."""

    abort_upload_days: int = Field(default=7, ge=1, le=365)
    """Days after which the parts of an unfinished multipart upload are removed. Default 7."""

    lifecycle: Lifecycle = Lifecycle()
    """More lifecycle rules, by bucket and prefix. Default: none."""

    object_lock: ObjectLock | None = None
    """Retention that nobody can shorten, for compliance. Default: none."""

    access_logs: AccessLogs | None = None
    """Server access logs of the buckets. Default: none."""

    audit_logs: AuditLogs | None = None
    """Locked bucket for audit logs. Default: none."""

    service_access: Literal["guide", "readOnly"] = "guide"
    """What the services may do with objects: `guide`, the model-registry guide's four actions; `readOnly`,
    only what their code calls in these releases (facts 2.3 row 43). Task pods always write."""

    permissions_boundary_arn: Arn | None = None
    """IAM permissions boundary of every role. Default: none."""

    role_path: RolePath = "/"
    """IAM path of every role. Default `/`. A change replaces the roles."""

    tags: Mapping[TagKey, TagValue] = Field(default_factory=dict)
    """Tags of every AWS resource, besides the toolkit's own."""

    ignore_tags: IgnoredTags = IgnoredTags()
    """Tags of somebody else that stay as they are. The update after a refresh removes every tag that is
    neither in here, nor in `tags`, nor the toolkit's own; those of AWS itself (`aws:…`) always stay."""

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
    """IAM role of each identity (`controllermgr`, `worker`, and `retention` for the job of
    `modelRegistry.retentionDays`), put on its ServiceAccount."""


Storage = Annotated[AwsStorage | S3CompatibleStorage | ExistingStorage, Field(discriminator="kind")]
