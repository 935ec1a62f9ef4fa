"""Image references: one registry, one version, exceptions by component (requirement CP-9)."""

from __future__ import annotations

from typing import Final

from madeploy.names.kubernetes import Workload
from madeploy.settings import Environment
from madeploy.settings.images import Image
from madeploy.settings.model_registry import Retention

FLOATING_TAG: Final = "main"
"""Tag the platform publishes for its newest build (facts 1.1). What runs where nothing is pinned, which
production refuses."""


def reference(environment: Environment, service: Workload) -> str:
    """Full image reference of a service, such as `ghcr.io/michelangelo-ai/worker:sha-cbf5720`. Tag and
    digest are both kept where both are given: people read the tag, the container runtime the digest."""
    images = environment.images
    default = type(environment.control_plane.service(service))().image
    if default.repository is None:
        common = images.tag or FLOATING_TAG
        default = Image(repository=f"{images.registry}/{service}", tag=common)
    return other_reference(environment.image_of(service), default)


def retention_reference(environment: Environment) -> str:
    """Image reference of the job that removes old models."""
    return other_reference(environment.model_registry.retention.image, Retention().image)


def other_reference(said: Image, default: Image) -> str:
    """What is said, and the default for what is not: a digest needs no tag beside it."""
    tag = said.tag or (None if said.digest else default.tag)
    repository = said.repository or default.repository
    return f"{repository}{f':{tag}' if tag else ''}{f'@{said.digest}' if said.digest else ''}"
