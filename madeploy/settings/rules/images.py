"""Rules about image versions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from madeploy.findings.model import Severity
from madeploy.settings.checks import SecretNames, Violation, rule
from madeploy.settings.environment import Environment
from madeploy.settings.images import Image, Images
from madeploy.settings.platform import Tier
from madeploy.settings.source import Path

_PLATFORM: Final = ("apiserver", "controllermgr", "worker", "ui")
_FLOATING: Final = frozenset(
    {"main", "master", "latest", "edge", "nightly", "dev", "develop", "stable", "head", "trunk", "canary"}
)
_PINNED: Final = re.compile(r"^(sha-[0-9a-f]{7,40}|v?[0-9]+\.[0-9]+\.[0-9]+([-+.][A-Za-z0-9.-]+)?)$")
_SEVERITY: Final[dict[Tier, Severity]] = {"production": "error", "staging": "warning", "development": "info"}


def _floating(tag: str, *, published: bool) -> bool:
    """Whether a tag names another image tomorrow. `published`: the repository is the project's own, where
    everything but commits and releases is a branch (facts 1.1)."""
    lower = tag.lower()
    if lower in _FLOATING or lower.endswith("-latest") or lower.startswith("latest-"):
        return True
    return published and _PINNED.match(tag) is None


def _tag(env: Environment, component: str) -> tuple[str | None, Path]:
    """A component's tag and where it is set; None where a digest decides or nothing is said."""
    image: Image = getattr(env.images, component)
    if image.digest is not None:
        return None, ("images", component, "digest")
    if image.tag is not None:
        return image.tag, ("images", component, "tag")
    return (None, ("images", component)) if component == "envoy" else (env.images.tag, ("images", "tag"))


@rule("MA132", reads=("images",))
def every_platform_image_has_a_version(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """CP-9: a tag or a digest, for all or for the component."""
    missing = [
        name
        for name in _PLATFORM
        if not (getattr(env.images, name).digest or getattr(env.images, name).tag or env.images.tag)
    ]
    if missing:
        yield Violation("MA132", ("images",), f"neither tag nor digest for {', '.join(missing)}")


@rule("MA133", reads=("images", "platform"))
def production_pins_its_images(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """CP-9: floating tags are refused in production and reported elsewhere."""
    seen: set[Path] = set()
    for component in (*_PLATFORM, "envoy"):
        tag, path = _tag(env, component)
        repository = getattr(env.images, component).repository
        published = component != "envoy" and repository is None and env.images.registry == Images().registry
        if tag is None or path in seen or not _floating(tag, published=published):
            continue
        seen.add(path)
        evidence = f"{tag} is a floating tag"
        yield Violation("MA133", path, evidence, severity=_SEVERITY[env.platform.tier])


@rule("MA134", reads=("images", "platform"))
def the_pull_policy_fits(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """CP-9: floating tags need `Always`; `Never` needs images that are loaded by hand."""
    policy, path = env.images.pull_policy, ("images", "pullPolicy")
    if policy == "Never" and env.platform.tier != "development":
        yield Violation("MA134", path, "Never: nodes run only images that were loaded onto them by hand")
    elif policy == "IfNotPresent":
        tags = {tag for name in (*_PLATFORM, "envoy") if (tag := _tag(env, name)[0])}
        floating = sorted(tag for tag in tags if _floating(tag, published=False))
        if floating:
            evidence = f"IfNotPresent keeps what a node first pulled as {', '.join(floating)}"
            yield Violation("MA134", path, evidence)
