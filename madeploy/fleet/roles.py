"""The stacks of one environment: which there are, what each holds, and which of them a stack's name means.

All of them have one program and one stack file. The plain Pulumi CLI works on each by its name:
`<env>`, `<env>-shard-<NN>`, `<env>-compute-<cluster>`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from madeploy.settings.environment import Environment

Kind = Literal["environment", "shard", "compute"]

_SHARD = re.compile(r"(?P<environment>.+)-shard-(?P<number>\d{2}|[1-9]\d{2})")
_COMPUTE = "-compute-"


class UnknownRoleError(ValueError):
    """A stack's name that could only be a part of the environment, and is none."""


@dataclass(frozen=True)
class StackRole:
    """Role of one stack in an environment."""

    kind: Kind
    """`environment`: the platform, with all clusters in the layout `inline` and none in `sharded`; `shard`:
    what the control plane holds of some clusters, and where halves are together what these hold themselves;
    `compute`: what one cluster holds itself."""

    environment: str
    """Name of the environment's own stack."""

    shard: int | None = None
    """The shard's number."""

    cluster: str | None = None
    """The compute cluster's name."""

    @property
    def stack(self) -> str:
        """The stack's name."""
        if self.shard is not None:
            return shard_stack(self.environment, self.shard)
        return compute_stack(self.environment, self.cluster) if self.cluster else self.environment


def shard_stack(environment: str, number: int) -> str:
    """Name of a shard's stack."""
    return f"{environment}-shard-{number:02d}"


def compute_stack(environment: str, cluster: str) -> str:
    """Name of the stack of what a compute cluster holds itself."""
    return f"{environment}{_COMPUTE}{cluster}"


def role_of(stack: str, settings: Environment) -> StackRole:
    """What the stack of this name holds.

    Raises UnknownRoleError for a name of a role that the settings do not have: taken for an environment, it
    would be a second control plane.
    """
    if settings.fleet.layout == "inline":
        return StackRole("environment", stack)
    shard = _SHARD.fullmatch(stack)
    if shard is not None:
        return StackRole("shard", shard["environment"], shard=int(shard["number"]))
    endings = [name for name in settings.clusters if stack.endswith(f"{_COMPUTE}{name}")]
    if endings:
        cluster = max(endings, key=len)
        return StackRole("compute", stack.removesuffix(f"{_COMPUTE}{cluster}"), cluster=cluster)
    if _COMPUTE in stack:
        raise UnknownRoleError(
            f"stack {stack} is called like a compute cluster's, and the settings have no such cluster. "
            f"If the cluster was removed, take the stack away: `pulumi destroy --stack {stack}`."
        )
    return StackRole("environment", stack)


def shards(settings: Environment) -> dict[int, list[str]]:
    """Clusters of each shard, by its number. Empty in the layout `inline`."""
    found: dict[int, list[str]] = {}
    if settings.fleet.layout == "sharded":
        for name, cluster in settings.clusters.items():
            if cluster.shard is not None:
                found.setdefault(cluster.shard, []).append(name)
    return dict(sorted(found.items()))


def roles(settings: Environment, environment: str) -> list[StackRole]:
    """Every stack of an environment, those that others read from first: its own, what compute clusters hold
    themselves, shards."""
    members = shards(settings)
    own = [] if settings.fleet.are_halves_together else [name for names in members.values() for name in names]
    return [
        StackRole("environment", environment),
        *(StackRole("compute", environment, cluster=name) for name in own),
        *(StackRole("shard", environment, shard=number) for number in members),
    ]


def free_shard(settings: Environment) -> int | None:
    """The first shard with room for one more cluster, which is where a new one goes; None in the layout
    `inline`, which has no shards."""
    if settings.fleet.layout == "inline":
        return None
    members = shards(settings)
    number = 0
    while len(members.get(number, ())) >= settings.fleet.most_in_shard:
        number += 1
    return number
