"""Groups of commands that are imported only when one of them is called."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import typer
from typer.core import TyperGroup

Verbs = Mapping[str, tuple[str, str]]
"""Verb, its module, and the function or group there. The order is the help's."""


def lazy_group(verbs: Verbs) -> type[TyperGroup]:
    """A group that imports a verb's module when the verb is called: checks of a stack file must not pay
    for the imports of the embedded environment."""

    class LazyGroup(TyperGroup):
        def list_commands(self, ctx: Any) -> list[str]:
            """Verbs in the order of the table."""
            return list(verbs)

        def get_command(self, ctx: Any, cmd_name: str) -> Any:
            """The verb's command, imported now; None for an unknown verb."""
            if cmd_name not in verbs:
                return None
            module, attribute = verbs[cmd_name]
            target = getattr(importlib.import_module(module), attribute)
            if not isinstance(target, typer.Typer):
                single = typer.Typer(add_completion=False, rich_markup_mode=None)
                single.command(name=cmd_name)(target)
                target = single
            command = typer.main.get_command(target)
            command.name = cmd_name
            return command

    return LazyGroup
