"""`madeploy models`: what is registered, where its artifacts are, and what is old enough to go."""

from __future__ import annotations

from typing import Final

import typer

from madeploy.cli.lazy import Verbs, lazy_group

VERBS: Final[Verbs] = {
    "list": ("madeploy.cli.models.list_", "list_models"),
    "show": ("madeploy.cli.models.show", "show"),
    "artifacts": ("madeploy.cli.models.artifacts", "artifacts"),
    "retention": ("madeploy.cli.models.retention", "retention"),
}
"""Verb, its module and its function there. The order is the help's."""

app = typer.Typer(cls=lazy_group(VERBS), no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def root() -> None:
    """Read the model registry of a stack, and remove what is older than its window."""
