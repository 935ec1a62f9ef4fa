"""Envoy's configuration: gRPC-Web and CORS in front of the API server."""

from __future__ import annotations

from madeploy.settings import Environment


def envoy_yaml(environment: Environment) -> str:
    """Text of `envoy.yaml`."""
    raise NotImplementedError
