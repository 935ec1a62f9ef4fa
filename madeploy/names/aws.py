"""Names and ARNs of AWS resources."""

from __future__ import annotations

from typing import Final, Literal

Identity = Literal["controllermgr", "worker"]
IDENTITIES: Final[tuple[Identity, ...]] = ("controllermgr", "worker")
"""The services that call the object store, and so have an IAM role (facts 2.2, 5.2)."""

ROLE_ARN_ANNOTATION: Final = "eks.amazonaws.com/role-arn"
"""ServiceAccount annotation that IRSA reads (EKS user guide, IAM roles for service accounts)."""


def partition(region: str) -> str:
    """AWS partition of a region: `aws`, `aws-cn` or `aws-us-gov`."""
    if region.startswith("cn-"):
        return "aws-cn"
    if region.startswith("us-gov-"):
        return "aws-us-gov"
    return "aws"


def bucket_arn(region: str, bucket: str) -> str:
    """ARN of a bucket; bucket ARNs have neither region nor account."""
    return f"arn:{partition(region)}:s3:::{bucket}"


def role(stack: str, identity: Identity) -> str:
    """Name of an identity's IAM role, at most 64 characters: `michelangelo-<stack>-<identity>`."""
    return f"michelangelo-{stack[: 64 - len('michelangelo--') - len(identity)]}-{identity}"
