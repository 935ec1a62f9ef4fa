"""Methods of the platform's API, by the paths gRPC calls them with (facts 7.1)."""

from __future__ import annotations

from typing import Final

from madeploy.names.addresses import GRPC_WEB_PREFIX
from madeploy.releases import Release

_READING: Final = ("Get{kind}", "List{kind}")
REFLECTION: Final = tuple(
    f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo" for version in ("v1", "v1alpha")
)
"""Which services there are: the command `ma` asks before each call (facts 7.2)."""

_WRITING: Final = ("Create{kind}", "Update{kind}", "Delete{kind}", "Delete{kind}Collection")


def reading(release: Release) -> tuple[str, ...]:
    """Paths of the methods that change nothing."""
    return _paths(release, _READING)


def writing(release: Release) -> tuple[str, ...]:
    """Paths of the others."""
    return _paths(release, _WRITING)


def _paths(release: Release, methods: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(
        f"{GRPC_WEB_PREFIX}{kind}Service/{method.format(kind=kind)}"
        for kind in release.services
        for method in methods
    )
