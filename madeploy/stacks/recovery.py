"""Recovery of an environment's stacks after an engine that was killed."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from madeploy.engine import checkpoints, locks, processes
from madeploy.engine.events import Tell, silent
from madeploy.engine.locks import Lock
from madeploy.findings import Finding, find, in_order
from madeploy.fleet.plan import shard_numbers
from madeploy.fleet.roles import compute_stack, shard_stack
from madeploy.names.storage import bucket_outputs
from madeploy.settings import Environment
from madeploy.settings.environment import PROJECT
from madeploy.settings.storage import AwsStorage
from madeploy.stacks import backend
from madeploy.stacks.updates import EnvironmentStacks


@dataclass
class Recovered:
    """Result of a recovery."""

    processes: dict[int, str] = field(default_factory=dict)
    """Programs that were ended, by process id."""

    locks: dict[str, list[str]] = field(default_factory=dict)
    """Locks that were removed, by stack."""

    repaired: list[str] = field(default_factory=list)
    """Stacks whose state was damaged."""

    settled: dict[str, int] = field(default_factory=dict)
    """Operations whose end was found out, by stack."""

    taken_back: dict[str, list[str]] = field(default_factory=dict)
    """Buckets that a rename left waiting for their deletion, and that the settings name again, by stack."""

    findings: list[Finding] = field(default_factory=list)
    """Stacks that were left alone."""

    @property
    def found_nothing(self) -> bool:
        """Whether no engine left anything behind."""
        done = (self.processes, self.locks, self.repaired, self.settled, self.taken_back)
        return not (any(done) or self.findings)

    def to_data(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "processes": {str(pid): program for pid, program in self.processes.items()},
            "locks": self.locks,
            "repaired": self.repaired,
            "settled": self.settled,
            "takenBack": self.taken_back,
            "leftAlone": [finding.to_data() for finding in in_order(self.findings)],
        }


def recover(
    stacks: EnvironmentStacks, *, force: bool = False, tell: Tell = silent, note: Tell = silent
) -> Recovered:
    """Put an environment's stacks in order after an engine that was killed.

    Args:
        stacks: the environment's stacks.
        force: whether locks of other machines are removed too.
        tell: given one line for everything that was done.
        note: told where the work stands.

    Raises ToolkitError when the backend cannot be used.
    """
    done = Recovered()
    _end_orphans(stacks, done, tell)
    url = json.loads(stacks.engine.ask("whoami", "--verbose", "--json", where=stacks.where))["url"]
    _restore(stacks, str(url), force, done, tell)
    names = _names(stacks)
    for count, name in enumerate(names, start=1):
        note(f"{name} ({count} of {len(names)})")
        _recover(stacks, name, str(url), force, done, tell)
    return done


def _restore(stacks: EnvironmentStacks, url: str, force: bool, done: Recovered, tell: Tell) -> None:
    """States that were cut off while they were written: the engine cannot even list their stacks."""
    backend = locks.directory_of(url)
    if backend is None:
        return
    environment = stacks.environment
    folder = backend / ".pulumi" / "stacks" / PROJECT
    for path in sorted(folder.glob("*.json")):
        name = path.name.removesuffix(".json")
        own = name == environment or name.startswith(
            (f"{environment}-shard-", compute_stack(environment, ""))
        )
        held = locks.in_directory(backend, PROJECT, name)
        free = all(lock.owner == "gone" or (force and lock.owner == "elsewhere") for lock in held)
        if own and free and checkpoints.restore(backend, PROJECT, name):
            done.repaired.append(name)
            tell(f"  {name}: the state was cut off, and is again what it was before the last step")


def _names(stacks: EnvironmentStacks) -> list[str]:
    """Stacks of the environment that there are, its own first."""
    name, known = stacks.environment, backend.names(stacks)
    shards = [shard_stack(name, number) for number in shard_numbers(name, known)]
    computing = [known_name for known_name in sorted(known) if known_name.startswith(compute_stack(name, ""))]
    return [item for item in [name, *shards, *computing] if item in known]


def _end_orphans(stacks: EnvironmentStacks, done: Recovered, tell: Tell) -> None:
    # First of all: one of them may still finish what it was asked to create.
    found = locks.orphans(stacks.where)
    left = processes.stop(processes.marked(found))
    done.processes = {pid: program for pid, program in found.items() if pid not in left}
    for pid, program in done.processes.items():
        tell(f"  ended {program} (process {pid}), which no engine used any more")


def _recover(
    stacks: EnvironmentStacks, name: str, url: str, force: bool, done: Recovered, tell: Tell
) -> None:
    stack = stacks.stack(name)
    held = stack.locks(locks.directory_of(url), PROJECT)
    kept = [lock for lock in held if lock.owner == "alive" or (lock.owner == "elsewhere" and not force)]
    if kept:
        done.findings += [_left_alone(name, lock, stacks.environment) for lock in kept]
        return
    if held:
        stack.unlock()
        done.locks[name] = [str(lock) for lock in held]
        for lock in held:
            tell(f"  {name}: removed {lock}" if lock.defect else f"  {name}: removed the lock of {lock}")
    if stack.repair():
        done.repaired.append(name)
        tell(f"  {name}: the state was damaged, and is in order again")
    count = stack.settle(tell)
    if count:
        done.settled[name] = count
    if name == stacks.environment and (back := stack.take_back(_buckets(stacks.settings), tell)):
        done.taken_back[name] = back


def _left_alone(name: str, lock: Lock, environment: str) -> Finding:
    if lock.owner == "alive":
        return find("MA488", name, f"{lock} is at work", fix=f"Wait for process {lock.pid} to end.")
    if lock.defect:
        return find(
            "MA488",
            name,
            f"{lock.place} is {lock}: whose it is, and whether that engine still works, cannot be known",
            fix="See that nobody updates this stack, on any machine; then:\n"
            f"bin/madeploy recover {environment} --force",
        )
    return find(
        "MA488",
        name,
        f"{lock} holds {lock.place}; whether it still runs cannot be known from here",
        fix=f"Look there; if it is gone:\nbin/madeploy recover {environment} --force",
    )


def _buckets(settings: Environment) -> set[str]:
    """Names of the buckets that a stack makes."""
    if not isinstance(settings.storage, AwsStorage):
        return set()
    return {told["name"] for told in bucket_outputs(settings.storage).values()}
