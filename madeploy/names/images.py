"""Image references: one registry, one version, exceptions by component (requirement CP-9)."""

from __future__ import annotations

from typing import Final

from madeploy.names.kubernetes import Service
from madeploy.settings import Environment
from madeploy.settings.images import Image, Images
from madeploy.settings.model_registry import Retention

FLOATING_TAG: Final = "main"
"""Tag the platform publishes for its newest build (facts 1.1). What runs where nothing is pinned, which
production refuses."""


def reference(environment: Environment, service: Service) -> str:
    """Full image reference of a service, such as `ghcr.io/michelangelo-ai/worker:sha-cbf5720`. Tag and
    digest are both kept where both are given: people read the tag, the container runtime the digest."""
    images = environment.images
    image: Image = getattr(images, service)
    if service == "envoy":
        # Not one of the platform's images: its registry and tag mean nothing here.
        default = Images().envoy
        repository, fallback = image.repository or default.repository, default.tag
    else:
        repository, fallback = image.repository or f"{images.registry}/{service}", images.tag or FLOATING_TAG
    tag = image.tag or (None if image.digest else fallback)
    return _joined(repository, tag, image.digest)


def retention_reference(environment: Environment) -> str:
    """Image reference of the job that removes old models."""
    image, default = environment.model_registry.retention.image, Retention().image
    tag = image.tag or (None if image.digest else default.tag)
    return _joined(image.repository or default.repository, tag, image.digest)


def _joined(repository: str | None, tag: str | None, digest: str | None) -> str:
    return f"{repository}{f':{tag}' if tag else ''}{f'@{digest}' if digest else ''}"
