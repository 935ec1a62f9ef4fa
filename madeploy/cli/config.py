"""`madeploy config`: what environments say, and what they differ in."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer

from madeploy.cli.options import AsJson
from madeploy.cli.output import columns, print_json
from madeploy.cli.validate import INVALID
from madeploy.findings import find
from madeploy.findings.text import report
from madeploy.names.configuration import subject
from madeploy.stackfile.loader import CheckedStack, label, load_environment
from madeploy.stacks.files import known_stacks, stack_path

app = typer.Typer(
    name="config",
    help="What environments say, and what they differ in.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.callback()
def _group() -> None:
    """What environments say, and what they differ in."""


def _load(given: str) -> CheckedStack:
    path = stack_path(given)
    if not path.exists():
        file = label(path)
        fix = f"Name one of the stacks there are: {known_stacks()}."
        missing = find("MA101", file, "there is no such file", fix=fix)
        return CheckedStack(file, None, {}, (missing,))
    return load_environment(path)


def settings(stack: CheckedStack) -> dict[str, Any]:
    """Every setting of a stack by its path, defaults included; of secrets only that they are there."""
    assert stack.environment is not None
    found = dict(_flat(stack.environment.model_dump(mode="json", by_alias=True), ()))
    for key, names in stack.secret_names.items():
        found |= {subject((key, name)): "encrypted" for name in names}
    return found


def _flat(data: Any, path: tuple[str | int, ...]) -> Iterator[tuple[str, Any]]:
    if isinstance(data, Mapping) and data:
        for key, value in data.items():
            yield from _flat(value, (*path, key))
    else:
        yield subject(path), data


def compare(first: CheckedStack, second: CheckedStack) -> list[dict[str, Any]]:
    """What two valid stacks differ in: path and both values, None where there is none."""
    left, right = settings(first), settings(second)
    keys = sorted(set(left) | set(right))
    return [
        {"key": key, "first": left.get(key), "second": right.get(key)}
        for key in keys
        if left.get(key) != right.get(key)
    ]


def _shown(value: Any) -> str:
    if value is None or value == [] or value == {}:
        return "-"
    if isinstance(value, str):
        return value if len(value) <= 120 else f"{value[:57]}…{value[-57:]}"
    return json.dumps(value, ensure_ascii=False)


@app.command("diff")
def diff(
    first: Annotated[str, typer.Argument(metavar="A", help="Name or file of a stack.")],
    second: Annotated[str, typer.Argument(metavar="B", help="Name or file of another.")],
    as_json: AsJson = False,
) -> None:
    """Show what two environments differ in, defaults included; of secrets only whether they are set.

    Ends with 0 whether they differ or not, with 2 when one of them cannot be read.
    """
    stacks = [_load(first), _load(second)]
    for stack in stacks:
        if stack.environment is None:
            print(report(stack.file, stack.findings), file=sys.stderr)  # noqa: T201
    if any(stack.environment is None for stack in stacks):
        raise typer.Exit(INVALID)
    rows = compare(*stacks)
    if as_json:
        print_json(rows)
        return
    if not rows:
        sys.stdout.write(f"{stacks[0].file} and {stacks[1].file} say the same.\n")
        return
    cells = [(row["key"], _shown(row["first"]), _shown(row["second"])) for row in rows]
    sys.stdout.write(columns(("SETTING", stacks[0].file, stacks[1].file), cells))
