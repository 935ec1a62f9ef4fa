"""An update of a stack, whole or for some of its clusters, in whichever layout it has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from madeploy.engine.events import Tell, silent
from madeploy.findings import Finding
from madeploy.stacks.sharded import apply_sharded
from madeploy.stacks.updates import Applied, EnvironmentStacks, apply_inline, open_stacks


def apply(
    stack: str | EnvironmentStacks,
    clusters: Sequence[str] | None = None,
    *,
    tell: Tell = silent,
    note: Tell = silent,
    aside: Mapping[str, Finding] | None = None,
    may_drop: bool = True,
) -> Applied:
    """Bring a stack, or some of its clusters, to what the stack file says, in whichever layout it has.

    With `clusters` everything else is brought up to date as well, except other clusters: they stay as they
    are. A name that is not in the settings is a cluster that was taken out, and is removed; with None every
    such cluster is.

    Args:
        stack: a stack's name or its file; or its stacks, where they are open already.
        clusters: clusters to work on; None for all.
        tell: given one line for every resource that changed.
        note: told where the work stands.
        aside: clusters that cannot be reached, each with the finding that says why: left as they are.
        may_drop: whether there may be something to delete; False saves the look for it.

    Raises:
        ToolkitError: nothing could be begun: 2 for a stack file that is missing or wrong, 3 for an engine or
            a backend that cannot be used. What fails later is a finding.
    """
    stacks = open_stacks(stack) if isinstance(stack, str) else stack
    if stacks.settings.fleet.layout == "sharded":
        return apply_sharded(stacks, clusters, aside or {}, tell, note)
    return apply_inline(stacks, clusters, aside or {}, tell, note, may_drop=may_drop)
