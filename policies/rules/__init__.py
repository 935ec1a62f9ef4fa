"""Every rule: pure functions of a resource's type token and its properties."""

from .model import Rule
from .platform import CLUSTER_METADATA, CLUSTER_NAMESPACE
from .rights import WILDCARD_RIGHTS
from .secrets import SECRETS_IN_CONFIG_MAPS
from .storage import PUBLIC_BUCKETS
from .workloads import FLOATING_IMAGES, RESTRICTED_PODS

RULES: tuple[Rule, ...] = (
    CLUSTER_METADATA,
    CLUSTER_NAMESPACE,
    WILDCARD_RIGHTS,
    SECRETS_IN_CONFIG_MAPS,
    FLOATING_IMAGES,
    RESTRICTED_PODS,
    PUBLIC_BUCKETS,
)

__all__ = ["RULES", "Rule"]
