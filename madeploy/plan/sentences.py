"""Consequences of a comparison for the platform and its users, as sentences that name cause and effect."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from madeploy.plan.access import about_access
from madeploy.plan.buckets import about_buckets, about_keys
from madeploy.plan.changes import Comparison
from madeploy.plan.clusters import about_clusters
from madeploy.plan.front_door import about_certificates, about_hosts, about_origins
from madeploy.plan.isolation import about_isolation, about_namespaces, moved
from madeploy.plan.releases import about_pipelines, about_release
from madeploy.plan.restarts import about_restarts, about_sizes, about_workflows
from madeploy.plan.storage import about_retention, about_rights
from madeploy.plan.tenants import about_tenants
from madeploy.plan.text import LEVELS, Sentence, count, listed

Rule = Callable[[Comparison], Iterator[Sentence]]

RULES: Final[tuple[Rule, ...]] = (
    about_release,
    about_pipelines,
    about_namespaces,
    about_buckets,
    about_keys,
    about_retention,
    about_hosts,
    about_certificates,
    about_origins,
    about_access,
    about_tenants,
    about_clusters,
    about_workflows,
    about_restarts,
    about_sizes,
    about_isolation,
    about_rights,
)
"""Every kind of consequence there is; each names the objects it explains."""


_OF_A_MOVE: Final[tuple[Rule, ...]] = (about_namespaces, about_buckets, about_keys, about_clusters)
"""What is still worth saying when the whole control plane is made anew elsewhere."""


def sentences(comparison: Comparison) -> list[Sentence]:
    """What a change means, what hurts most first. What no rule explains is counted, never left out."""
    if not comparison.changes:
        return [Sentence("quiet", "Nothing changes.")]
    rules = _OF_A_MOVE if moved(comparison) else RULES
    found = [sentence for rule in rules for sentence in rule(comparison)]
    found.sort(key=lambda sentence: LEVELS.index(sentence.level))
    if comparison.first:
        clusters = {change.identity.cluster for change in comparison.changes}
        text = (
            f"Everything is made for the first time: {count(len(comparison.changes), 'object')} in "
            f"{count(len(clusters), 'place')}."
        )
        return [Sentence("notice", text), *found]
    explained = {identity for sentence in found for identity in sentence.about}
    rest = [change.identity for change in comparison.changes if change.identity not in explained]
    if rest:
        verb = "changes" if len(rest) == 1 else "change"
        text = f"{'Also' if found else 'Only'} {listed(rest)} {verb}; nothing restarts for that."
        found.append(Sentence("quiet", text, tuple(rest)))
    return found
