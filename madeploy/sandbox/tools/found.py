"""Tools that are on PATH already: where, of which version, and whether that will do."""

from __future__ import annotations

import errno
import os
import re
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from madeploy.sandbox.tools import cache
from madeploy.sandbox.tools.catalog import TOOLS, Tool

PROBE_SECONDS = 10.0
"""A tool that has not said its version by then is not usable."""
LAUNCHERS = ".madeploy-launchers"
"""Name of a file that marks a directory of launchers, which start tools that were found otherwise: one on
PATH is not looked into."""
_BUSY_SECONDS = 2.0
_VERSION = re.compile(r"(?<![\d.])v?(\d+\.\d+\.\d+)")


@dataclass(frozen=True)
class Found:
    """A copy of a tool that is on PATH. `problem` says why it is of no use; empty if it will do."""

    path: Path
    version: str
    problem: str


def on_path(tool: Tool) -> Found | None:
    """The copy of `tool` that a person typing its name would run, judged by `tool.accepted`.

    Only the first copy on PATH counts: using a later one would make the sandbox differ from what its user
    sees.
    """
    if tool.companion_of:
        return _beside_companion(tool, on_path(TOOLS[tool.companion_of]))
    location = shutil.which(tool.name, path=_search_path())
    if location is None:
        return None
    path = Path(location).absolute()
    version = version_of(path, tool)
    if not version:
        return Found(path, "", "" if tool.may_be_silent else f"{path} does not say its version")
    if not tool.accepts(version):
        return Found(path, version, f"{path} is {version}; accepted is {tool.accepted} because {tool.reason}")
    missing = [name for name in tool.needs_beside if _beside(path, name) is None]
    if missing:
        return Found(path, version, f"{path} has no {' and no '.join(missing)} beside it")
    return Found(path, version, "")


def version_of(path: Path, tool: Tool) -> str:
    """The version ("1.34.1") that the program at `path` prints; empty if it prints none."""
    if tool.version_arguments is None:
        return ""
    try:
        ran = _asked(path, tool.version_arguments)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    match = _VERSION.search(ran.stdout) or _VERSION.search(ran.stderr)
    return match.group(1) if match and ran.returncode == 0 else ""


def _asked(path: Path, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run the program at `path`. One that was just written is busy as long as a process, which another thread
    started meanwhile, holds a copy of the file it was written through: until it runs its own program."""
    until = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            return subprocess.run(
                [str(path), *arguments],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=PROBE_SECONDS,
                # A user's stack or an unreachable update server has no part in this question.
                env=os.environ | {"PULUMI_SKIP_UPDATE_CHECK": "true"},
            )
        except OSError as error:
            if error.errno != errno.ETXTBSY or time.monotonic() > until:
                raise
        time.sleep(0.02)


def _beside_companion(tool: Tool, companion: Found | None) -> Found | None:
    path = _beside(companion.path, tool.name) if companion else None
    if companion is None or path is None:
        return None
    problem = companion.problem and f"{path} goes with {companion.path}, which is not used"
    return Found(path, companion.version, problem)


def _beside(path: Path, name: str) -> Path | None:
    """The executable `name` in the directory of `path`, or in that of the file it is a link to."""
    for directory in (path.parent, path.resolve().parent):
        if os.access(directory / name, os.X_OK):
            return directory / name
    return None


def _search_path() -> str:
    # A shell prepared for a sandbox has the cache's tools on PATH, which are the cache's all the same, and
    # launchers of plugins.
    entries = [
        Path(entry).absolute() for entry in os.environ.get("PATH", os.defpath).split(os.pathsep) if entry
    ]
    own = cache.directory()
    return os.pathsep.join(
        str(entry) for entry in entries if own not in entry.parents and not (entry / LAUNCHERS).exists()
    )
