"""`madeploy iam`: who needs which rights on AWS."""

from __future__ import annotations

from typing import Final

import typer

from madeploy.cli.lazy import Verbs, lazy_group

VERBS: Final[Verbs] = {"deployer": ("madeploy.cli.iam.deployer", "deployer")}
"""Verb, its module and its function there. The order is the help's."""

app = typer.Typer(cls=lazy_group(VERBS), no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def root() -> None:
    """Say which rights on AWS a stack needs; docs/iam.md has those of its pods."""
