"""`madeploy fleet`: all clusters of an environment, in whichever layout they are kept."""

from __future__ import annotations

from typing import Final

import typer

from madeploy.cli.lazy import Verbs, lazy_group

VERBS: Final[Verbs] = {
    "up": ("madeploy.cli.fleet.up", "up"),
    "preview": ("madeploy.cli.fleet.up", "preview"),
    "status": ("madeploy.cli.fleet.status", "status"),
}
"""Verb, its module and its function there. The order is the help's."""

app = typer.Typer(
    cls=lazy_group(VERBS),
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Update every cluster of an environment: those that cannot be reached are set aside by name.",
)


@app.callback()
def fleet() -> None:
    """Update every cluster of an environment: those that cannot be reached are set aside by name."""
