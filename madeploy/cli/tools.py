"""`madeploy tools`: the programs the sandbox runs, and where each comes from."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from madeploy.cli.options import AsJson
from madeploy.cli.output import columns, print_json
from madeploy.progress import duration
from madeploy.sandbox.tools import TOOLS, ResolvedTool, ToolStatus, ensure, inspect

_HEADER = ("TOOL", "VERSION", "SOURCE", "TOOK", "GETTING IT TOOK", "PATH")


def tools(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Only these tools.", show_default=False)
    ] = None,
    build: Annotated[
        bool, typer.Option("--build", help="Download or build what is neither on PATH nor cached.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List each tool of the sandbox with its version, where it comes from, and the time that took.

    A tool is taken from PATH if its version is acceptable, else from the cache ($MADEPLOY_CACHE, or the
    user's cache directory), else downloaded from its project's releases, else built by the Go toolchain.
    $MADEPLOY_DOWNLOADS turns downloads off, or names a mirror.
    """
    statuses = inspect(names or TOOLS)
    resolved: dict[str, ResolvedTool] = {s.tool.name: s.found for s in statuses if s.found is not None}
    if build and len(resolved) < len(statuses):
        resolved |= ensure(status.tool.name for status in statuses if status.found is None)
    rows = [_row(status, resolved.get(status.tool.name)) for status in statuses]
    if as_json:
        print_json(rows)
    else:
        _print(rows)


def _row(status: ToolStatus, tool: ResolvedTool | None) -> dict[str, Any]:
    """One tool as JSON shows it. `seconds`: taken by this run; `build_seconds`: by the download or build."""
    build_seconds = tool.seconds if tool and tool.source in ("downloaded", "built") else status.build_seconds
    return {
        "name": status.tool.name,
        "version": tool.version if tool else status.tool.version,
        "source": tool.source if tool else "missing",
        "official": tool.official if tool else None,
        "path": str(tool.path) if tool else None,
        "seconds": round(tool.seconds, 3) if tool else None,
        "build_seconds": None if build_seconds is None else round(build_seconds, 1),
        "accepted_on_path": status.tool.accepted,
        "not_from_path": status.rejected or None,
    }


def _shown(seconds: float | None) -> str:
    return "-" if seconds is None else duration(seconds)


def _print(rows: list[dict[str, Any]]) -> None:
    origins = {True: ", official", False: ", built from source", None: ""}
    cells = [
        (
            row["name"],
            row["version"],
            row["source"] + origins[row["official"]],
            _shown(row["seconds"]),
            _shown(row["build_seconds"]),
            row["path"] or "-",
        )
        for row in rows
    ]
    sys.stdout.write(columns(_HEADER, cells))
    for row in rows:
        if row["not_from_path"]:
            typer.echo(f"not used: {row['not_from_path']}")
    missing = sum(row["source"] == "missing" for row in rows)
    if missing:
        typer.echo(f"{missing} of {len(rows)} are not there yet: `madeploy tools --build` gets them.")
