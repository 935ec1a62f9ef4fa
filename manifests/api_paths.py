"""Paths of the API's gRPC services, as both front doors route them."""

from __future__ import annotations

from madeploy.names.addresses import GRPC_WEB_PREFIX
from madeploy.settings import Environment


def service_paths(environment: Environment) -> tuple[str, ...]:
    """`/michelangelo.api.v2.<Kind>Service` of every kind the release serves, without the slash before the
    method (facts 7.1). Whole path elements, because that is all that a `Prefix` path of an Ingress and a
    `PathPrefix` of a route compare: `/michelangelo.api.v2.` alone would match no call."""
    return tuple(f"{GRPC_WEB_PREFIX}{kind}Service" for kind in environment.release.services)
