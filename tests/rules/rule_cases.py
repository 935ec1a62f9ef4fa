"""Cases for the rules between sections: each broken once or more, and the near misses that are allowed."""

from __future__ import annotations

from tests.rules.cases import (
    buckets,
    clusters,
    configuration,
    monitoring,
    network,
    security,
    storage,
    tenants,
)
from tests.rules.cases.sections import Allowed, Broken

_AREAS = (configuration, network, storage, buckets, clusters, security, monitoring, tenants)

BROKEN: list[Broken] = [case for area in _AREAS for case in area.BROKEN]
ALLOWED: list[Allowed] = [case for area in _AREAS for case in area.ALLOWED]
