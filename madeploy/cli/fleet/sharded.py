"""An update of a fleet whose registrations are spread over shards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from madeploy.cli.apply import Applied, Workplace
from madeploy.engine.events import Tell
from madeploy.findings import Finding


def apply_sharded(
    workplace: Workplace,
    clusters: Sequence[str] | None,
    aside: Mapping[str, Finding],
    tell: Tell,
    note: Tell,
) -> Applied:
    """`madeploy.cli.apply.apply` for the layout `sharded`."""
    raise NotImplementedError
