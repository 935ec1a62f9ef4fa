"""Whether a descriptor set is the one for an environment, and where it is kept."""

from __future__ import annotations

from pathlib import Path

from madeploy.descriptors.sets import MAX_BYTES, DescriptorError, Descriptors, read
from madeploy.errors import UsageError
from madeploy.releases import Release

SETTING = ("controlPlane", "envoy", "descriptors")
"""The setting that names the set."""


def require_version(version: str, tag: str | None, release: Release, *, force: bool = False) -> None:
    """Raise ToolkitError for a chart of `version` where services of `tag` run: a tag that is a version has to
    be the same, and any version has to be one of the release; `force` takes it all the same."""
    bare = version.lstrip("v")
    is_version = tag is not None and tag.lstrip("v")[:1].isdigit()
    if force or (bare.startswith(f"{release.name}.") and (not is_version or bare == str(tag).lstrip("v"))):
        return
    raise UsageError(
        f"the chart is of version {version or 'unknown'}",
        f"the stack deploys {tag if is_version else release.name}",
        "Get the chart of exactly that version; --force takes this one all the same.",
    )


def require_usable(content: bytes, release: Release, *, force: bool = False) -> Descriptors:
    """What a set describes. Raises ToolkitError when Envoy could not use it, or for another release's, which
    `force` takes."""
    again = "Take it from the chart of exactly the deployed version, or from its API server."
    try:
        found = read(content)
    except DescriptorError as error:
        raise UsageError("the descriptor set cannot be used", f"it {error}", again) from None
    if len(content) > MAX_BYTES:
        why = f"it has {len(content):,} bytes; a ConfigMap holds {MAX_BYTES:,}"
        raise UsageError("the descriptor set is too large", why, again)
    missing = found.missing(release.envoy.transcoded)
    if missing:
        why = f"it lacks {', '.join(missing)}"
        raise UsageError("the descriptor set is not complete", why, again)
    mark = found.contradicts(release.descriptor_marks)
    if mark is not None and not force:
        lack = "has no" if mark.present else "still has"
        why = f"it is of {mark.said}: {mark.message} {lack} {mark.field}"
        fix = f"{again} --force writes it all the same."
        raise UsageError("the descriptor set is of another release", why, fix)
    return found


def keep(folder: Path, version: str, content: bytes) -> str:
    """Write a set into `descriptors/` beside the stack files in `folder`. Returns its path from there, as the
    setting names it. Raises UsageError when it cannot be written."""
    file = Path("descriptors") / f"{version}.pb"
    target = folder / file
    try:
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(content)
    except OSError as error:
        raise UsageError(
            f"{target} cannot be written", error.strerror or "", "see its rights and its disk"
        ) from None
    return file.as_posix()
