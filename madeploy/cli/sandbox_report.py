"""What `madeploy sandbox` prints: the summary of `up`, the status, the exports."""

from __future__ import annotations

import shlex
import textwrap
import time
from collections.abc import Iterable, Mapping
from typing import Any

from madeploy.cli.output import columns
from madeploy.engine.events import DONE
from madeploy.progress import duration
from madeploy.sandbox.session import Brought, Sandbox
from madeploy.sandbox.tools import ToolStatus

_WIDTH = 110
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


def brought_as_text(brought: Brought, seconds: float) -> str:
    """The summary of `up` for a person."""
    result = brought.result
    changes = ", ".join(
        f"{count} {DONE.get(what, what)}" for what, count in result.changes.items() if what != "same"
    )
    same = result.changes.get("same", 0)
    said = (
        f"{changes}, {same} unchanged" if changes else f"no changes: {same} resources are as they should be"
    )
    taken = {**brought.phases, "total": seconds}
    parts = [
        _resources(brought.summary.resources),
        _outputs(brought.summary.outputs),
        columns(("PHASE", "TOOK"), [(title, duration(each)) for title, each in taken.items()]),
        "\n".join([said, *_plugins(brought.plugins)]) + "\n",
        "\n  ".join(["Next:", *next_commands(brought.summary.outputs)]),
    ]
    return "\n" + "\n".join(part for part in parts if part)


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


def status_as_text(data: Mapping[str, Any]) -> str:
    """The status for a person."""
    cells = [
        (
            component["name"],
            str(component["pid"] or "ended"),
            str(component["port"] or "-"),
            "-" if component["up_seconds"] is None else duration(component["up_seconds"]),
        )
        for component in data["components"]
    ]
    running = columns(("COMPONENT", "PROCESS", "PORT", "UP FOR"), cells)
    versions = ", ".join(f"{name} {version}" for name, version in data["tools"].items() if version)
    stack = data["stack"]
    return "\n".join(
        [
            running if cells else "nothing runs; `madeploy sandbox up` starts it\n",
            f"tools: {versions or 'none built yet'}",
            *(_plugins(data["plugins"]) or ["plugins: not chosen yet"]),
            f"stack: {stack['total']} resources" if stack else "stack: not created yet",
            *([_resources(stack["resources"]).rstrip()] if stack else []),
            f"state: {data['state']}",
        ]
    )


def exports(variables: Mapping[str, str | None]) -> str:
    """Lines for a POSIX shell's `eval`; what is None is unset."""
    return "\n".join(
        f"unset {name}" if value is None else f"export {name}={shlex.quote(value)}"
        for name, value in variables.items()
    )


def _resources(resources: Mapping[str, Mapping[str, int]]) -> str:
    lines = []
    for where, kinds in resources.items():
        counted = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
        lines.append(f"{where}: {sum(kinds.values())} resources")
        lines += textwrap.wrap(counted, _WIDTH, initial_indent="  ", subsequent_indent="  ")
    return "".join(f"{line}\n" for line in lines)


def _plugins(plugins: Mapping[str, Mapping[str, str]]) -> list[str]:
    made = {"official": "official", "built": "built from source"}
    return [
        f"plugin {package} {source['version']}, {made[source['kind']]}: {source['reason']}"
        for package, source in plugins.items()
    ]


def _outputs(outputs: Mapping[str, Any]) -> str:
    named = [(name, _flat(outputs[name])) for name in _OUTPUTS if outputs.get(name)]
    return columns(("OUTPUT", "VALUE"), named) if named else ""


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
