"""Where both front doors send calls of the API."""

from __future__ import annotations

from madeploy.names.addresses import API_PORT, ENVOY_API_PORT, GRPC_WEB_PREFIX
from madeploy.names.kubernetes import Workload
from madeploy.settings import Environment


def api_backend(environment: Environment) -> tuple[Workload, int]:
    """Service and port that the API's host leads to: the API server, or Envoy before it."""
    if environment.access.guarded is not None:
        return "envoy", ENVOY_API_PORT
    return "apiserver", API_PORT


def service_paths(environment: Environment) -> tuple[str, ...]:
    """`/michelangelo.api.v2.<Kind>Service` of every kind the release serves, without the slash before the
    method (facts 7.1). Whole path elements, because that is all that a `Prefix` path of an Ingress and a
    `PathPrefix` of a route compare: `/michelangelo.api.v2.` alone would match no call."""
    return tuple(f"{GRPC_WEB_PREFIX}{kind}Service" for kind in environment.release.services)
