"""The descriptor set in the platform's Helm chart."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

import yaml

from madeploy.errors import UsageError

FILE: Final = PurePosixPath("files/descriptors.pb")
"""The set's place in the chart."""

MAX_BYTES: Final = 4 * 1024 * 1024
"""Size of a member that is read."""

_POINTER: Final = b"version https://git-lfs"


def from_chart(path: Path) -> tuple[bytes, str]:
    """The set in a chart as `helm pull` leaves it, and the chart's version.

    Nothing is unpacked. Raises ToolkitError when the file is no chart, or holds no set.
    """
    try:
        with tarfile.open(path, "r:gz") as archive:
            found = dict(_members(archive))
    except (OSError, EOFError, tarfile.TarError) as error:
        said = error.strerror if isinstance(error, OSError) and error.strerror else "is no .tgz of a chart"
        raise UsageError(
            f"{path} cannot be read",
            said.lower(),
            "Get the chart of exactly the deployed version:\nhelm pull "
            "oci://ghcr.io/michelangelo-ai/michelangelo/charts/michelangelo --version VERSION",
        ) from None
    descriptors = found.get(str(FILE))
    if descriptors is None or descriptors.startswith(_POINTER):
        raise UsageError(
            f"{path} holds no descriptor set",
            f"its {FILE} is missing" if descriptors is None else f"its {FILE} is a pointer of Git LFS",
            "Releases since 0.4.0 have one; take it from a running API server with --from-api otherwise.",
        )
    return descriptors, _version(found.get("Chart.yaml", b""))


def _members(archive: tarfile.TarFile) -> Iterator[tuple[str, bytes]]:
    """The two files that matter, by their path within the chart; those of sub-charts are deeper."""
    for member in archive:
        parts = PurePosixPath(member.name).parts
        inner = "/".join(parts[1:])
        if member.isfile() and inner in (str(FILE), "Chart.yaml") and member.size <= MAX_BYTES:
            stream = archive.extractfile(member)
            if stream is not None:
                yield inner, stream.read(MAX_BYTES)


def _version(text: bytes) -> str:
    """The chart's version, which is that of the services it deploys; "" when it says none."""
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError:
        return ""
    return str(data.get("version") or "") if isinstance(data, dict) else ""
