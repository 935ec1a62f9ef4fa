"""`michelangelo:fleet`: how many stacks the compute clusters are spread over."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from madeploy.settings.base import Section


class Fleet(Section):
    """Where registrations are kept, and how many are worked on at once."""

    layout: Literal["inline", "sharded"] = "inline"
    """`inline`: every registration is part of the environment's stack, up to about 20 clusters. `sharded`:
    what the control plane holds is kept in stacks of at most `shardSize` clusters, what each compute cluster
    holds in a small stack of its own (docs/fleets.md). Chosen before the first cluster. Default `inline`."""

    shard_size: int = Field(default=50, ge=1, le=50)
    """Clusters in one shard at most. A stack's state is written anew for every resource, so that time and
    memory grow with the square of its size. Default 50."""

    parallel: int = Field(default=4, ge=1, le=8)
    """Stacks of compute clusters worked on at the same time: each needs about 400 MiB while it is. Default
    4."""
