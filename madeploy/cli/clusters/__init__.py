"""`madeploy clusters`: registered compute clusters, from the first look to the last."""

from __future__ import annotations

from typing import Final

import typer

from madeploy.cli.lazy import Verbs, lazy_group

VERBS: Final[Verbs] = {
    "add": ("madeploy.cli.clusters.add", "add"),
    "list": ("madeploy.cli.clusters.list_", "list_clusters"),
    "status": ("madeploy.cli.clusters.status", "status"),
    "verify": ("madeploy.cli.clusters.verify", "verify"),
    "rotate": ("madeploy.cli.clusters.rotate", "rotate"),
    "drain": ("madeploy.cli.clusters.drain", "drain"),
    "remove": ("madeploy.cli.clusters.remove", "remove"),
    "adopt": ("madeploy.cli.clusters.adopt", "adopt"),
}
"""Verb, its module and its function there. The order is the help's."""

app = typer.Typer(
    cls=lazy_group(VERBS),
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.callback()
def root() -> None:
    """Register compute clusters, prove them, rotate their credentials, and let them go."""
