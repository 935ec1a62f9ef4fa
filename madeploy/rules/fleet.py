"""Rules about the layout of a fleet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from madeploy.findings.codes.code import Code
from madeploy.rules.model import SecretNames, Violation, rule
from madeploy.settings.environment import Environment
from madeploy.settings.fleet import MOST_TOGETHER

COMFORTABLE: Final = 20
"""Clusters in one stack, each with a provider process of its own (167 MiB and more)."""


@rule(
    {
        "MA480": Code(
            "Cluster without a shard",
            "In the sharded layout a cluster's shard is recorded with it: a shard that was worked out "
            "from the other names would change when they do, and with it every registration would be made "
            "anew.",
            "Set the shard that the finding names; a shard that has room keeps the number of stacks small.",
        ),
        "MA481": Code(
            "Shard with too many clusters",
            "A stack's state is written anew for every resource, so that an update's time and memory grow "
            "with the square of the shard's size.",
            "Give the cluster that was added last another shard; those that are registered keep theirs.",
        ),
    },
    reads=("clusters", "fleet"),
)
def every_cluster_has_a_place_in_a_shard(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """REG-12: recorded with the cluster, so that it never changes when others come or go."""
    members = Counter(cluster.shard for cluster in env.clusters.values() if cluster.shard is not None)
    if env.fleet.layout != "sharded":
        return
    if env.fleet.are_halves_together and env.fleet.most_in_shard > MOST_TOGETHER:
        evidence = f"is {env.fleet.most_in_shard}; with halves together it is {MOST_TOGETHER} at most"
        yield Violation("MA481", ("fleet", "shardSize"), evidence)
    free = 0
    for name, cluster in env.clusters.items():
        path = ("clusters", name, "shard")
        if cluster.shard is None:
            while members[free] >= env.fleet.most_in_shard:
                free += 1
            members[free] += 1
            yield Violation("MA480", path, "is not set", fix=f"Set it: `shard: {free}` has room.")
    for shard, count in sorted(members.items()):
        if count > env.fleet.most_in_shard:
            last = [name for name, cluster in env.clusters.items() if cluster.shard == shard][-1]
            evidence = f"shard {shard} has {count} clusters; fleet.shardSize is {env.fleet.most_in_shard}"
            yield Violation("MA481", ("clusters", last, "shard"), evidence)


@rule(
    {
        "MA482": Code(
            "Large fleet in one stack",
            "Every update of the stack starts a provider process for each cluster, 167 MiB and more each.",
            "Start new environments of this size with fleet.layout sharded (docs/fleets.md).",
            "warning",
        ),
    },
    reads=("clusters", "fleet"),
)
def large_fleets_are_sharded(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """REG-12: an update of one stack needs a provider process for every cluster in it."""
    count = len(env.clusters)
    if env.fleet.layout == "inline" and count > COMFORTABLE:
        yield Violation("MA482", ("fleet", "layout"), f"{count} clusters in one stack")
