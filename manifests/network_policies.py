"""NetworkPolicies made from the table of flows."""

from __future__ import annotations

from madeploy.settings import Environment
from manifests.objects import Object


def control_plane(environment: Environment) -> tuple[Object, ...]:
    """Default deny and the documented flows; none when policies are off."""
    raise NotImplementedError


def compute_side(environment: Environment, name: str) -> tuple[Object, ...]:
    """Policies applied on compute cluster `name`; none unless it is self-managed."""
    raise NotImplementedError
