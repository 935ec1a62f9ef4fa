"""Which release an environment goes to, and what of its stack file changes with it."""

from __future__ import annotations

from pathlib import Path

from madeploy.descriptors.chart import from_chart
from madeploy.descriptors.checks import SETTING, keep, require_usable, require_version
from madeploy.errors import UsageError
from madeploy.releases import RELEASES, Release
from madeploy.settings import Environment
from madeploy.stacks.files import Edit

_PLATFORMS_OWN = ("apiserver", "controllermgr", "worker", "ui")
"""Services whose images are the platform's, and of its release."""


def target(environment: Environment, to: str) -> Release:
    """The release called `to`. Raises UsageError for one that is not known, or lies behind."""
    if to not in RELEASES:
        known = ", ".join(RELEASES)
        raise UsageError(f"{to} is no release", f"there are {known}", "Name one of them.")
    names = list(RELEASES)
    if names.index(to) > names.index(environment.platform.release):
        raise UsageError(
            f"{environment.release.name} cannot go back to {to}",
            "an earlier API server fails on newer definitions, and earlier controllers on newer objects",
            "Make the environment anew and its objects from the dump (docs/upgrading.md).",
        )
    return RELEASES[to]


def edits(folder: Path, environment: Environment, release: Release, chart: Path | None) -> list[Edit]:
    """Changes of the stack file in `folder` that make `environment` one of `release`; none where it is one.
    With the release's `chart`, its descriptor set is written beside the file and named in it.

    Raises UsageError for a chart of another version, and for images that only a person can name.
    """
    if environment.release is not release:
        _require_common_images(environment, release)
    changed: list[Edit] = []
    version = release.newest
    if release.envoy.transcoded and chart is not None:
        content, found = from_chart(chart)
        require_version(found, environment.images.tag if environment.release is release else None, release)
        require_usable(content, release)
        version = found.lstrip("v")
        changed.append((SETTING, keep(folder, version, content)))
    if environment.release is release:
        return changed
    changed.append((("platform", "release"), release.name))
    if version is not None:
        changed.append((("images", "tag"), version))
    return changed


def _require_common_images(environment: Environment, release: Release) -> None:
    pinned = [
        f"controlPlane.{name}.image"
        for name in _PLATFORMS_OWN
        if environment.image_of(name).tag or environment.image_of(name).digest
    ]
    if pinned:
        raise UsageError(
            "images of the release have to be named by hand",
            f"{', '.join(pinned)} name versions of their own, which are of {environment.release.name}",
            f"Set platform.release to {release.name} (quoted), these images and images.tag to its versions; "
            "then run this command again.",
        )
