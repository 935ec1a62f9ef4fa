"""Buckets of the object store: their names, and what holds for their objects."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from madeploy.settings.base import Accepts, Section

Purpose = Literal["workspace", "models", "logs"]
"""What a bucket is for."""

BucketName = Annotated[
    str,
    Field(min_length=3, max_length=63),
    Accepts(
        "3 to 63 lower-case letters, digits, hyphens and dots, a letter or digit first and last",
        "example-ml-models",
    ),
]
Prefix = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9!_.*'()/=-]*$", max_length=200),
    Accepts("at most 200 letters, digits and characters that S3 calls safe in keys", "uniflow/"),
]
"""Start of object keys (Amazon S3 User Guide, object key naming)."""


class Buckets(Section):
    """Bucket names by purpose."""

    workspace: BucketName = Field(examples=["example-ml-workspace"])
    """Pipeline workspaces, results and code archives. The platform's own default is `default`."""

    models: BucketName
    """Model artefacts. The platform's serving code expects `deploy-models` (facts 0.4)."""

    logs: BucketName | None = Field(default=None, examples=["example-ml-logs"])
    """Task logs. Default: no such bucket."""


class KmsKey(Section):
    """A customer-managed KMS key made for the buckets, usable through S3 only."""

    rotation_days: int = Field(default=365, ge=90, le=2560)
    """Days between rotations of the key's material. Default 365."""

    deletion_window_days: int = Field(default=30, ge=7, le=30)
    """Days between the key's deletion and the moment its objects can never be read again. Default 30."""


class AccessLogs(Section):
    """Server access logs of every bucket: who asked for which object, and when."""

    bucket: BucketName = Field(examples=["example-ml-access-logs"])
    """Bucket that S3 delivers them to, in the region and account of the others."""

    create: bool = True
    """Whether the bucket is made here. Default true; where false, its policy must admit
    `logging.s3.amazonaws.com`."""

    prefix: Prefix = ""
    """Start of their keys; the purpose of the bucket they tell of follows. Default: none."""

    expire_days: int = Field(default=365, ge=1, le=36500)
    """Days after which they are removed, in a bucket made here. Default 365."""


class AuditLogs(Section):
    """A bucket for audit logs that somebody ships: those of the Kubernetes API, the front door, CloudTrail.
    Every object in it is locked (Object Lock): not even its writer removes it before its time. S3's own
    access logs cannot go there: S3 delivers none to a bucket with a default retention."""

    bucket: BucketName = Field(examples=["example-ml-audit"])
    """Its name. It is made here."""

    days: int = Field(default=2190, ge=1, le=36500)
    """Days that each object is kept, and after which it is removed. Default 2190, six years."""

    mode: Literal["governance", "compliance"] = "compliance"
    """`compliance`: nobody shortens it, the account's root included; `governance`: who may bypass it does.
    Default `compliance`."""


class ObjectLock(Section):
    """New object versions cannot be overwritten or removed for a time (WORM)."""

    mode: Literal["governance", "compliance"]
    """`governance`: who may bypass it can lift it; `compliance`: nobody can, the account's root included."""

    days: int = Field(ge=1, le=36500)
    """Days that each new version is kept."""

    buckets: tuple[Purpose, ...] = ("models",)
    """Purposes of the buckets that are locked. Default: models. A bucket keeps the ability for good."""


StorageClass = Literal["STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR"]
"""Storage classes whose objects can be read at once (Amazon S3 User Guide, storage classes)."""


class Transition(Section):
    """A move to a cheaper storage class. Only classes are offered whose objects can be read at once."""

    days: int = Field(ge=0, le=36500)
    """Days after an object's creation: at least 30 for `STANDARD_IA` and `ONEZONE_IA`."""

    storage_class: StorageClass
    """The class. In the order of their days, objects go from `STANDARD_IA` to any other after 30 more days,
    from `INTELLIGENT_TIERING` to `ONEZONE_IA` or `GLACIER_IR`, and from these two nowhere."""


class LifecycleRule(Section):
    """What happens to objects below one prefix as they age."""

    prefix: Prefix
    """Start of their keys; empty for all."""

    expire_days: int | None = Field(default=None, ge=1, le=36500)
    """Days after which objects are removed. Default: never. Their versions stay `noncurrentDays` longer."""

    noncurrent_days: int | None = Field(default=None, ge=1, le=3650)
    """Days after which overwritten and removed versions go. Default: as in the whole bucket."""

    transitions: tuple[Transition, ...] = ()
    """Moves to cheaper storage classes. Default: none."""


class Lifecycle(Section):
    """Lifecycle rules by purpose of the bucket, besides those of every bucket."""

    workspace: tuple[LifecycleRule, ...] = ()
    """Of pipeline workspaces. Default: none."""

    models: tuple[LifecycleRule, ...] = ()
    """Of model artefacts. Default: none; registered models are removed by the registry's retention, which
    removes the record too."""

    logs: tuple[LifecycleRule, ...] = ()
    """Of task logs. Default: none."""
