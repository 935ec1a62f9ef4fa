"""Where each tool is: on PATH, in the cache, downloaded now, or built now."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from madeploy import progress as reporting
from madeploy.errors import UsageError
from madeploy.progress import Reporter
from madeploy.sandbox.errors import SandboxError
from madeploy.sandbox.tools import build, cache, download, releases
from madeploy.sandbox.tools.cancel import Cancel, Cancelled
from madeploy.sandbox.tools.catalog import DEFAULT_TOOLS, FAMILIES, TOOLS, Family, Tool
from madeploy.sandbox.tools.found import on_path
from madeploy.sandbox.tools.room import Room
from madeploy.sandbox.tools.transfer import Transfer


@dataclass(frozen=True)
class ResolvedTool:
    """A tool that is there and can be run.

    Args:
        name: its name on PATH.
        version: "1.34.1".
        source: `path` (found on PATH), `cache` (downloaded or built earlier), `downloaded` or `built`
            (by this call).
        path: the executable, absolute.
        seconds: time finding or making it took in this call.
        official: whether it is its project's own program, rather than built from source here. None where
            that is not known, as of a copy on PATH.
    """

    name: str
    version: str
    source: Literal["path", "cache", "downloaded", "built"]
    path: Path
    seconds: float
    official: bool | None = None


@dataclass(frozen=True)
class ToolStatus:
    """A tool as it stands, for a listing.

    Args:
        tool: what is wanted and why.
        found: where it is, or None if it would have to be downloaded or built.
        rejected: why the copy on PATH is not taken; empty if it is, or if there is none.
        build_seconds: time its family's download or build took, if it is in the cache.
    """

    tool: Tool
    found: ResolvedTool | None
    rejected: str
    build_seconds: float | None


class ToolPaths(dict[str, ResolvedTool]):
    """Resolved tools by name."""

    def path(self, name: str) -> Path:
        """The executable of one tool."""
        return self[name].path

    def directories(self) -> list[Path]:
        """Directories to put first on PATH so that typing a tool's name runs the resolved one.

        Tools found on PATH need none: the copy taken is the first there is.
        """
        return list(dict.fromkeys(tool.path.parent for tool in self.values() if tool.source != "path"))


def inspect(names: Iterable[str] = TOOLS) -> list[ToolStatus]:
    """How each tool stands, in the given order; builds and downloads nothing.

    Raises:
        UsageError: a name is not a tool's.
    """
    return [_inspect(tool) for tool in _tools(names)]


def ensure(names: Iterable[str] = DEFAULT_TOOLS, progress: Reporter = reporting.stderr) -> ToolPaths:
    """Find the named tools, getting those that are neither on PATH nor in the cache.

    What its project publishes and this machine reaches is downloaded; the rest is built, saying why. Builds
    run side by side as memory and cores allow. The first that fails stops the others; what they have
    compiled is kept by Go.

    Args:
        names: names from `TOOLS`; `DEFAULT_TOOLS` if left out.
        progress: where downloads and builds report to.

    Raises:
        UsageError: a name is not a tool's.
        SandboxError: a tool can neither be found nor got.
    """
    statuses = {status.tool.name: status for status in inspect(names)}
    missing = {status.tool.family for status in statuses.values() if status.found is None}
    # A Pulumi CLI gets no language host of another origin: what is released together is got together.
    together = {name for family in missing for name in download.released_with(family)}
    wanted = together & {status.tool.family for status in statuses.values()}
    entries = _get([family for name, family in FAMILIES.items() if name in wanted], progress)
    resolved = ToolPaths()
    for name, status in statuses.items():
        if status.found is not None and (status.found.source == "path" or status.tool.family not in entries):
            resolved[name] = status.found
        else:
            entry, seconds = entries[status.tool.family]
            resolved[name] = _resolved(status.tool, entry, entry.origin, seconds)
    return resolved


def _tools(names: Iterable[str]) -> list[Tool]:
    wanted = list(dict.fromkeys(names))
    unknown = [name for name in wanted if name not in TOOLS]
    if unknown:
        raise UsageError(
            f"no such tool: {', '.join(unknown)}",
            f"the tools are {', '.join(TOOLS)}",
            "name some of these, or none for all",
        )
    return [TOOLS[name] for name in wanted]


def _inspect(tool: Tool) -> ToolStatus:
    began = time.monotonic()
    found = on_path(tool)
    if found and not found.problem:
        there = ResolvedTool(tool.name, found.version, "path", found.path, time.monotonic() - began)
        return ToolStatus(tool, there, "", None)
    rejected = found.problem if found else ""
    family = FAMILIES[tool.family]
    # Where downloads are off, what an earlier run downloaded is not used either.
    entry = download.entry(family) if releases.mirror() is not None else None
    entry = entry or cache.load(cache.entry_directory(family, build.arguments(family)), family)
    if entry is None:
        return ToolStatus(tool, None, rejected, None)
    there = _resolved(tool, entry, "cache", time.monotonic() - began)
    return ToolStatus(tool, there, rejected, entry.seconds)


def _resolved(
    tool: Tool, entry: cache.Entry, source: Literal["cache", "downloaded", "built"], seconds: float
) -> ResolvedTool:
    # A downloaded language host has the version of its CLI, a built one that of its module.
    version = entry.version if entry.origin == "downloaded" else tool.version
    path = entry.bin / tool.name
    return ResolvedTool(tool.name, version, source, path, seconds, entry.origin == "downloaded")


def _get(families: list[Family], progress: Reporter) -> dict[str, tuple[cache.Entry, float]]:
    """Download what can be of `families`, and build the rest."""
    mirror = releases.mirror()
    if not families or mirror is None:
        return _build(families, progress)
    downloaded = download.download(families, progress, Transfer(mirror, Cancel()))
    for why in dict.fromkeys(downloaded.refused.values()):
        names = ", ".join(name for name, given in downloaded.refused.items() if given == why)
        progress.say(f"{names}: not downloaded, so built from source: {why}")
    rest = [family for family in families if family.name not in downloaded.entries]
    try:
        return downloaded.entries | _build(rest, progress)
    except SandboxError as error:
        refusals = "; ".join(dict.fromkeys(downloaded.refused.values()))
        why = f"{error.why}\nbefore that, the projects' own programs could not be downloaded: {refusals}"
        raise SandboxError(error.what, why, error.fix, error.exit_code) from None


def _build(families: list[Family], progress: Reporter) -> dict[str, tuple[cache.Entry, float]]:
    """Build all of `families`: the entry of each, and the seconds until it was there."""
    if not families:
        return {}
    go = build.require_go(families)
    cancel = Cancel()
    room = Room(cores=os.cpu_count() or 1)

    def one(family: Family) -> tuple[cache.Entry, float]:
        where = cache.entry_directory(family, build.arguments(family))
        with room.for_build(family.gibibytes, cancel), progress.phase(f"building {family.name}") as phase:
            return build.build(go, family, where, phase, cancel), phase.seconds

    with ThreadPoolExecutor(len(families), thread_name_prefix="build") as pool:
        running = {family.name: pool.submit(one, family) for family in families}
        try:
            wait(running.values(), return_when=FIRST_EXCEPTION)
        finally:
            # A failed build, or Ctrl-C in this thread: the others stop within a moment.
            if not all(future.done() for future in running.values()):
                cancel.set()
    failures = [future.exception() for future in running.values()]
    for failure in sorted((f for f in failures if f), key=lambda f: isinstance(f, Cancelled)):
        raise failure
    return {name: future.result() for name, future in running.items()}
