"""What breaks each rule."""

from tests.policies.cases import aws, kubernetes, platform
from tests.policies.cases.additions import ADDITIONS
from tests.policies.cases.shape import Case

CASES: tuple[Case, ...] = (
    *kubernetes.PODS,
    *kubernetes.RIGHTS_CASES,
    *kubernetes.NETWORK,
    *kubernetes.RELIABILITY,
    *aws.IAM,
    *aws.BUCKETS,
    *platform.SECRETS,
    *platform.PLATFORM,
    *platform.CONFIGURATION,
)
"""Every change of one resource."""

__all__ = ["ADDITIONS", "CASES", "Case"]
