"""Certificate issuers for cert-manager."""

from __future__ import annotations

from madeploy.settings import Environment
from manifests.objects import Object


def issuers(environment: Environment) -> tuple[Object, ...]:
    """ClusterIssuer objects; none when certificates are provided."""
    raise NotImplementedError
