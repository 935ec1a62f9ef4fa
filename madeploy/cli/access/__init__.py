"""`madeploy access`: who may come in."""

from __future__ import annotations

from typing import Final

import typer

from madeploy.cli.lazy import Verbs, lazy_group

VERBS: Final[Verbs] = {
    "discover": ("madeploy.cli.access.discover", "discover"),
}
"""Verb, its module and its function there."""

app = typer.Typer(cls=lazy_group(VERBS), no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def root() -> None:
    """Find out how people and programs sign in."""
