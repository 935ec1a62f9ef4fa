"""Groups of commands that are imported only when one of them is called."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

Verbs = Mapping[str, tuple[str, str]]
"""Verb, its module, and the function or group there. The order is the help's."""


def lazy_group(verbs: Verbs) -> type[TyperGroup]:
    """A group that imports a verb's module when the verb is called: checks of a stack file must not pay
    for the imports of the embedded environment. Listing the verbs imports none of them."""

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

        def format_commands(self, ctx: Any, formatter: Any) -> None:
            """Write each verb with the beginning of its help, as the base class does from commands."""
            limit = formatter.width - 6 - max(map(len, verbs))
            helps = {verb: TyperCommand(verb, help=help_of(*where)) for verb, where in verbs.items()}
            with formatter.section("Commands"):
                formatter.write_dl([(verb, text.get_short_help_str(limit)) for verb, text in helps.items()])

    return LazyGroup


def help_of(module: str, attribute: str) -> str:
    """The help of a verb as its module's source says it: the docstring of its function, or of its group's
    callback.

    Raises:
        LookupError: the source does not say it in this way.
    """
    spec = find_spec(module)
    source = Path(spec.origin).read_text(encoding="utf-8") if spec and spec.origin else ""
    functions = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    for function in functions:
        callback = any("app.callback" in ast.unparse(decorator) for decorator in function.decorator_list)
        if function.name == attribute or (attribute == "app" and callback):
            return ast.get_docstring(function) or ""
    raise LookupError(f"{module}.{attribute}")
