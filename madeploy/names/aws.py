"""Names and ARNs of AWS resources."""

from __future__ import annotations

import hashlib
from typing import Final

from madeploy.names.partitions import partition_of
from madeploy.settings.storage import ENVIRONMENT_TAG, MANAGED_BY_TAG

ROLE_ARN_ANNOTATION: Final = "eks.amazonaws.com/role-arn"
"""ServiceAccount annotation that IRSA reads (EKS user guide, IAM roles for service accounts)."""

LOG_DELIVERY: Final = "logging.s3.amazonaws.com"
"""Service that writes server access logs (Amazon S3 User Guide)."""

OBJECTS_KEY: Final = "objects"
"""Logical name of the KMS key of the buckets, and of its alias."""

POD_IDENTITY: Final = "pods.eks.amazonaws.com"
"""Service that hands roles to pods by associations (EKS user guide, Pod Identity)."""

_ROLE_NAME_LIMIT: Final = 64


def partition(region: str) -> str:
    """AWS partition of a region, such as `aws` or `aws-us-gov`."""
    return partition_of(region).name


def service_host(service: str, region: str) -> str:
    """Host name of a service in a region, such as `s3.eu-west-1.amazonaws.com` (AWS General Reference)."""
    return f"{service}.{region}.{partition_of(region).dns_suffix}"


def bucket_arn(region: str, bucket: str) -> str:
    """ARN of a bucket; bucket ARNs have neither region nor account."""
    return f"arn:{partition(region)}:s3:::{bucket}"


def account_of(arn: str) -> str:
    """Account in an ARN; empty where it has none, as those of buckets."""
    return arn.split(":")[4]


def issuer(oidc_provider_arn: str) -> str:
    """Issuer of an IAM OIDC provider, without `https://`: what its condition keys start with (IAM user
    guide, OIDC federation)."""
    return oidc_provider_arn.split(":oidc-provider/", 1)[1]


def tasks(cluster: str) -> str:
    """Identity of the task pods of one compute cluster: `tasks-<cluster>`."""
    return f"tasks-{cluster}"


def model_sync(cluster: str) -> str:
    """Identity of model-sync on one cluster that serves: `model-sync-<cluster>`."""
    return f"model-sync-{cluster}"


def role(stack: str, identity: str) -> str:
    """Name of an identity's IAM role: `michelangelo-<stack>-<identity>`. Beyond the 64 characters that IAM
    allows, it ends in a fingerprint of the whole, so that names that start alike stay different."""
    name = f"michelangelo-{stack}-{identity}"
    if len(name) <= _ROLE_NAME_LIMIT:
        return name
    fingerprint = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{name[: _ROLE_NAME_LIMIT - 9]}-{fingerprint}"


def role_arn(region: str, account: str, stack: str, identity: str, path: str = "/") -> str:
    """ARN of an identity's IAM role, as `role` names it, below `path`."""
    return f"arn:{partition(region)}:iam::{account}:role{path}{role(stack, identity)}"


def toolkit_tags(stack: str) -> dict[str, str]:
    """Tags of every AWS resource, besides those of the settings."""
    return {ENVIRONMENT_TAG: stack, MANAGED_BY_TAG: "madeploy"}


def key_alias(stack: str) -> str:
    """Alias of the stack's KMS key."""
    return f"alias/michelangelo-{stack}"
