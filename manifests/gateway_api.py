"""Front door, second form: Gateway API objects."""

from __future__ import annotations

from madeploy.settings import Environment
from manifests.objects import Object


def routes(environment: Environment) -> tuple[Object, ...]:
    """Gateway and routes; none when the front door is Ingress."""
    raise NotImplementedError
