"""Rules between sections: what no single value can say. One module per area, one function per rule."""

from madeploy.settings.checks import RULES
from madeploy.settings.rules import (
    buckets,
    clusters,
    credentials,
    fleet,
    identities,
    images,
    network,
    origins,
    releases,
    services,
    storage,
)

__all__ = [
    "RULES",
    "buckets",
    "clusters",
    "credentials",
    "fleet",
    "identities",
    "images",
    "network",
    "origins",
    "releases",
    "services",
    "storage",
]
