"""Teams that come, and teams that leave the settings."""

from __future__ import annotations

from collections.abc import Iterator

from madeploy.plan.changes import Comparison, of_a_tenant
from madeploy.plan.text import Sentence, listed


def about_tenants(comparison: Comparison) -> Iterator[Sentence]:
    """Tenants that get everything of theirs, and those that keep it although they leave."""
    left = [change for change in comparison.changes if change.kept and of_a_tenant(change.before)]
    gone = sorted({change.identity.name for change in left if change.identity.kind == "Namespace"})
    if gone:
        text = (
            f"Tenants leave the settings ({listed(gone)}): what they have stays on the cluster as it is "
            "until `bin/madeploy tenants remove` deletes it."
        )
        yield Sentence("notice", text, tuple(change.identity for change in left))
    new = [
        change for change in comparison.changes if change.operation == "create" and of_a_tenant(change.after)
    ]
    come = sorted({change.identity.name for change in new if change.identity.kind == "Namespace"})
    if come and not comparison.first:
        text = f"Tenants come with projects, rights and limits of their own: {listed(come)}."
        yield Sentence("notice", text, tuple(change.identity for change in new))
