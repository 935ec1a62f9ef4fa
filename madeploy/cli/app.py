"""The command's entry point: verbs are imported only when they are called, and every known error ends
as a message for a person."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import typer
from typer.core import TyperGroup

from madeploy import __version__
from madeploy.sandbox.errors import SandboxError

VERBS: dict[str, tuple[str, str]] = {
    "sandbox": ("madeploy.cli.sandbox", "app"),
    "test": ("madeploy.cli.test", "run"),
    "validate": ("madeploy.cli.validate", "validate"),
    "explain": ("madeploy.cli.explain", "explain"),
    "schema": ("madeploy.cli.schema", "schema"),
    "init": ("madeploy.cli.init", "init"),
    "config": ("madeploy.cli.config", "app"),
    "tools": ("madeploy.cli.tools", "tools"),
}
"""Verb, its module, and the function or group there. The order is the help's."""


class LazyGroup(TyperGroup):
    """A group that imports a verb's module when the verb is called: checks of a stack file must not pay
    for the imports of the embedded environment."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Verbs in the order of the table."""
        return list(VERBS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The verb's command, imported now; None for an unknown verb."""
        if cmd_name not in VERBS:
            return None
        module, attribute = VERBS[cmd_name]
        target = getattr(importlib.import_module(module), attribute)
        if not isinstance(target, typer.Typer):
            single = typer.Typer(add_completion=False, rich_markup_mode=None)
            single.command(name=cmd_name)(target)
            target = single
        command = typer.main.get_command(target)
        command.name = cmd_name
        return command


app = typer.Typer(
    cls=LazyGroup,
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
    try:
        app(prog_name="madeploy")
    except SandboxError as error:
        print(str(error), file=sys.stderr)  # noqa: T201
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
