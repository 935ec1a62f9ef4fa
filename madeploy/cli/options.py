"""Arguments and options that mean the same for every command."""

from __future__ import annotations

from typing import Annotated

import typer

Stack = Annotated[str, typer.Argument(metavar="STACK", help="Name or file of the stack.")]
OfStack = Annotated[str, typer.Option("--stack", "-s", metavar="STACK", help="Name or file of the stack.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")]
