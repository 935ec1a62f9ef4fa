"""Every rule: pure functions of resources, the same for the engine, for files and for a stack's objects."""

from . import (
    configuration,
    entry_points,
    identities,
    network,
    platform,
    reliability,
    rights,
    secrets,
    storage,
    workloads,
)
from .model import Resource, Rule, Violation

RULES: tuple[Rule, ...] = (
    *workloads.RULES,
    *rights.RULES,
    *network.RULES,
    *entry_points.RULES,
    *identities.RULES,
    *storage.RULES,
    *secrets.RULES,
    *reliability.RULES,
    *platform.RULES,
    *configuration.RULES,
)
"""Every rule, by code."""

__all__ = ["RULES", "Resource", "Rule", "Violation"]
