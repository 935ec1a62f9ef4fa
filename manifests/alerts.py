"""Alerts on the loss of the control plane."""

from __future__ import annotations

from madeploy.settings import Environment
from manifests.objects import Object


def alerts(environment: Environment) -> tuple[Object, ...]:
    """PrometheusRule; none when alerts are off."""
    raise NotImplementedError
