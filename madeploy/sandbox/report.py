"""Output of `madeploy sandbox`: the summary of `up`, the status, the exports."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from madeploy.engine.events import DONE
from madeploy.sandbox.progress import duration
from madeploy.sandbox.session import Brought, Sandbox
from madeploy.sandbox.tools import ToolStatus

PIPE_WIDTH = 120
_OUTPUTS = ("urls", "namespaces", "buckets", "iam_roles", "clusters")
"""Outputs worth a line in the summary, in this order."""


def brought_as_data(brought: Brought, seconds: float) -> dict[str, Any]:
    """The summary of `up` as JSON. Times in seconds."""
    return {
        "seconds": round(seconds, 1),
        "phases": {title: round(taken, 1) for title, taken in brought.phases.items()},
        "changes": brought.result.changes,
        "changed": brought.result.changed,
        "resources": brought.summary.resources,
        "outputs": brought.summary.outputs,
        "plugins": {package: dict(source) for package, source in brought.plugins.items()},
        "started": list(brought.started),
        "next": next_commands(brought.summary.outputs),
    }


def show_brought(brought: Brought, seconds: float) -> None:
    """The summary of `up` for a person."""
    console = _console()
    console.print()
    _show_resources(console, brought.summary.resources)
    console.print()
    _show_outputs(console, brought.summary.outputs)
    console.print()
    phases = Table("phase", "took", box=None, pad_edge=False)
    for title, taken in brought.phases.items():
        phases.add_row(title, duration(taken))
    phases.add_row("[bold]total[/]", f"[bold]{duration(seconds)}[/]")
    console.print(phases)
    console.print()
    result = brought.result
    changes = ", ".join(
        f"{count} {DONE.get(what, what)}" for what, count in result.changes.items() if what != "same"
    )
    same = result.changes.get("same", 0)
    console.print(
        f"{changes}, {same} unchanged" if changes else f"no changes: {same} resources are as they should be"
    )
    _show_plugins(console, brought.plugins)
    console.print("\nNext:")
    for command in next_commands(brought.summary.outputs):
        console.print(f"  {escape(command)}")


def next_commands(outputs: Mapping[str, Any]) -> list[str]:
    """Three commands to try."""
    namespaces = outputs.get("namespaces")
    namespace = namespaces.get("control_plane") if isinstance(namespaces, Mapping) else None
    where = f"-n {namespace}" if namespace else "-A"
    return [
        'eval "$(bin/madeploy sandbox env)"',
        f"kubectl {where} get deployments,clusters.michelangelo.api",
        "pulumi preview",
    ]


def status_as_data(sandbox: Sandbox, tools: Iterable[ToolStatus]) -> dict[str, Any]:
    """The status as JSON."""
    environment = sandbox.environment()
    state = environment.state
    components = [
        {
            "name": component.name,
            "pid": component.pid,
            "port": component.port,
            "up_seconds": None if component.since is None else round(time.time() - component.since),
            "log": str(sandbox.directory.log(component.name)),
        }
        for component in environment.status()
    ]
    summary = sandbox.summary()
    return {
        "state": str(sandbox.directory.root),
        "clusters": {
            name: {"context": context, "embedded": not state.contexts}
            for name, context in (state.contexts or {name: name for name in environment.names}).items()
        },
        "components": components,
        "tools": {status.tool.name: status.found.version if status.found else None for status in tools},
        "plugins": state.plugins,
        "stack": None if summary is None else {"resources": summary.resources, "total": summary.total},
    }


def show_status(data: Mapping[str, Any]) -> None:
    """The status for a person."""
    console = _console()
    if not data["components"]:
        console.print("nothing runs; `madeploy sandbox up` starts it")
    else:
        table = Table("component", "process", "port", "up for", box=None, pad_edge=False)
        for component in data["components"]:
            pid = component["pid"]
            since = component["up_seconds"]
            table.add_row(
                component["name"],
                str(pid) if pid else "[red]ended[/]",
                str(component["port"] or "-"),
                duration(since) if since is not None else "-",
            )
        console.print(table)
    console.print()
    versions = ", ".join(f"{name} {version}" for name, version in data["tools"].items() if version)
    console.print(f"tools: {versions or 'none built yet'}")
    if data["plugins"]:
        _show_plugins(console, data["plugins"])
    else:
        console.print("plugins: not chosen yet")
    stack = data["stack"]
    console.print(f"stack: {stack['total']} resources" if stack else "stack: not created yet")
    if stack:
        _show_resources(console, stack["resources"])
    console.print(f"state: {data['state']}")


def exports(variables: Mapping[str, str | None]) -> str:
    """Lines for a POSIX shell's `eval`; what is None is unset."""
    return "\n".join(
        f"unset {name}" if value is None else f"export {name}={shlex.quote(value)}"
        for name, value in variables.items()
    )


def _console() -> Console:
    # Whatever reads a pipe has no width of its own.
    return Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else PIPE_WIDTH)


def _show_resources(console: Console, resources: Mapping[str, Mapping[str, int]]) -> None:
    table = Table("where", "what", box=None, pad_edge=False)
    for where, kinds in resources.items():
        total = sum(kinds.values())
        names = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
        table.add_row(where, f"{total} resources: {names}")
    console.print(table)


def _show_plugins(console: Console, plugins: Mapping[str, Mapping[str, str]]) -> None:
    for package, source in plugins.items():
        made = {"official": "official", "built": "built from source"}[source["kind"]]
        console.print(escape(f"plugin {package} {source['version']}, {made}: {source['reason']}"))


def _show_outputs(console: Console, outputs: Mapping[str, Any]) -> None:
    table = Table(box=None, pad_edge=False, show_header=False)
    for name in _OUTPUTS:
        if outputs.get(name):
            table.add_row(name, escape(_flat(outputs[name])))
    if table.row_count:
        console.print(table)


def _flat(value: Any) -> str:
    """An output in one line: names and plain values, the deeper ones by name only."""
    if not isinstance(value, Mapping):
        return str(value)
    parts = []
    for key, item in value.items():
        if isinstance(item, Mapping):
            plain = [str(inner) for inner in item.values() if not isinstance(inner, Mapping)]
            parts.append(f"{key} ({', '.join(plain)})")
        else:
            parts.append(f"{key}: {item}")
    return ", ".join(parts)
