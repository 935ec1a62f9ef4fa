"""Front door, first form: Ingress objects."""

from __future__ import annotations

from madeploy.settings import Environment
from manifests.objects import Object


def ingresses(environment: Environment) -> tuple[Object, ...]:
    """Ingress objects of the API and the application; none when the front door is Gateway API."""
    raise NotImplementedError
