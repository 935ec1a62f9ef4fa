"""The command's entry point: verbs are imported only when they are called, and every known error ends
as a message for a person."""

from __future__ import annotations

import gc
import sys

import typer

from madeploy import __version__
from madeploy.cli.lazy import Verbs, lazy_group
from madeploy.errors import ToolkitError

VERBS: Verbs = {
    "sandbox": ("madeploy.cli.sandbox", "app"),
    "test": ("madeploy.cli.test", "run"),
    "bench": ("madeploy.cli.bench", "bench"),
    "validate": ("madeploy.cli.validate", "validate"),
    "lint": ("madeploy.cli.lint", "lint"),
    "explain": ("madeploy.cli.explain", "explain"),
    "schema": ("madeploy.cli.schema", "schema"),
    "init": ("madeploy.cli.init", "init"),
    "config": ("madeploy.cli.config", "app"),
    "render": ("madeploy.cli.render", "render"),
    "plan": ("madeploy.cli.plan", "plan"),
    "policy": ("madeploy.cli.policy", "policy"),
    "evidence": ("madeploy.cli.evidence", "evidence"),
    "iam": ("madeploy.cli.iam", "app"),
    "topology": ("madeploy.cli.topology", "topology"),
    "doctor": ("madeploy.cli.doctor", "doctor"),
    "verify": ("madeploy.cli.verify", "verify"),
    "accept": ("madeploy.cli.accept", "accept"),
    "diagnose": ("madeploy.cli.diagnose", "diagnose"),
    "clusters": ("madeploy.cli.clusters", "app"),
    "access": ("madeploy.cli.access", "app"),
    "tenants": ("madeploy.cli.tenants", "app"),
    "fleet": ("madeploy.cli.fleet", "app"),
    "recover": ("madeploy.cli.recover", "recover"),
    "upgrade": ("madeploy.cli.upgrade", "upgrade"),
    "descriptors": ("madeploy.cli.descriptors", "descriptors"),
    "models": ("madeploy.cli.models", "app"),
    "tools": ("madeploy.cli.tools", "tools"),
}
"""Verb, its module, and the function or group there. The order is the help's."""

GARBAGE = 20_000
"""Objects made between two looks for garbage."""

app = typer.Typer(
    cls=lazy_group(VERBS),
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Deploy the Michelangelo machine-learning platform on Kubernetes and AWS.",
)


def _version(shown: bool) -> None:
    if shown:
        typer.echo(f"madeploy {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version."
    ),
) -> None:
    """Deploy the Michelangelo machine-learning platform on Kubernetes and AWS."""


def main() -> None:
    """Run the command. Exit codes: 0 fine, 1 findings, 2 wrong use or configuration, 3 environment
    unreachable, 130 interrupted (UX-2)."""
    # A command keeps nearly all that it makes until it ends: looking for garbage every 700 objects finds
    # none, and takes a tenth of the time that a fleet does.
    gc.set_threshold(GARBAGE)
    try:
        app(prog_name="madeploy")
    except ToolkitError as error:
        print(str(error), file=sys.stderr)  # noqa: T201
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
