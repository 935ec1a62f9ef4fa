"""Status of a fleet: where each cluster of an environment stands."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from madeploy.engine.events import Tell
from madeploy.findings import Finding, find
from madeploy.fleet import urns
from madeploy.fleet.plan import shard_numbers
from madeploy.fleet.roles import StackRole
from madeploy.stacks import backend
from madeploy.stacks.updates import EnvironmentStacks

_READERS = 4


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


def fleet_status(
    stacks: EnvironmentStacks, aside: Mapping[str, Finding], note: Tell
) -> tuple[list[Row], dict[str, Finding]]:
    """Each cluster of an environment, and what `fleet up` has left to do, by cluster.

    Args:
        stacks: the environment's stacks.
        aside: clusters that cannot be reached.
        note: told which stack was read.
    """
    held = _held(stacks, note)
    findings = {**{name: _unfinished(name) for name in _unregistered(stacks, held)}, **aside}
    for name, place in held.items():
        if name not in stacks.settings.clusters:
            findings[name] = find("MA487", name, f"stack {place} still holds it")
    names = [*stacks.settings.clusters, *_gone(stacks, held)]
    return [_row(stacks, name, held, findings) for name in names], findings


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
