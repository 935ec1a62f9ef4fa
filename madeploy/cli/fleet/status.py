"""`madeploy fleet status`: where each cluster of an environment stands, without running an update."""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from madeploy.clusters.preflight import unreachable
from madeploy.engine.events import Tell
from madeploy.findings import Finding, exit_code, find, in_order
from madeploy.findings.text import report, write
from madeploy.fleet import urns
from madeploy.fleet.plan import shard_numbers
from madeploy.fleet.roles import StackRole
from madeploy.sandbox.progress import phase
from madeploy.stacks import backend
from madeploy.stacks.updates import EnvironmentStacks, open_stacks

_READERS = 4
_PIPE_WIDTH = 160


@dataclass(frozen=True)
class Row:
    """One cluster."""

    cluster: str
    stack: str
    """The stack that holds what the control plane has of it."""

    in_settings: bool
    registered: bool
    """Whether that stack's state has it."""

    reachable: bool | None
    """None for a cluster that is no longer in the settings: nothing says how to reach it."""

    code: str
    """Code of the finding about it, or nothing."""


def status(
    stack: Annotated[str, typer.Argument(metavar="STACK", help="Name or file of the environment's stack.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show for each cluster which stack holds it, whether it is registered, and whether it can be reached.

    Ends with 1 when `fleet up` has something left to do, or could not do it.
    """
    stacks = open_stacks(stack)
    with phase("asking the clusters") as asking:
        aside = unreachable(stack, asking.note)
    with phase("reading the stacks") as reading:
        held = _held(stacks, reading.note)
    findings = {**{name: _unfinished(name) for name in _unregistered(stacks, held)}, **aside}
    for name, place in held.items():
        if name not in stacks.settings.clusters:
            findings[name] = find("MA487", name, f"stack {place} still holds it")
    rows = [_row(stacks, name, held, findings) for name in [*stacks.settings.clusters, *_gone(stacks, held)]]
    if as_json:
        data = {
            "stack": stacks.environment,
            "layout": stacks.settings.fleet.layout,
            "clusters": [asdict(row) for row in rows],
            "findings": [finding.to_data() for finding in in_order(findings.values())],
        }
        sys.stdout.write(json.dumps(data, indent=2) + "\n")
    else:
        _show(rows, list(findings.values()))
    raise typer.Exit(exit_code(findings.values(), strict=True))


def _held(stacks: EnvironmentStacks, note: Tell) -> dict[str, str]:
    """Stack that holds each registration, by the cluster's name."""
    name = stacks.environment
    roles = [StackRole("environment", name)]
    if stacks.settings.fleet.layout == "sharded":
        numbers = shard_numbers(name, backend.names(stacks))
        roles = [StackRole("shard", name, shard=number) for number in numbers]
    held: dict[str, str] = {}
    with ThreadPoolExecutor(max_workers=_READERS) as pool:
        states = pool.map(lambda role: stacks.stack(role.stack).resources(), roles)
        for role, state in zip(roles, states, strict=True):
            note(role.stack)
            held |= dict.fromkeys(urns.clusters_in(state), role.stack)
    return held


def _gone(stacks: EnvironmentStacks, held: dict[str, str]) -> list[str]:
    return [name for name in held if name not in stacks.settings.clusters]


def _unregistered(stacks: EnvironmentStacks, held: dict[str, str]) -> list[str]:
    return [name for name in stacks.settings.clusters if name not in held]


def _unfinished(name: str) -> Finding:
    fix = "Run `bin/madeploy fleet up STACK`."
    return find("MA485", name, "it was not registered yet", why="The platform sends it no job.", fix=fix)


def _row(stacks: EnvironmentStacks, name: str, held: dict[str, str], findings: dict[str, Finding]) -> Row:
    entry = stacks.settings.clusters.get(name)
    planned = StackRole("environment", stacks.environment)
    if entry is not None and stacks.settings.fleet.layout == "sharded":
        planned = StackRole("shard", stacks.environment, shard=entry.shard)
    finding = findings.get(name)
    unreached = finding is not None and finding.code not in ("MA485", "MA487")
    return Row(
        cluster=name,
        stack=held.get(name, planned.stack),
        in_settings=entry is not None,
        registered=name in held,
        reachable=None if entry is None else not unreached,
        code=finding.code if finding else "",
    )


def _show(rows: list[Row], findings: list[Finding]) -> None:
    width = None if sys.stdout.isatty() else _PIPE_WIDTH
    console = Console(file=sys.stdout, highlight=False, width=width)
    table = Table(
        "cluster", "stack", "in settings", "registered", "reachable", "code", box=None, pad_edge=False
    )
    words = {True: "yes", False: "no", None: "-"}
    for row in rows:
        table.add_row(
            row.cluster,
            row.stack,
            words[row.in_settings],
            words[row.registered],
            words[row.reachable],
            row.code,
        )
    console.print(table)
    if findings:
        console.print()
        write(report("not done", in_order(findings)), sys.stdout)
