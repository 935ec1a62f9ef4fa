"""Rules about image versions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from pydantic.alias_generators import to_camel

from madeploy.documents.paths import Path
from madeploy.findings.codes.code import Code
from madeploy.findings.model import Severity
from madeploy.rules.model import SecretNames, Violation, rule
from madeploy.settings.control_plane import services
from madeploy.settings.environment import Environment
from madeploy.settings.images import Image, Images
from madeploy.settings.platform import Tier

_FLOATING: Final = frozenset(
    {"main", "master", "latest", "edge", "nightly", "dev", "develop", "stable", "head", "trunk", "canary"}
)
_PINNED: Final = re.compile(r"^(sha-[0-9a-f]{7,40}|v?[0-9]+\.[0-9]+\.[0-9]+([-+.][A-Za-z0-9.-]+)?)$")
_VERSION: Final = re.compile(r"^v?(?P<release>[0-9]+\.[0-9]+)\.[0-9]+(?P<pre>-[A-Za-z0-9.-]+)?$")
_SEVERITY: Final[dict[Tier, Severity]] = {"production": "error", "staging": "warning", "development": "info"}


def _floating(tag: str, *, published: bool) -> bool:
    """Whether a tag names another image tomorrow. `published`: the repository is the project's own, where
    everything but commits and releases is a branch (facts 1.1)."""
    lower = tag.lower()
    if lower in _FLOATING or lower.endswith("-latest") or lower.startswith("latest-"):
        return True
    return published and _PINNED.match(tag) is None


def _image(env: Environment, service: str) -> tuple[Image, Path, bool]:
    """A service's image, where it is said, and whether it is one of the platform's."""
    settings, said = env.control_plane.service(service), env.image_of(service)
    path: Path = ("controlPlane", to_camel(services()[service]), "image")
    if said is not settings.image:
        path = ("images", service)
    return said, path, type(settings)().image.repository is None


def _published(env: Environment, service: str) -> bool:
    """Whether a service's image comes from where the project publishes it."""
    image, _, ours = _image(env, service)
    return ours and image.repository is None and env.images.registry == Images().registry


def _tag(env: Environment, service: str) -> tuple[str | None, Path]:
    """A service's tag and where it is set; None where a digest decides or nothing is said."""
    image, path, ours = _image(env, service)
    if image.digest is not None:
        return None, (*path, "digest")
    if image.tag is not None:
        return image.tag, (*path, "tag")
    return (env.images.tag, ("images", "tag")) if ours else (None, path)


@rule(
    {
        "MA132": Code(
            "Image without a version",
            "An image needs a tag or a digest; there is no default that stays right.",
            "Set images.tag for all platform images, or controlPlane.<service>.image.tag or .digest for one.",
        ),
    },
    reads=("images", "control_plane"),
)
def every_platform_image_has_a_version(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """CP-9: a tag or a digest, for all or for the service."""
    missing = []
    for name in services():
        image, _path, ours = _image(env, name)
        if ours and not (image.digest or image.tag or env.images.tag):
            missing.append(name)
    if missing:
        yield Violation("MA132", ("images",), f"neither tag nor digest for {', '.join(missing)}")


@rule(
    {
        "MA133": Code(
            "Floating image tag",
            "The tag names another image tomorrow: nodes of one Deployment run different code, and nothing "
            "can be rolled back to.",
            "Use a `sha-<commit>` tag, a release tag, or a digest.",
        ),
    },
    reads=("images", "control_plane", "platform"),
)
def production_pins_its_images(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """CP-9: floating tags are refused in production and reported elsewhere."""
    seen: set[Path] = set()
    for name in services():
        tag, path = _tag(env, name)
        if tag is None or path in seen or not _floating(tag, published=_published(env, name)):
            continue
        seen.add(path)
        evidence = f"{tag} is a floating tag"
        yield Violation("MA133", path, evidence, severity=_SEVERITY[env.platform.tier])


@rule(
    {
        "MA140": Code(
            "Image of a service at its older place",
            "Size, placement, configuration and image of a service stand together in controlPlane.<service>; "
            "the older place is still read, unless the image is said at both.",
            "Keep controlPlane.<service>.image and remove images.<service>.",
            "info",
        ),
    },
    reads=("images", "control_plane"),
)
def images_stand_at_their_services(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """CP-9: the older place is still read; at both there would be two images for one service."""
    for name in env.images.moved():
        place = f"controlPlane.{name}.image"
        if env.image_of(name) is env.control_plane.service(name).image:
            yield Violation("MA140", ("images", name), f"{place} is set as well", severity="error")
        else:
            yield Violation("MA140", ("images", name), "is set", fix=f"Move what is below it to {place}.")


@rule(
    {
        "MA165": Code(
            "Image of another release",
            "The configuration is written for the release of platform.release; services of another one "
            "stop at keys they do not know, or ignore what they should do.",
            "Use a tag of that release, or set platform.release to the one of the image.",
        ),
        "MA166": Code(
            "Tag of a pre-release",
            "A candidate is replaced by the release and gets no mended version.",
            "Use the tag of the release.",
        ),
    },
    reads=("images", "control_plane", "platform"),
)
def images_are_of_the_release(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """CP-9, REL-1: a version names its release; what is configured for another one stops at its keys. A
    registry of one's own may have versions of one's own."""
    seen: set[Path] = set()
    for name in services():
        tag, path = _tag(env, name)
        version = _VERSION.match(tag or "")
        if version is None or path in seen or not _image(env, name)[2]:
            continue
        seen.add(path)
        if version["release"] != env.release.name:
            published = f"publishes as {env.release.newest}" if env.release.newest else "never published"
            yield Violation(
                "MA165",
                path,
                f"{tag} is of release {version['release']}; this environment is configured for "
                f"{env.release.name}, which the project {published}",
                severity="error" if _published(env, name) else "warning",
            )
        elif version["pre"]:
            yield Violation(
                "MA166", path, f"{tag} comes before the release", severity=_SEVERITY[env.platform.tier]
            )


@rule(
    {
        "MA134": Code(
            "Pull policy that does not fit the image",
            "Nodes would keep an outdated image, or find none.",
            "Set images.pullPolicy to IfNotPresent for pinned tags, to Always for floating ones.",
            "warning",
        ),
    },
    reads=("images", "control_plane", "platform"),
)
def the_pull_policy_fits(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """CP-9: floating tags need `Always`; `Never` needs images that are loaded by hand."""
    policy, path = env.images.pull_policy, ("images", "pullPolicy")
    if policy == "Never" and env.platform.tier != "development":
        yield Violation("MA134", path, "Never: nodes run only images that were loaded onto them by hand")
    elif policy == "IfNotPresent":
        tags = {tag for name in services() if (tag := _tag(env, name)[0])}
        floating = sorted(tag for tag in tags if _floating(tag, published=False))
        if floating:
            evidence = f"IfNotPresent keeps what a node first pulled as {', '.join(floating)}"
            yield Violation("MA134", path, evidence)
