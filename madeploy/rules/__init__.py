"""Rules between sections: what no single value can say. One module per area, one function per rule."""

from madeploy.rules import (
    access,
    buckets,
    clusters,
    compliance,
    credentials,
    fleet,
    identities,
    images,
    monitoring,
    network,
    origins,
    queues,
    releases,
    services,
    serving,
    storage,
    tenants,
)
from madeploy.rules.model import RULES

__all__ = [
    "RULES",
    "access",
    "buckets",
    "clusters",
    "compliance",
    "credentials",
    "fleet",
    "identities",
    "images",
    "monitoring",
    "network",
    "origins",
    "queues",
    "releases",
    "services",
    "serving",
    "storage",
    "tenants",
]
