"""Where each family's projects publish their programs, and by what checksum a download is judged.

The addresses are those of the projects themselves. `$MADEPLOY_DOWNLOADS` puts a mirror in front of all of
them, or turns downloads off.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version as installed_version
from typing import Final, Literal
from urllib.parse import urlsplit

from madeploy.errors import UsageError
from madeploy.sandbox.tools.catalog import FAMILIES, KUBERNETES, PULUMI

DOWNLOADS_VARIABLE: Final = "MADEPLOY_DOWNLOADS"
"""`off`, or the address of a mirror that serves `https://HOST/PATH` as `<mirror>/HOST/PATH`."""

KNOWN_SUMS: Final[Mapping[str, str]] = {}
"""SHA-256 by address (the project's own, never a mirror's). One that stands here decides; the published
checksum is asked only where none does. `built.json` of a downloaded cache entry names address and sum."""


@dataclass(frozen=True)
class Platform:
    """Operating system and processor as Go names them ("linux", "arm64")."""

    os: str
    arch: str


@dataclass(frozen=True)
class SumFile:
    """A published list of checksums in the format of `sha256sum`, or a file that holds one checksum alone."""

    url: str
    algorithm: Literal["sha256", "sha1"] = "sha256"


@dataclass(frozen=True)
class GitHubDigest:
    """The SHA-256 that GitHub computed when the file `asset` of the release at `url` was uploaded.

    `url` is that of the REST API's "get a release by tag name"; assets from before June 2025 have none.
    """

    url: str
    asset: str


Published = SumFile | GitHubDigest


@dataclass(frozen=True)
class Download:
    """One published file.

    Args:
        url: its address.
        published: what vouches for it, in order of preference.
        programs: the programs in it: by name, their path in the archive; empty for a file that is itself
            the program.
    """

    url: str
    published: tuple[Published, ...]
    programs: Mapping[str, str]

    @property
    def name(self) -> str:
        """The file's name."""
        return self.url.rpartition("/")[2]


@dataclass(frozen=True)
class Release:
    """A published release: the downloads of one or more families.

    Args:
        families: the families whose programs are in it.
        version: the version its programs say.
        systems: operating systems it is published for.
        downloads: the files for a platform.
        says_version: whether its programs know the arguments by which the catalogue asks for their version.
    """

    families: tuple[str, ...]
    version: str
    systems: tuple[str, ...]
    downloads: Callable[[Platform], tuple[Download, ...]]
    says_version: bool = True


def this_platform() -> Platform:
    """The platform this program runs on."""
    machine = platform.machine().lower()
    return Platform(platform.system().lower(), {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine))


ARCHITECTURES: Final = ("amd64", "arm64")


def mirror(environ: Mapping[str, str] = os.environ) -> str | None:
    """The mirror's address without a slash at its end; empty for none; None where downloads are off.

    Raises:
        UsageError: `$MADEPLOY_DOWNLOADS` is neither `off` nor such an address.
    """
    stated = environ.get(DOWNLOADS_VARIABLE, "").strip()
    if stated.lower() == "off":
        return None
    if not stated:
        return ""
    parts = urlsplit(stated)
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.username or parts.query:
        raise UsageError(
            f"{DOWNLOADS_VARIABLE} is not usable",
            "it is `off`, or the address of a mirror (https://…) without user name, password and query",
            f"unset {DOWNLOADS_VARIABLE}, or set it to one of them",
        )
    return stated.rstrip("/")


def _github(repository: str, tag: str, file: str) -> str:
    return f"https://github.com/{repository}/releases/download/{tag}/{file}"


def _digest(repository: str, tag: str, asset: str) -> GitHubDigest:
    return GitHubDigest(f"https://api.github.com/repos/{repository}/releases/tags/{tag}", asset)


def _pulumi(on: Platform) -> tuple[Download, ...]:
    arch = {"amd64": "x64"}.get(on.arch, on.arch)
    programs = (
        "pulumi",
        "pulumi-language-python",
        "pulumi-language-python-exec",
        "pulumi-analyzer-policy-python",
    )
    return (
        Download(
            _github("pulumi/pulumi", f"v{PULUMI}", f"pulumi-v{PULUMI}-{on.os}-{arch}.tar.gz"),
            (SumFile(_github("pulumi/pulumi", f"v{PULUMI}", f"pulumi-{PULUMI}-checksums.txt")),),
            {name: f"pulumi/{name}" for name in programs},
        ),
    )


def _kubernetes(on: Platform) -> tuple[Download, ...]:
    base = f"https://dl.k8s.io/v{KUBERNETES}/bin/{on.os}/{on.arch}"
    return tuple(
        Download(f"{base}/{name}", (SumFile(f"{base}/{name}.sha256"),), {name: ""})
        for name in FAMILIES["kubernetes"].packages
    )


def _etcd(on: Platform) -> tuple[Download, ...]:
    tag = f"v{FAMILIES['etcd'].version}"
    stem = f"etcd-{tag}-{on.os}-{on.arch}"
    return (
        Download(
            _github("etcd-io/etcd", tag, f"{stem}.{'zip' if on.os == 'darwin' else 'tar.gz'}"),
            (SumFile(_github("etcd-io/etcd", tag, "SHA256SUMS")),),
            {"etcd": f"{stem}/etcd"},
        ),
    )


def _kwok(on: Platform) -> tuple[Download, ...]:
    repository, tag, file = "kubernetes-sigs/kwok", f"v{FAMILIES['kwok'].version}", f"kwok-{on.os}-{on.arch}"
    # Its releases carry no list of checksums.
    return (Download(_github(repository, tag, file), (_digest(repository, tag, file),), {"kwok": ""}),)


def _kubeconform(on: Platform) -> tuple[Download, ...]:
    repository, tag = "yannh/kubeconform", f"v{FAMILIES['kubeconform'].version}"
    return (
        Download(
            _github(repository, tag, f"kubeconform-{on.os}-{on.arch}.tar.gz"),
            (SumFile(_github(repository, tag, "CHECKSUMS")),),
            {"kubeconform": "kubeconform"},
        ),
    )


def _kube_score(on: Platform) -> tuple[Download, ...]:
    repository, version = "zegl/kube-score", FAMILIES["kube-score"].version
    return (
        Download(
            _github(repository, f"v{version}", f"kube-score_{version}_{on.os}_{on.arch}.tar.gz"),
            (SumFile(_github(repository, f"v{version}", "checksums.txt")),),
            {"kube-score": "kube-score"},
        ),
    )


def _plugin(package: str) -> Release:
    """The provider plugin in the version of the SDK in use, which is the one it was released with.

    From its release, as every other tool, rather than by `pulumi plugin install`, which writes into the
    user's own plugin cache.
    """
    repository, version = f"pulumi/pulumi-{package}", installed_version(f"pulumi-{package}")
    program = f"pulumi-resource-{package}"

    def downloads(on: Platform) -> tuple[Download, ...]:
        file = f"{program}-v{version}-{on.os}-{on.arch}.tar.gz"
        # Its own list of checksums holds SHA-1, and decides only where GitHub's API refuses to answer.
        sums = SumFile(
            _github(repository, f"v{version}", f"pulumi-{package}_{version}_checksums.txt"), "sha1"
        )
        vouching = (_digest(repository, f"v{version}", file), sums)
        return (Download(_github(repository, f"v{version}", file), vouching, {program: program}),)

    return Release((f"pulumi-{package}",), version, _BOTH, downloads, says_version=False)


_BOTH: Final = ("linux", "darwin")

RELEASES: Final[tuple[Release, ...]] = (
    Release(("pulumi", "pulumi-python"), PULUMI, _BOTH, _pulumi),
    _plugin("kubernetes"),
    _plugin("aws"),
    # The components of the control plane are published for Linux alone.
    Release(("kubernetes",), KUBERNETES, ("linux",), _kubernetes),
    Release(("etcd",), FAMILIES["etcd"].version, _BOTH, _etcd),
    Release(("kwok",), FAMILIES["kwok"].version, _BOTH, _kwok),
    Release(("kubeconform",), FAMILIES["kubeconform"].version, _BOTH, _kubeconform),
    Release(("kube-score",), FAMILIES["kube-score"].version, _BOTH, _kube_score),
)
