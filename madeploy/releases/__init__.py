"""The platform's releases: one module each, read by settings, names, rules and builders alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from madeploy.releases import v0_12, v2026_04
from madeploy.releases.model import Release

ReleaseName = Literal["0.12", "2026.04"]

DEFAULT: Final[ReleaseName] = "0.12"
"""Release of an environment that names none: the newest one that was published."""

RELEASES: Final[Mapping[str, Release]] = {
    release.name: release for release in (v0_12.RELEASE, v2026_04.RELEASE)
}
"""Every release by name, newest first."""

SERVICES: Final = tuple(v0_12.RELEASE.keys)
"""Services that read a configuration file."""

__all__ = ["DEFAULT", "RELEASES", "SERVICES", "Release", "ReleaseName"]
