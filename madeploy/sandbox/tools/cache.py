"""Downloaded and built tools on disk, shared by all checkouts of one user.

<cache>/tools/<family>/<version>-<key>/bin/…     complete entries only: put there by one rename
<cache>/tools/<family>/<version>-<key>/built.json
<cache>/tools/<family>/.building-…               work under way, or what a killed build left
<cache>/tools/<family>/.lock                     held by whoever makes an entry, its Go processes included
<cache>/downloads/…                              files under way; a later run goes on with them
<cache>/logs/tools-<family>.log
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import platform
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import platformdirs

from madeploy.sandbox.errors import SandboxError
from madeploy.sandbox.tools.cancel import Cancel
from madeploy.sandbox.tools.catalog import Family

_LOCK_POLL_SECONDS = 0.2


@dataclass(frozen=True)
class Entry:
    """The programs of one family.

    Args:
        bin: their directory.
        version: the version they say.
        origin: how they came there.
        seconds: the time that took.
    """

    bin: Path
    version: str
    origin: Literal["downloaded", "built"]
    seconds: float


def directory(environ: Mapping[str, str] = os.environ) -> Path:
    """The cache's root: `$MADEPLOY_CACHE`, else `madeploy` in the user's cache directory."""
    chosen = environ.get("MADEPLOY_CACHE")
    return Path(chosen).absolute() if chosen else Path(platformdirs.user_cache_dir("madeploy"))


def entry_directory(family: Family, build_arguments: Sequence[str]) -> Path:
    """Where a build of `family` with exactly these sources, arguments and platform belongs."""
    digest = hashlib.sha256()
    for part in (
        *(path.read_bytes() for path in family.sources),
        *(text.encode() for text in (*build_arguments, *family.packages.values())),
        *(file.path.encode() for file in (*family.scripts, *family.embedded)),
        *(repr(module).encode() for module in family.edited),
        platform.system().encode(),
        platform.machine().encode(),
    ):
        digest.update(len(part).to_bytes(8, "big") + part)
    return directory() / "tools" / family.name / f"{family.version}-{digest.hexdigest()[:16]}"


def load(where: Path, family: Family) -> Entry | None:
    """The entry at `where`, or None if there is none or a file of it is missing or cut short."""
    try:
        record = json.loads((where / "built.json").read_text(encoding="utf-8"))
        sizes: dict[str, int] = record["sizes"]
        for name in (*family.packages, *(script.name for script in family.scripts)):
            program = where / "bin" / name
            if program.stat().st_size != sizes[name] or not os.access(program, os.X_OK):
                return None
        downloads = record.get("downloads")
        origin: Literal["downloaded", "built"] = "downloaded" if downloads else "built"
        version = str(record.get("version", family.version))
        return Entry(where / "bin", version, origin, float(record["seconds"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def publish(build: Path, where: Path, seconds: float, origin: Mapping[str, object] | None = None) -> None:
    """Make the finished work directory `build` the entry at `where`, all at once.

    Args:
        origin: if it was not built, its `version` and `downloads` (address, checksum and who vouched, of
            each file).
    """
    sizes = {program.name: program.stat().st_size for program in (build / "bin").iterdir()}
    record = {"seconds": round(seconds, 1), "sizes": sizes, **(origin or {})}
    (build / "built.json").write_text(json.dumps(record) + "\n", encoding="utf-8")
    if where.exists():
        # Damaged, or `load` would have taken it; a rename cannot replace a directory with content.
        shutil.rmtree(where)
    build.rename(where)


@contextmanager
def work_directory(family: Family) -> Iterator[Path]:
    """A new directory beside the family's entries, gone afterwards unless it was published. Hold the lock."""
    parent = directory() / "tools" / family.name
    for abandoned in parent.glob(".building-*"):
        shutil.rmtree(abandoned, ignore_errors=True)
    work = Path(tempfile.mkdtemp(prefix=".building-", dir=parent))
    try:
        work.chmod(0o755)
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


@contextmanager
def lock(family: Family, on_wait: Callable[[], None], cancel: Cancel) -> Iterator[int]:
    """Keep other processes from building `family`. Yields the lock's file descriptor.

    Give the descriptor to child processes (`pass_fds`): the lock then lasts until the last of them has
    ended, even if this process is killed.

    Args:
        on_wait: called once if somebody else holds the lock.
        cancel: ends the wait when set.

    Raises:
        Cancelled: `cancel` was set.
    """
    path = directory() / "tools" / family.name / ".lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        told = False
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not told:
                    on_wait()
                    told = True
                cancel.check(_LOCK_POLL_SECONDS)
        yield file.fileno()


def partial_file(url: str) -> Path:
    """Where the file at `url` is downloaded to; its directory exists."""
    name = f"{hashlib.sha256(url.encode()).hexdigest()[:16]}-{url.rpartition('/')[2]}"
    path = directory() / "downloads" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def log_file(family: Family) -> Path:
    """The log of the family's last build; its directory exists."""
    path = directory() / "logs" / f"tools-{family.name}.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def unusable(error: OSError) -> SandboxError:
    """What to tell a person when writing to the cache fails."""
    where = directory()
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return disk_full(f"{error.strerror}: {error.filename or where}")
    return SandboxError(
        f"the tool cache {where} cannot be used",
        f"{error.strerror or error}: {error.filename or where}",
        "make that directory writable, or set MADEPLOY_CACHE to one that is; then run the same command again",
    )


def disk_full(why: str) -> SandboxError:
    """What to tell a person when there is no room."""
    return SandboxError(
        "there is no room on the disk for building tools",
        why,
        f"free space (a first build of everything needs about 9 GB in {directory()} and Go's own caches, "
        "`go env GOCACHE GOMODCACHE`), or set MADEPLOY_CACHE to a directory on another disk; then run the "
        "same command again: what is compiled already is kept",
    )
