"""Which release an environment goes to, and what of its stack file changes with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from madeploy.descriptors.chart import from_chart
from madeploy.descriptors.checks import SETTING, keep, require_usable, require_version
from madeploy.errors import ToolkitError
from madeploy.releases import RELEASES, Release
from madeploy.settings import Environment
from madeploy.stacks.files import Edit

_PLATFORMS_OWN = ("apiserver", "controllermgr", "worker", "ui")
"""Services whose images are the platform's, and of its release."""


def target(environment: Environment, to: str) -> Release:
    """The release called `to`. Raises ToolkitError (2) for one that is not known, or lies behind."""
    if to not in RELEASES:
        known = ", ".join(RELEASES)
        raise ToolkitError(f"{to} is no release", f"there are {known}", "Name one of them.", exit_code=2)
    names = list(RELEASES)
    if names.index(to) > names.index(environment.platform.release):
        raise ToolkitError(
            f"{environment.release.name} cannot go back to {to}",
            "an earlier API server fails on newer definitions, and earlier controllers on newer objects",
            "Make the environment anew and its objects from the dump (docs/upgrading.md).",
            exit_code=2,
        )
    return RELEASES[to]


def edits(folder: Path, environment: Environment, release: Release, chart: Path | None) -> list[Edit]:
    """Changes of the stack file in `folder` that make `environment` one of `release`; none where it is one.
    Writes the descriptor set of `chart` beside it, where the release needs one.

    Raises ToolkitError (2) for a chart that is missing or another version's, and for images that only a
    person can name.
    """
    if environment.release is release:
        return []
    pinned = [
        f"controlPlane.{name}.image"
        for name in _PLATFORMS_OWN
        if environment.image_of(name).tag or environment.image_of(name).digest
    ]
    if pinned:
        raise ToolkitError(
            "images of the release have to be named by hand",
            f"{', '.join(pinned)} name versions of their own, which are of {environment.release.name}",
            f"Set platform.release to {release.name} (quoted), these images and images.tag to its versions, "
            f"and {'.'.join(SETTING)} by `bin/madeploy descriptors`; then run this command again.",
            exit_code=2,
        )
    tag, more = release.newest, list[Edit]()
    if release.envoy.transcoded:
        content, tag = _descriptors(chart, release)
        require_usable(content, release)
        more.append((SETTING, keep(folder, tag, content)))
    changed: list[tuple[tuple[str, ...], Any]] = [(("platform", "release"), release.name), *more]
    if tag is not None:
        changed.append((("images", "tag"), tag))
    return changed


def _descriptors(chart: Path | None, release: Release) -> tuple[bytes, str]:
    """The set in the release's chart, and its version."""
    if chart is None:
        raise ToolkitError(
            "the chart of the release is not named",
            "Envoy translates the browser application's JSON by a descriptor set of exactly that version",
            "helm pull oci://ghcr.io/michelangelo-ai/michelangelo/charts/michelangelo --version "
            f"{release.newest}\nand give the file with --from-chart.",
            exit_code=2,
        )
    content, version = from_chart(chart)
    require_version(version, None, release)
    return content, version.lstrip("v")
