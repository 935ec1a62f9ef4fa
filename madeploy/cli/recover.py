"""`madeploy recover`: after an engine that was killed."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from typing import Annotated, Any

import typer

from madeploy.engine import checkpoints, locks, processes
from madeploy.engine.locks import Lock
from madeploy.findings import Finding, exit_code, find, in_order
from madeploy.findings.text import report, write
from madeploy.fleet.plan import shard_numbers
from madeploy.fleet.roles import compute_stack, shard_stack
from madeploy.names.storage import bucket_outputs
from madeploy.sandbox.progress import phase, say
from madeploy.settings import Environment
from madeploy.settings.environment import PROJECT
from madeploy.settings.storage import AwsStorage
from madeploy.stacks import backend
from madeploy.stacks.updates import EnvironmentStacks, open_stacks

BUSY = 3
"""Exit code when a stack was left alone because somebody may be at work on it."""


@dataclass
class Recovered:
    """What was found and done."""

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
    stack: Annotated[str, typer.Argument(metavar="STACK", help="Name or file of the environment's stack.")],
    force: Annotated[
        bool,
        typer.Option("--force", help="Remove locks of other machines too, once you know that nobody works."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Put an environment's stacks in order after an engine that was killed; then run the update again.

    Ends plugins that no engine uses any more, removes locks whose owner is gone, puts damaged states in
    order, and finds out what became of operations that were under way: what exists is taken into the state.
    A bucket that a rename left waiting for its deletion is taken back where the settings name it again.
    A lock whose owner lives is never touched.

    Exit codes: 0 all is in order, 3 a stack was left alone.
    """
    stacks = open_stacks(stack)
    done = Recovered()
    with phase(f"recovering {stacks.environment}") as running:
        _end_orphans(stacks, done)
        url = json.loads(stacks.engine.ask("whoami", "--verbose", "--json", where=stacks.where))["url"]
        _restore(stacks, str(url), force, done)
        names = _names(stacks)
        for count, name in enumerate(names, start=1):
            running.note(f"{name} ({count} of {len(names)})")
            _recover(stacks, name, str(url), force, done)
    if as_json:
        sys.stdout.write(json.dumps(done.to_data(), indent=2) + "\n")
    elif done.findings:
        write(report("left alone", in_order(done.findings)), sys.stdout)
    elif done.found_nothing:
        say("nothing was left behind")
    else:
        say(f"all is in order: run the update again, `bin/madeploy fleet up {stack}` or `pulumi up`")
    raise typer.Exit(exit_code(done.findings, errors=BUSY))


def _restore(stacks: EnvironmentStacks, url: str, force: bool, done: Recovered) -> None:
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
            say(f"  {name}: the state was cut off, and is again what it was before the last step")


def _names(stacks: EnvironmentStacks) -> list[str]:
    """Stacks of the environment that there are, its own first."""
    name, known = stacks.environment, backend.names(stacks)
    shards = [shard_stack(name, number) for number in shard_numbers(name, known)]
    computing = [known_name for known_name in sorted(known) if known_name.startswith(compute_stack(name, ""))]
    return [item for item in [name, *shards, *computing] if item in known]


def _end_orphans(stacks: EnvironmentStacks, done: Recovered) -> None:
    # First of all: one of them may still finish what it was asked to create.
    found = locks.orphans(stacks.where)
    left = processes.stop(locks.marked(found))
    done.processes = {pid: program for pid, program in found.items() if pid not in left}
    for pid, program in done.processes.items():
        say(f"  ended {program} (process {pid}), which no engine used any more")


def _recover(stacks: EnvironmentStacks, name: str, url: str, force: bool, done: Recovered) -> None:
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
            say(f"  {name}: removed {lock}" if lock.defect else f"  {name}: removed the lock of {lock}")
    if stack.repair():
        done.repaired.append(name)
        say(f"  {name}: the state was damaged, and is in order again")
    count = stack.settle(say)
    if count:
        done.settled[name] = count
    if name == stacks.environment and (back := stack.take_back(_buckets(stacks.settings), say)):
        done.taken_back[name] = back


def _buckets(settings: Environment) -> set[str]:
    """Names of the buckets that a stack makes."""
    if not isinstance(settings.storage, AwsStorage):
        return set()
    return {told["name"] for told in bucket_outputs(settings.storage).values()}


def _left_alone(name: str, lock: Lock, environment: str) -> Finding:
    if lock.owner == "alive":
        return find("MA488", name, f"{lock} is at work", fix=f"Wait for process {lock.pid} to end.")
    if lock.defect:
        return find(
            "MA488",
            name,
            f"{lock.place} is {lock}: whose it is, and whether that engine still works, cannot be known",
            fix="See that nobody updates this stack, on any machine. Then: "
            f"bin/madeploy recover {environment} --force",
        )
    return find(
        "MA488",
        name,
        f"{lock} holds {lock.place}; whether it still runs cannot be known from here",
        fix=f"Look there. If it is gone: bin/madeploy recover {environment} --force",
    )
