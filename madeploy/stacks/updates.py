"""`pulumi up` of a user's own stack, whole or for some of its clusters: their backend, login and passphrase,
one cluster's failure no other's."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from madeploy import kubeconfigs
from madeploy.clients.kubernetes import Kubernetes
from madeploy.engine import processes
from madeploy.engine.driver import Engine
from madeploy.engine.events import Failure, Result, Tell, silent
from madeploy.engine.stack import LOCKED, Stack
from madeploy.errors import ToolkitError, UsageError
from madeploy.findings import Finding, exit_code, find, in_order
from madeploy.fleet import renames, urns
from madeploy.fleet.roles import StackRole
from madeploy.settings import Environment
from madeploy.stacks.access import StackAccess, open_stack
from madeploy.stacks.diagnosis import explainer
from madeploy.stacks.files import open_environment, project
from manifests.rbac import RIGHTS

LONGEST_EVIDENCE = 600
"""Characters of an engine's error that a finding repeats; the log has all of it."""

_PLUGIN_GONE = "exited prematurely"
"""Part of what the engine says of a plugin that ended without being told to."""


@dataclass
class Applied:
    """Result of an update, by cluster."""

    done: list[str] = field(default_factory=list)
    """Clusters that are as the settings say now, removed ones included."""

    findings: list[Finding] = field(default_factory=list)
    """What stands in the way, each about a cluster or a stack."""

    changes: dict[str, int] = field(default_factory=dict)
    """Number of resources by what happened to them, in the engine's words: `create`, `update`, `same`, ..."""

    seconds: float = 0.0
    """How long it took, by the clock."""

    @property
    def exit_code(self) -> int:
        """0 when everything is done, 1 when something is not."""
        return exit_code(self.findings)

    def add(self, result: Result) -> None:
        """Count what one engine did."""
        for what, count in result.changes.items():
            self.changes[what] = self.changes.get(what, 0) + count

    def require_success(self) -> Applied:
        """The same; raises ToolkitError (1) with all findings when something is not done."""
        if self.exit_code == 0:
            return self
        raise ToolkitError(
            "the update did not do everything",
            "\n".join(f"{item.code} {item.subject}: {item.evidence}" for item in in_order(self.findings)),
            "\n".join(dict.fromkeys(item.fix for item in in_order(self.findings))),
            exit_code=1,
        )


@dataclass(frozen=True)
class EnvironmentStacks:
    """An environment's stacks, and the engine that works on them."""

    environment: str
    """Name of the environment's own stack."""

    file: Path
    """The stack file that all of them share."""

    settings: Environment
    engine: Engine
    where: Path
    """The program's directory."""

    def stack(self, name: str) -> Stack:
        """One of the stacks, by its name."""
        return Stack(self.engine, name, self.where, self.file.resolve(), explain=explainer(self._client))

    def _client(self, cluster: str) -> Kubernetes:
        return open_stack(str(self.file), [cluster]).client(cluster)


def open_stacks(given: str) -> EnvironmentStacks:
    """The environment a person means, ready to be worked on. Raises ToolkitError: 2 for a stack file that is
    missing or wrong, 3 without the Pulumi CLI."""
    return environment_stacks(*open_environment(given))


def environment_stacks(name: str, path: Path, settings: Environment) -> EnvironmentStacks:
    """The stacks of an environment whose file is read already. Raises ToolkitError (3) without the Pulumi
    CLI."""
    where = project()
    engine = Engine.of_shell(where / ".madeploy" / "engine")
    return EnvironmentStacks(name, path, settings, engine, where)


def apply_inline(
    stacks: EnvironmentStacks,
    clusters: Sequence[str] | None,
    aside: Mapping[str, Finding],
    tell: Tell = silent,
    note: Tell = silent,
    verb: Literal["up", "preview"] = "up",
    may_drop: bool = True,
) -> Applied:
    """An update in the layout in which the environment's stack holds everything; or its preview."""
    role = StackRole("environment", stacks.environment)
    stack = stacks.stack(role.stack)
    resources = stack.resources()
    held = urns.clusters_in(resources)
    refuse_second_names(stacks, urns.registered_in(resources), clusters)
    everything = list(dict.fromkeys([*stacks.settings.clusters, *held]))
    chosen = everything if clusters is None else list(clusters)
    left = [name for name in everything if name not in chosen or name in aside]
    result = stack.run(
        verb,
        exclude=[urns.component(role, name) for name in left],
        unmade=[name for name in left if name not in held],
        may_drop=may_drop,
        keep_going=verb == "up",
        tell=tell,
        note=note,
    )
    applied = Applied(seconds=result.seconds)
    applied.add(result)
    applied.findings = [aside[name] for name in chosen if name in aside]
    failed = failures(role, result, everything)
    applied.findings += failed.values()
    if role.stack not in failed:
        applied.done = [name for name in chosen if name not in aside and name not in failed]
    return applied


def apply_services(
    stacks: EnvironmentStacks, held: Collection[str], tell: Tell = silent, note: Tell = silent
) -> Applied:
    """An update of the control plane alone, in either layout: rights of every service, and all of the
    services that are not `held`. Those stay as they are, with what waits for them; so do clusters."""
    role = StackRole("environment", stacks.environment)
    stack = stacks.stack(role.stack)
    resources = stack.resources()
    clusters = list(dict.fromkeys([*stacks.settings.clusters, *urns.clusters_in(resources)]))
    left = [urns.component(role, name) for name in clusters]
    left += urns.of_services(resources, held, RIGHTS)
    result = stack.run("up", exclude=left, may_drop=False, keep_going=True, tell=tell, note=note)
    applied = Applied(seconds=result.seconds)
    applied.add(result)
    applied.findings += failures(role, result, []).values()
    return applied


def refuse_second_names(
    stacks: EnvironmentStacks, registered: Mapping[str, str], clusters: Sequence[str] | None
) -> None:
    """Raise UsageError when a cluster that is to be made is one that was registered under a name which
    is no entry any more, before anything is made of it. `registered`: addresses by name, from the state."""
    entries = stacks.settings.clusters
    new = [name for name in entries if name not in registered and (clusters is None or name in clusters)]
    if not new or registered.keys() <= entries.keys():
        return
    access = open_stack(str(stacks.file), new, required=[])
    found = renames.second_names(registered, _addresses(access), entries)
    if found:
        said = [renames.finding(name, former, stacks.environment) for name, former in found.items()]
        raise UsageError(
            said[0].title,
            "\n".join([*(f"{item.subject} {item.evidence}" for item in said), said[0].why]),
            "\n".join(item.fix for item in said),
        )


def _addresses(access: StackAccess) -> dict[str, str]:
    """Addresses in normal form at which clusters would be registered, as far as they can be told."""
    found = {}
    for name, minified in access.kubeconfigs.items():
        entry = access.environment.clusters[name]
        with contextlib.suppress(kubeconfigs.KubeconfigError):
            instead = kubeconfigs.Instead(entry.server, entry.certificate_authority_data)
            endpoint = kubeconfigs.endpoint(minified, name, instead)
            found[name] = renames.address(endpoint.host, endpoint.port)
    return found


def failures(role: StackRole, result: Result, clusters: Sequence[str]) -> dict[str, Finding]:
    """What one engine could not do: a finding for each cluster among `clusters` that it is about, by the
    cluster's name, and one by the stack's name for everything else."""
    if result.code == 0:
        # What an engine complains of after all went well: plugins that hang while it closes them.
        return {}
    said: dict[str, list[Failure]] = {}
    of_work = [failure for failure in result.failures if _PLUGIN_GONE not in failure.message]
    for failure in of_work or result.failures:
        owner = role.cluster or urns.cluster_of(failure.urn, clusters) or role.stack
        said.setdefault(owner, []).append(failure)
    if not said:
        last = processes.last_lines(result.log) if result.log is not None else "no output"
        said[role.stack] = [Failure(last)]
    return {owner: _finding(owner, role, about, result) for owner, about in said.items()}


def _finding(owner: str, role: StackRole, about: Sequence[Failure], result: Result) -> Finding:
    text = _on_one_line("; ".join(dict.fromkeys(_without_traceback(failure.said) for failure in about)))
    if LOCKED in text:
        fix = f"Wait for it to end; if its engine was killed:\nbin/madeploy recover {role.environment}"
        return find("MA488", role.stack, text, fix=fix)
    is_cluster = owner != role.stack or role.cluster is not None
    why = "; ".join(f"{failure.name}: {reason}" for failure in about for reason in failure.reasons)
    evidence = f"{text}{f'. Why: {why}' if why else ''} (the whole output: {result.log})"
    fix = ""
    if text.startswith(processes.CRASH):
        # It left its lock, and may have left a state that it cannot read.
        again = f"bin/madeploy recover {role.environment}"
        fix = f"Put its stack in order, then run the same command again:\n{again}"
    return find("MA484" if is_cluster else "MA486", role.cluster or owner, evidence, fix=fix)


def _without_traceback(message: str) -> str:
    """What a program's exception says, without where in the program it came from: that is in the log."""
    before, mark, after = message.partition("Traceback (most recent call last):")
    return f"{before} {after.strip().splitlines()[-1]}" if mark and after.strip() else message


def _on_one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_EVIDENCE else f"{line[:LONGEST_EVIDENCE]}…"
