"""Downloading families of tools from their projects' releases into the cache.

What cannot be downloaded is refused with a reason and built from source by the caller; only a full disk or
Ctrl-C is an error.
"""

from __future__ import annotations

import hashlib
import shutil
import tarfile
import threading
import time
import zipfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from madeploy.progress import Phase, Reporter
from madeploy.sandbox.tools import cache, releases
from madeploy.sandbox.tools.catalog import FAMILIES, TOOLS, Family
from madeploy.sandbox.tools.found import version_of
from madeploy.sandbox.tools.releases import ARCHITECTURES, RELEASES, Download, Release
from madeploy.sandbox.tools.transfer import Refused, Sum, Transfer


@dataclass
class Downloaded:
    """Result of downloading families: an entry of the cache each, or the reason it has to be built."""

    entries: dict[str, tuple[cache.Entry, float]]
    refused: dict[str, str]


def entry(family: Family) -> cache.Entry | None:
    """The downloaded entry of `family` in the cache, if there is one for this platform and these versions,
    and one of every family that comes with it: programs of one release are used together or not at all."""
    release = _release(family.name)
    if release is None:
        return None
    there = {name: cache.load(_where(release, FAMILIES[name]), FAMILIES[name]) for name in release.families}
    return there[family.name] if all(there.values()) else None


def released_with(family: str) -> tuple[str, ...]:
    """Families whose programs come in one release with those of `family`, itself among them."""
    release = _release(family)
    return release.families if release else (family,)


def download(families: Sequence[Family], progress: Reporter, transfer: Transfer) -> Downloaded:
    """Download what can be of `families`, side by side.

    Raises:
        SandboxError: the disk is full, or the cache is not usable.
    """
    result = Downloaded({}, {})
    wanted: dict[int, list[Family]] = {}
    for family in families:
        if (release := _release(family.name)) is None:
            result.refused[family.name] = "its project publishes no programs"
        else:
            wanted.setdefault(RELEASES.index(release), []).append(family)
    if not wanted:
        return result
    with ThreadPoolExecutor(len(wanted), thread_name_prefix="download") as pool:
        running = {
            index: pool.submit(_one, RELEASES[index], members, progress, transfer)
            for index, members in wanted.items()
        }
        try:
            for index, future in running.items():
                try:
                    result.entries |= future.result()
                except Refused as refused:
                    result.refused |= {family.name: str(refused) for family in wanted[index]}
        finally:
            # An error of one, or Ctrl-C in this thread: the others stop within a moment.
            if not all(future.done() for future in running.values()):
                transfer.cancel.set()
    return result


def _release(family: str) -> Release | None:
    return next((release for release in RELEASES if family in release.families), None)


def _where(release: Release, family: Family) -> Path:
    """The place of a downloaded entry: decided by where it comes from and the known checksums."""
    key = hashlib.sha256()
    for file in release.downloads(releases.this_platform()):
        key.update(f"{file.url} {releases.KNOWN_SUMS.get(file.url, '')}\n".encode())
    name = f"{release.version}-downloaded-{key.hexdigest()[:16]}"
    return cache.directory() / "tools" / family.name / name


def _one(
    release: Release, families: Sequence[Family], progress: Reporter, transfer: Transfer
) -> dict[str, tuple[cache.Entry, float]]:
    on = releases.this_platform()
    if on.os not in release.systems or on.arch not in ARCHITECTURES:
        raise Refused(f"it is not published for {on.os}/{on.arch}")
    files = release.downloads(on)
    for file in files:
        transfer.require_reachable(file.url)
    title = f"downloading {release.families[0]} {release.version}"
    began = time.monotonic()
    try:
        with progress.phase(title) as phase, ExitStack() as locks:
            # One order for everybody: two runs never wait for each other.
            for family in sorted(families, key=lambda family: family.name):
                waiting = lambda: phase.note("another madeploy is at it; waiting")  # noqa: E731
                locks.enter_context(cache.lock(family, waiting, transfer.cancel))
            missing = [family for family in families if cache.load(_where(release, family), family) is None]
            if missing:
                _make(release, missing, files, phase, transfer, began)
            made = {family.name: cache.load(_where(release, family), family) for family in families}
    except OSError as error:
        raise cache.unusable(error) from None
    seconds = time.monotonic() - began
    entries = {name: (found, seconds) for name, found in made.items() if found is not None}
    if len(entries) < len(families):
        raise Refused("its programs are gone from the cache again, or were never in what was downloaded")
    return entries


def _make(
    release: Release,
    families: Sequence[Family],
    files: Sequence[Download],
    phase: Phase,
    transfer: Transfer,
    began: float,
) -> None:
    """Download `files` and publish an entry for each of `families`."""
    standing = _Standing(phase)
    paths = {file.url: cache.partial_file(file.url) for file in files}

    def fetch(file: Download) -> Sum:
        expected = transfer.expected(file)
        transfer.fetch(file, expected, paths[file.url], standing.of(file.url))
        return expected

    with ThreadPoolExecutor(len(files)) as pool:
        sums = dict(zip((file.url for file in files), pool.map(fetch, files), strict=True))
    phase.note("unpacking")
    origin = {
        "version": release.version,
        "downloads": [{"url": url, "sum": str(seen), "by": seen.by} for url, seen in sums.items()],
    }
    for family in families:
        names = {*family.packages, *(script.name for script in family.scripts)}
        with cache.work_directory(family) as work:
            programs = work / "bin"
            programs.mkdir()
            for file in files:
                _unpack(file, paths[file.url], programs, names)
            _verify(release, family, programs)
            cache.publish(work, _where(release, family), time.monotonic() - began, origin)
    for path in paths.values():
        path.unlink()


def _unpack(file: Download, archive: Path, programs: Path, names: set[str]) -> None:
    """Put those of `names` that are in `file` into the directory `programs`, executable."""
    wanted = {name: member for name, member in file.programs.items() if name in names}
    try:
        if not any(file.programs.values()):
            for name in wanted:
                shutil.copyfile(archive, programs / name)
        elif file.name.endswith(".zip"):
            with zipfile.ZipFile(archive) as zipped:
                _copy_members(wanted, programs, lambda member: zipped.open(member))
        else:
            with tarfile.open(archive) as tar:
                _copy_members(wanted, programs, lambda member: cast(IO[bytes], tar.extractfile(member)))
    # What a tar archive holds may be a link or a directory: `extractfile` then gives None.
    except (KeyError, AttributeError, TypeError, tarfile.TarError, zipfile.BadZipFile, EOFError) as error:
        raise Refused(f"{file.name} does not hold what it should ({error})") from None


def _copy_members(wanted: Mapping[str, str], programs: Path, open_: Callable[[str], IO[bytes]]) -> None:
    for name, member in wanted.items():
        with open_(member) as source, (programs / name).open("wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)


def _verify(release: Release, family: Family, programs: Path) -> None:
    for program in programs.iterdir():
        program.chmod(0o755)
    for name in family.packages if release.says_version else ():
        tool = TOOLS[name]
        version = version_of(programs / name, tool)
        if tool.version_arguments is not None and version != release.version:
            raise Refused(f"{name} does not run on this machine as version {release.version}")


class _Standing:
    """Progress of one release's downloads."""

    def __init__(self, phase: Phase) -> None:
        self._phase = phase
        self._lock = threading.Lock()
        self._files: dict[str, tuple[int, int]] = {}

    def of(self, url: str) -> Callable[[int, int], None]:
        def progressed(done: int, total: int) -> None:
            with self._lock:
                self._files[url] = (done, total)
                have, of = (sum(numbers) for numbers in zip(*self._files.values(), strict=True))
            self._phase.note(f"{have // 1_000_000} of {of // 1_000_000} MB" if of else f"{have} bytes")

        return progressed
