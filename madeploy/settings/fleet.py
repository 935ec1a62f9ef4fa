"""`michelangelo:fleet`: how many stacks the compute clusters are spread over."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field

from madeploy.settings.base import Section

APART: Final = 50
"""Clusters of a shard that holds registrations alone."""

TOGETHER: Final = 8
"""Clusters of a shard that holds both halves: with fewer the engine's own start weighs more, with more the
provider processes take more than 2 GiB."""

MOST_TOGETHER: Final = 20


class Fleet(Section):
    """Where registrations are kept, and how many are worked on at once."""

    layout: Literal["inline", "sharded"] = "inline"
    """`inline`: every registration is part of the environment's stack, up to about 20 clusters. `sharded`:
    what the control plane holds is kept in stacks of at most `shardSize` clusters, what each compute cluster
    holds in a small stack of its own (docs/fleets.md). Chosen before the first cluster. Default `inline`."""

    halves: Literal["apart", "together"] = "apart"
    """In the layout `sharded`, where what compute clusters hold themselves is kept. `apart`: in a stack of
    its own for each cluster. `together`: in the stack of their shard, so that one run of the engine does for
    all of them, with a provider process for each (docs/fleets.md). Chosen before the first cluster. Default
    `apart`."""

    shard_size: int | None = Field(default=None, ge=1, le=50)
    """Clusters in one shard at most. A stack's state is written anew for every resource, so that time and
    memory grow with the square of its size. Default 50; where halves are together, 8, and at most 20."""

    parallel: int = Field(default=4, ge=1, le=8)
    """Stacks of compute clusters worked on at the same time: each needs about 400 MiB while it is. Shards
    whose halves are together need four times that, and are worked on by a quarter of it, at least one.
    Default 4."""

    @property
    def are_halves_together(self) -> bool:
        """Whether the stack of a shard holds what its compute clusters hold themselves."""
        return self.layout == "sharded" and self.halves == "together"

    @property
    def most_in_shard(self) -> int:
        """Clusters in one shard at most."""
        if self.shard_size is not None:
            return self.shard_size
        return TOGETHER if self.are_halves_together else APART
