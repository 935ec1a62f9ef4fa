"""Configuration of buckets (requirement MR-1)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from .identities import statements
from .model import (
    ALWAYS,
    SERVICE,
    STRICT,
    Resource,
    SetCheck,
    Violation,
    mapping,
    mappings,
    rule,
    set_rule,
    texts,
)

BUCKETS: Final = frozenset({"aws:s3/bucket:Bucket", "aws:s3/bucketV2:BucketV2"})
_BLOCK: Final = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
_ENCRYPTION: Final = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
_VERSIONING: Final = "aws:s3/bucketVersioning:BucketVersioning"
_POLICY: Final = "aws:s3/bucketPolicy:BucketPolicy"
_OWNERSHIP: Final = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
_ACL: Final = "aws:s3/bucketAcl:BucketAcl"
_SWITCHES: Final = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")


def _without(
    resources: Sequence[Resource], token: str, fits: Callable[[Resource], bool]
) -> Iterator[Resource]:
    """Buckets that no fitting resource of that type belongs to: by the bucket's name, or because it was
    made from the bucket while the name is not known yet."""
    companions = [item for item in resources if item.token == token and fits(item)]
    for bucket in resources:
        if bucket.kind in BUCKETS and not any(
            bucket.identity in item.depends_on
            or (item.properties.get("bucket") or "") == bucket.properties.get("bucket")
            for item in companions
        ):
            yield bucket


def _companion(token: str, lacks: str) -> Callable[[Callable[[Resource], bool]], SetCheck]:
    """Make a check for buckets without a fitting resource of a type of a function that says which fits."""

    def made(fits: Callable[[Resource], bool]) -> SetCheck:
        return lambda resources: (
            (bucket, Violation((), lacks)) for bucket in _without(resources, token, fits)
        )

    return made


@set_rule(
    "MA560",
    "buckets-not-public",
    title="Bucket that may become public",
    why="One wrong policy or ACL later, and every model is on the internet.",
    fix="Give the bucket a BucketPublicAccessBlock with all four switches true.",
    severities=ALWAYS,
    kinds=BUCKETS | {_BLOCK},
)
def public(resources: Sequence[Resource]) -> Iterator[tuple[Resource, Violation]]:
    for bucket in _without(resources, _BLOCK, lambda _: True):
        yield bucket, Violation((), "has no BucketPublicAccessBlock")
    for resource in resources:
        for switch in _SWITCHES:
            if resource.token == _BLOCK and resource.properties.get(switch) is not True:
                yield resource, Violation((switch,), f"{switch} is not true")


@set_rule(
    "MA561",
    "buckets-encrypted",
    title="Bucket without an encryption of our choice",
    why="The account's default decides, and nobody who reads the stack knows what it is.",
    fix="Give the bucket a BucketServerSideEncryptionConfiguration with AES256 or aws:kms.",
    severities=STRICT,
    kinds=BUCKETS | {_ENCRYPTION},
)
@_companion(_ENCRYPTION, "has no BucketServerSideEncryptionConfiguration with an algorithm")
def encrypted(resource: Resource) -> bool:
    return any(
        mapping(item.get("applyServerSideEncryptionByDefault")).get("sseAlgorithm")
        for item, _ in mappings(resource.properties.get("rules"), ())
    )


@set_rule(
    "MA562",
    "buckets-versioned",
    title="Bucket without versions",
    why="A model that is overwritten or deleted by mistake is gone.",
    fix="Give the bucket a BucketVersioning with status Enabled.",
    severities=STRICT,
    kinds=BUCKETS | {_VERSIONING},
)
@_companion(_VERSIONING, "has no BucketVersioning with status Enabled")
def versioned(resource: Resource) -> bool:
    return mapping(resource.properties.get("versioningConfiguration")).get("status") == "Enabled"


@set_rule(
    "MA563",
    "buckets-by-tls",
    title="Bucket that answers without TLS",
    why="Models and data would be readable on the way (AWS Config rule s3-bucket-ssl-requests-only).",
    fix="Give the bucket a policy that denies s3:* where aws:SecureTransport is false.",
    severities=STRICT,
    kinds=BUCKETS | {_POLICY},
)
@_companion(_POLICY, "has no policy that denies requests without TLS")
def by_tls(resource: Resource) -> bool:
    for statement, _ in statements(resource, "Deny"):
        condition = mapping(mapping(statement.get("Condition")).get("Bool"))
        if (
            str(condition.get("aws:SecureTransport")).lower() == "false"
            and "s3:*" in texts(statement.get("Action"))
            and len(condition) == len(mapping(statement.get("Condition"))) == 1
        ):
            return True
    return False


@rule(
    "MA564",
    "no-bucket-acls",
    title="Access by ACL",
    why="ACLs grant past the bucket's policy, and to whoever wrote the object.",
    fix="Use BucketOwnershipControls with BucketOwnerEnforced, and policies.",
    severities=STRICT,
    kinds=BUCKETS | {_ACL, _OWNERSHIP},
)
def acls(resource: Resource) -> Iterator[Violation]:
    if resource.token == _ACL:
        yield Violation((), "is an ACL")
    elif resource.token == _OWNERSHIP:
        owner = mapping(resource.properties.get("rule")).get("objectOwnership")
        if owner != "BucketOwnerEnforced":
            yield Violation(("rule", "objectOwnership"), f"objectOwnership is {owner}")
    elif resource.properties.get("acl") not in (None, "private"):
        yield Violation(("acl",), f"acl is {resource.properties['acl']}")


@rule(
    "MA565",
    "buckets-kept",
    title="Bucket that is emptied when it is destroyed",
    why="`pulumi destroy` would delete every model, without asking again.",
    fix="Remove forceDestroy.",
    severities=SERVICE,
    kinds=BUCKETS,
)
def force_destroy(resource: Resource) -> Iterator[Violation]:
    if resource.properties.get("forceDestroy") is True:
        yield Violation(("forceDestroy",), "forceDestroy is true")


RULES: Final = (public, encrypted, versioned, by_tls, acls, force_destroy)
