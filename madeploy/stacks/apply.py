"""An update of a stack, whole or for some of its clusters, in whichever layout it has."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from madeploy.engine.events import Tell, silent
from madeploy.findings import Finding
from madeploy.fleet import urns
from madeploy.fleet.roles import StackRole
from madeploy.stacks.sharded import Sharded
from madeploy.stacks.updates import Applied, EnvironmentStacks, apply_inline, failures, open_stacks


def apply(
    stack: str | EnvironmentStacks,
    clusters: Sequence[str] | None = None,
    *,
    tell: Tell = silent,
    note: Tell = silent,
    aside: Mapping[str, Finding] | None = None,
    may_drop: bool = True,
    registers: bool = True,
) -> Applied:
    """Bring a stack, or some of its clusters, to what the stack file says, in whichever layout it has.

    With `clusters` everything else is brought up to date as well, except other clusters: they stay as they
    are. In the layout `sharded` the environment's own stack is left alone too, unless it changes with these
    clusters; with an empty list it is all there is to do. A name that is not in the settings is a cluster
    that was taken out, and is removed; with None every such cluster is.

    Args:
        stack: a stack's name or its file; or its stacks, where they are open already.
        clusters: clusters to work on; None for all.
        tell: given one line for every resource that changed.
        note: told where the work stands.
        aside: clusters that cannot be reached, each with the finding that says why: left as they are.
        may_drop: whether there may be something to delete; False saves the look for it.
        registers: whether what the control plane holds of the clusters may be otherwise; False leaves their
            shards alone.

    Raises:
        ToolkitError: nothing could be begun: 2 for a stack file that is missing or wrong, 3 for an engine or
            a backend that cannot be used. What fails later is a finding.
    """
    stacks = open_stacks(stack) if isinstance(stack, str) else stack
    if stacks.settings.fleet.layout == "sharded":
        sharded = Sharded(stacks, tell, note, may_drop=may_drop, registers=registers)
        return sharded.run(clusters, aside or {})
    return apply_inline(stacks, clusters, aside or {}, tell, note, may_drop=may_drop)


def withdraw(
    stacks: EnvironmentStacks,
    secrets: Mapping[str, Collection[str]],
    *,
    tell: Tell = silent,
    note: Tell = silent,
) -> Applied:
    """Delete Secrets on compute clusters, by the clusters' names, and nothing else: no program is run. For
    those that the settings say nothing of any more. Raises ToolkitError for a state that cannot be read."""
    environment = stacks.environment
    settings = stacks.settings
    places: dict[StackRole, dict[str, Collection[str]]]
    if settings.fleet.layout == "inline":
        places = {StackRole("environment", environment): dict(secrets)}
    elif settings.fleet.are_halves_together:
        places = {}
        for name, names in secrets.items():
            role = StackRole("shard", environment, settings.clusters[name].shard)
            places.setdefault(role, {})[name] = names
    else:
        places = {StackRole("compute", environment, cluster=name): {name: secrets[name]} for name in secrets}
    began, applied = time.monotonic(), Applied()

    def work(role: StackRole) -> None:
        stack = stacks.stack(role.stack)
        gone = urns.secrets_in(stack.resources(), places[role])
        if gone:
            result = stack.delete(gone, keep_going=True, tell=tell, note=note)
            applied.add(result)
            applied.findings += failures(role, result, list(places[role])).values()

    with ThreadPoolExecutor(max_workers=stacks.settings.fleet.parallel) as pool:
        list(pool.map(work, places))
    failed = {item.subject for item in applied.findings}
    applied.done = [name for name in secrets if name not in failed]
    applied.seconds = time.monotonic() - began
    return applied
