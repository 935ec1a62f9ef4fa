"""Plan of a sharded fleet's update: its stacks, and what is left out of each."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from madeploy.fleet.roles import compute_stack, shard_stack, shards
from madeploy.settings.environment import Environment


@dataclass(frozen=True)
class Plan:
    """One update of a sharded fleet."""

    compute: list[str]
    """Clusters whose own stacks are brought up to date, in the order of the stack file."""

    shards: dict[int, list[str]]
    """By number of the shard: the clusters in it that the update is for, removed ones included."""

    removed: list[str]
    """Clusters that are no longer in the settings; their own stacks go when their shard has let them go."""

    held: dict[int, list[str]] = field(default_factory=dict)
    """By number of the shard: every cluster in it, by its settings or by its state."""

    states: Mapping[int, Sequence[str]] = field(default_factory=dict)
    """By number of the shard: clusters in its state."""

    def left_out(self, shard: int, ready: Collection[str]) -> list[str]:
        """Clusters of a shard that its update leaves as they are: all but those it is for and that are
        `ready`."""
        wanted = [name for name in self.shards[shard] if name in ready or name in self.removed]
        return [name for name in self.held[shard] if name not in wanted]


def plan(
    settings: Environment,
    environment: str,
    stacks: Collection[str],
    states: Mapping[int, Sequence[str]],
    chosen: Iterable[str] | None,
    aside: Collection[str],
) -> Plan:
    """What an update does.

    Args:
        settings: what the stack file says.
        environment: name of the environment's own stack.
        stacks: names of all stacks there are.
        states: clusters in the state of each shard, by its number.
        chosen: clusters the update is for; None for all.
        aside: clusters that cannot be reached.
    """
    members = shards(settings)
    held = {
        number: list(dict.fromkeys([*members.get(number, ()), *states.get(number, ())]))
        for number in sorted({*members, *states})
    }
    prefix = compute_stack(environment, "")
    own = [stack.removeprefix(prefix) for stack in sorted(stacks) if stack.startswith(prefix)]
    gone = dict.fromkeys(
        name
        for name in [*(name for names in held.values() for name in names), *own]
        if name not in settings.clusters
    )
    wanted = [*settings.clusters, *gone] if chosen is None else list(dict.fromkeys(chosen))
    affected = {number: [name for name in names if name in wanted] for number, names in held.items()}
    return Plan(
        compute=[name for name in settings.clusters if name in wanted and name not in aside],
        shards={number: names for number, names in affected.items() if names or chosen is None},
        removed=[name for name in gone if name in wanted],
        held=held,
        states=states,
    )


def shard_numbers(environment: str, stacks: Iterable[str]) -> list[int]:
    """Numbers of the shards that have a stack."""
    prefix = shard_stack(environment, 0).removesuffix("00")
    endings = (stack.removeprefix(prefix) for stack in stacks if stack.startswith(prefix))
    return sorted(int(ending) for ending in endings if ending.isdigit())
