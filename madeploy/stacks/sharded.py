"""An update of a fleet whose registrations are spread over shards: the environment, then what the clusters
hold themselves, some at a time, then what the control plane holds of them, shard by shard."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from typing import Any, Literal, TypeVar

from madeploy.engine.events import Result, Tell, silent
from madeploy.errors import UsageError
from madeploy.findings import Finding, find
from madeploy.fleet import urns
from madeploy.fleet.plan import Plan, plan, shard_numbers
from madeploy.fleet.roles import StackRole, compute_stack
from madeploy.settings import Environment
from madeploy.stacks import backend
from madeploy.stacks.updates import Applied, EnvironmentStacks, failures, refuse_second_names
from manifests import catalog, identities
from manifests.inputs import Inputs

SHARDS_AT_ONCE = 2
"""Shards worked on at the same time: each is busy with the backend, not with waiting for clusters."""

Item = TypeVar("Item", str, int)


def follows(settings: Environment, clusters: Iterable[str]) -> bool:
    """Whether the environment's own stack changes when these clusters come or go: with a NetworkPolicy that
    names their API server, or an IAM role for their tasks."""
    gone = set(clusters)
    rest = {name: entry for name, entry in settings.clusters.items() if name not in gone}
    if len(rest) == len(settings.clusters):
        # What is gone from the settings already cannot be compared any more.
        return bool(gone)
    without = settings.model_copy(update={"clusters": rest})
    return catalog.bundles(Inputs(settings)) != catalog.bundles(Inputs(without)) or identities.subjects(
        settings
    ) != identities.subjects(without)


def is_environments(settings: Environment, clusters: Sequence[str] | None, changed: Sequence[str]) -> bool:
    """Whether an update takes in the environment's own stack: one that is not for some clusters only, and one
    that it follows from. `changed` are the clusters that come, change or go."""
    if not clusters or settings.clusters.keys() <= set(clusters):
        return True
    return follows(settings, changed)


class Sharded:
    """One update of a sharded fleet.

    Args:
        stacks: the environment's stacks.
        tell: given one line for every resource that changed.
        note: told where the work stands.
        verb: `up`, or `preview`, which changes nothing and makes no stack.
        may_drop: whether there may be something to delete; False saves the look for it.
        registers: whether shards are part of it; False for what changes on compute clusters alone.
    """

    def __init__(
        self,
        stacks: EnvironmentStacks,
        tell: Tell,
        note: Tell,
        verb: Literal["up", "preview"] = "up",
        may_drop: bool = True,
        registers: bool = True,
    ) -> None:
        self._stacks = stacks
        self._tell = tell
        self._note = note
        self._verb = verb
        self._may_drop = may_drop
        self._registers = registers
        self._together = stacks.settings.fleet.are_halves_together
        self._known = set(backend.names(stacks))
        self._stop = threading.Event()
        self._counting = threading.Lock()
        self._applied = Applied()

    def run(self, clusters: Sequence[str] | None, aside: Mapping[str, Finding]) -> Applied:
        """Do it all; what fails is a finding. Raises ToolkitError when nothing could be begun."""
        began = time.monotonic()
        settings, name = self._stacks.settings, self._stacks.environment
        self._refuse_other_layout(name)
        held = {
            number: self._stacks.stack(StackRole("shard", name, number).stack).resources()
            for number in self._needed_shards(clusters)
        }
        self._refuse_other_halves(held)
        states = {number: urns.clusters_in(resources) for number, resources in held.items()}
        registered = [urns.registered_in(resources) for resources in held.values()]
        refuse_second_names(
            self._stacks, {key: value for found in registered for key, value in found.items()}, clusters
        )
        todo = plan(settings, name, self._known, states, clusters, aside)
        wanted = {*todo.compute, *todo.removed, *aside}
        self._applied.findings += [
            finding for cluster, finding in aside.items() if clusters is None or cluster in clusters
        ]
        try:
            if self._environment_is_done(clusters, todo):
                ready = set(todo.compute) if self._together else self._compute(todo.compute)
                if self._registers or self._together:
                    released = self._shards(todo, ready)
                    self._release(todo, released)
                else:
                    self._applied.done += [name for name in todo.compute if name in ready]
            else:
                self._wait(wanted - {*aside}, f"stack {name} was not finished")
        except BaseException:
            self._stop.set()
            raise
        self._applied.seconds = time.monotonic() - began
        return self._applied

    def _needed_shards(self, clusters: Sequence[str] | None) -> list[int]:
        """Shards whose states the update has to know: all of them for a whole one, and where a cluster is
        gone from the settings, which may be anywhere, or be one of the others under a new name; else those of
        its clusters."""
        settings, name = self._stacks.settings, self._stacks.environment
        numbers = shard_numbers(name, self._known)
        own = compute_stack(name, "")
        # Together they have no stack of their own, and an entry of another name keeps its shard.
        known = (
            set()
            if self._together
            else {stack.removeprefix(own) for stack in self._known if stack.startswith(own)}
        )
        if clusters is None or not {*known, *clusters} <= settings.clusters.keys():
            return numbers
        wanted = {settings.clusters[each].shard for each in clusters}
        return [number for number in numbers if number in wanted]

    def _refuse_other_layout(self, name: str) -> None:
        if name not in self._known:
            raise UsageError(
                f"stack {name} does not exist in this backend",
                "the environment's own stack is made by hand, because it decides how secrets are encrypted",
                f"pulumi stack init {name} (docs/first-environment.md)",
            )
        inline = urns.clusters_in(self._stacks.stack(name).resources())
        if inline:
            finding = find("MA483", "fleet.layout", f"stack {name} holds {', '.join(inline)}")
            raise UsageError(finding.title, f"{finding.evidence}. {finding.why}", finding.fix)

    def _refuse_other_halves(self, held: Mapping[int, Sequence[Mapping[str, Any]]]) -> None:
        """Raise UsageError where a shard holds its clusters in the other way: they would be deleted."""
        for number, resources in held.items():
            names = urns.clusters_in(resources)
            if names and urns.are_together(resources) != self._together:
                stack = StackRole("shard", self._stacks.environment, number).stack
                way = "apart" if self._together else "together"
                finding = find("MA483", "fleet.halves", f"stack {stack} holds {', '.join(names)} {way}")
                raise UsageError(finding.title, f"{finding.evidence}. {finding.why}", finding.fix)

    def _environment_is_done(self, clusters: Sequence[str] | None, todo: Plan) -> bool:
        """Bring the environment's own stack up to date, where it is part of the update or follows from it."""
        settings, name = self._stacks.settings, self._stacks.environment
        if not is_environments(settings, clusters, [*todo.compute, *todo.removed]):
            return True
        role = StackRole("environment", name)
        self._note(f"stack {name}")
        result = self._engine_run(role, [], note=lambda line: self._note(f"stack {name}: {line}"))
        self._applied.findings += failures(role, result, []).values()
        return result.code == 0

    def _compute(self, clusters: Sequence[str]) -> set[str]:
        """Bring up what clusters hold themselves, a few at a time. Returns those that are done."""

        def work(cluster: str) -> bool:
            role = StackRole("compute", self._stacks.environment, cluster=cluster)
            if not self._made(role):
                return False
            failed = failures(role, self._engine_run(role, []), [cluster])
            self._applied.findings += failed.values()
            return not failed

        limit = self._stacks.settings.fleet.parallel
        return self._at_once(clusters, work, limit, "compute clusters")

    def _shards(self, todo: Plan, ready: set[str]) -> set[str]:
        """Bring up what the control plane holds. Returns the clusters that are done, released ones among
        them."""
        done: set[str] = set()

        def work(number: int) -> bool:
            role = StackRole("shard", self._stacks.environment, shard=number)
            left = todo.left_out(number, ready)
            members = todo.held[number]
            unmade = [name for name in left if name not in todo.states.get(number, ())]
            # The program refers to the stack of every cluster it registers, those left out included.
            for name in () if self._together else members:
                if name in self._stacks.settings.clusters and name not in unmade:
                    self._made(StackRole("compute", self._stacks.environment, cluster=name))
            if not self._made(role):
                return False
            result = self._engine_run(role, left, unmade)
            failed = failures(role, result, members)
            self._applied.findings += failed.values()
            if role.stack not in failed:
                fine = [name for name in todo.shards[number] if name not in left and name not in failed]
                done.update(fine)
            return not failed

        limit = max(self._stacks.settings.fleet.parallel // 4, 1) if self._together else SHARDS_AT_ONCE
        self._at_once(list(todo.shards), work, limit, "shards")
        placed = {name for names in todo.shards.values() for name in names}
        told = {finding.subject for finding in self._applied.findings}
        for name in todo.compute:
            if name in done:
                self._applied.done.append(name)
            elif name in ready and name in placed and name not in told:
                self._wait([name], "its shard was not finished")
        return done

    def _release(self, todo: Plan, released: set[str]) -> None:
        """Take away what removed clusters hold themselves, once the control plane has let them go."""
        registered = {name for names in todo.held.values() for name in names}

        def work(cluster: str) -> bool:
            role = StackRole("compute", self._stacks.environment, cluster=cluster)
            if cluster in registered and cluster not in released:
                return False
            if role.stack in self._known and self._verb == "up":
                stack = self._stacks.stack(role.stack)
                result = stack.run("destroy", tell=self._tell, stop=self._stop)
                self._count(result)
                if result.code != 0:
                    said = "; ".join(dict.fromkeys(map(str, result.failures)))
                    self._applied.findings.append(find("MA487", cluster, f"stack {role.stack}: {said}"))
                    return False
                backend.forget(self._stacks, role.stack)
            self._applied.done.append(cluster)
            return True

        limit = self._stacks.settings.fleet.parallel
        self._at_once(todo.removed, work, limit, "removed clusters")

    def _made(self, role: StackRole) -> bool:
        """Whether the stack is there, made now if it may be. In a preview a stack that is not there yet has
        nothing to compare with."""
        if role.stack in self._known:
            return True
        if self._verb != "up":
            self._tell(f"  stack {role.stack} would be made")
            return False
        backend.create(self._stacks, role.stack)
        self._known.add(role.stack)
        return True

    def _engine_run(
        self, role: StackRole, left: Sequence[str], unmade: Sequence[str] = (), note: Tell = silent
    ) -> Result:
        stack = self._stacks.stack(role.stack)
        result = stack.run(
            self._verb,
            exclude=[urns.component(role, name, together=self._together) for name in left],
            unmade=unmade,
            may_drop=self._may_drop,
            keep_going=self._verb == "up",
            tell=self._tell,
            note=note,
            stop=self._stop,
        )
        self._count(result)
        return result

    def _count(self, result: Result) -> None:
        with self._counting:
            self._applied.add(result)

    def _at_once(
        self, items: Sequence[Item], work: Callable[[Item], bool], limit: int, what: str
    ) -> set[Item]:
        """Work on several, no more than `limit` at a time. Returns those that went well."""
        good: set[Item] = set()
        with ThreadPoolExecutor(max_workers=limit) as pool:
            running: dict[Future[bool], Item] = {pool.submit(work, item): item for item in items}
            try:
                for count, future in enumerate(as_completed(running), start=1):
                    self._note(f"{what}: {count} of {len(items)}")
                    if future.result():
                        good.add(running[future])
            except BaseException:
                self._stop.set()
                pool.shutdown(wait=True, cancel_futures=True)
                raise
        return good

    def _wait(self, clusters: Iterable[str], why: str) -> None:
        self._applied.findings += [find("MA485", name, why) for name in sorted(clusters)]
