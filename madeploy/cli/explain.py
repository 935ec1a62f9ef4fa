"""`madeploy explain`: what a key means, what it accepts, its default, and where it ends up."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from madeploy.cli.options import AsJson
from madeploy.cli.output import print_json
from madeploy.documents.words import near
from madeploy.reference.keys import describe, describe_secret, every, find_key, steps_of, where
from madeploy.settings import shape
from madeploy.settings.environment import PROJECT, SECRET_KEYS, Environment

UNKNOWN_KEY = 2
"""Exit code for a key that does not exist (UX-2)."""


def _print(data: Mapping[str, Any]) -> None:
    lines = [
        data["key"],
        "",
        data["description"],
        "",
        f"accepted: {data['accepted']}",
        f"default:  {data['default']}",
    ]
    if data["keys"]:
        lines.append(f"keys:     {', '.join(data['keys'])}")
    for variant in data["variants"]:
        lines.append(f"where:    {where(variant)}")
    lines += ["", "ends up in:"]
    last = ""
    for row in data["endsUpIn"]:
        head = f"  {row['cluster']}: {row['object']}"
        when = f"  (when {row['when']})" if row["when"] else ""
        lines += [head] * (head != last) + [f"      {row['field']}{when}"]
        last = head
    if not data["endsUpIn"]:
        lines.append(
            "  no field of a Kubernetes object: the program itself reads it (providers, AWS resources, rules)"
        )
    sys.stdout.write("\n".join(lines) + "\n")


def explain(
    key: Annotated[
        str, typer.Argument(metavar="KEY", help="A key, such as domains.api or clusters.NAME.server.")
    ],
    as_json: AsJson = False,
) -> None:
    """Say what a key means, what it accepts, its default, and which objects and fields follow it.

    Where it ends up is found out by changing it in an example environment and comparing what is rendered.
    """
    steps = steps_of(key)
    if steps and steps[0] in SECRET_KEYS:
        data = describe_secret(key)
    else:
        matches = find_key(key)
        if not matches:
            known = sorted({match.dotted for match in every()})
            guess = near(key.removeprefix(f"{PROJECT}:"), known)
            hint = f' Did you mean "{guess}"?' if guess else ""
            sections = ", ".join((*shape.fields(Environment), *SECRET_KEYS))
            print(f"There is no key {key!r}.{hint} Sections are: {sections}.", file=sys.stderr)  # noqa: T201
            raise typer.Exit(UNKNOWN_KEY)
        data = describe(matches)
    if as_json:
        print_json(data)
    else:
        _print(data)
