"""`madeploy tenants`: teams that share the platform."""

from __future__ import annotations

from typing import Final

import typer

from madeploy.cli.lazy import Verbs, lazy_group

VERBS: Final[Verbs] = {
    "list": ("madeploy.cli.tenants.list_", "list_tenants"),
    "add": ("madeploy.cli.tenants.add", "add"),
    "status": ("madeploy.cli.tenants.status", "status"),
    "remove": ("madeploy.cli.tenants.remove", "remove"),
}
"""Verb, its module and its function there. The order is the help's."""

app = typer.Typer(cls=lazy_group(VERBS), no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def root() -> None:
    """Give teams projects, namespaces, rights and limits, and take them away again."""
