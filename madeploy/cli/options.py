"""Arguments and options that mean the same for every command."""

from __future__ import annotations

from typing import Annotated

import typer

Stack = Annotated[str, typer.Argument(metavar="STACK", help="Name or file of the stack.")]
OfStack = Annotated[str, typer.Option("--stack", "-s", metavar="STACK", help="Name or file of the stack.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Sarif = Annotated[
    str | None,
    typer.Option("--sarif", metavar="FILE", help="Write SARIF 2.1.0 to a file, or to - for output."),
]
Strict = Annotated[bool, typer.Option("--strict", help="End with 1 when there are warnings.")]
Viewers = Annotated[
    list[str] | None,
    typer.Option("--viewers", metavar="GROUP", help="Group that may look; several times for more."),
]
Editors = Annotated[
    list[str] | None,
    typer.Option("--editors", metavar="GROUP", help="Group that may change; several times for more."),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")]
