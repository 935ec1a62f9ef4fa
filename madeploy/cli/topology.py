"""`madeploy topology`: a picture of an environment, from its settings alone."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated

import typer

from madeploy.cli.options import Stack
from madeploy.cli.output import write_file
from madeploy.errors import UsageError
from madeploy.stacks.files import open_environment
from madeploy.topology.build import build
from madeploy.topology.model import Topology


def _terminal(topology: Topology) -> str:
    from madeploy.topology.text import to_text

    encoding = (sys.stdout.encoding or "").lower().replace("-", "")
    return to_text(topology, unicode=encoding.startswith("utf"))


def _mermaid(topology: Topology) -> str:
    from madeploy.topology.diagrams import to_mermaid

    return to_mermaid(topology)


def _dot(topology: Topology) -> str:
    from madeploy.topology.diagrams import to_dot

    return to_dot(topology)


def _svg(topology: Topology) -> str:
    from madeploy.topology.svg import to_svg

    return to_svg(topology)


def _html(topology: Topology) -> str:
    from madeploy.topology.page import to_html

    return to_html(topology)


def _json(topology: Topology) -> str:
    return json.dumps(topology.to_data(), indent=2, ensure_ascii=False) + "\n"


FORMATS: Mapping[str, Callable[[Topology], str]] = {
    "terminal": _terminal,
    "mermaid": _mermaid,
    "dot": _dot,
    "html": _html,
    "svg": _svg,
    "json": _json,
}
"""What a picture can be written as."""

_SUFFIXES = {
    ".txt": "terminal",
    ".mmd": "mermaid",
    ".dot": "dot",
    ".gv": "dot",
    ".html": "html",
    ".svg": "svg",
    ".json": "json",
}


def _format(given: str | None, as_json: bool, output: Path | None) -> str:
    """The format asked for: by name, else by the file's suffix, else the terminal's."""
    if given is None:
        by_suffix = _SUFFIXES.get(output.suffix, "terminal") if output else "terminal"
        return "json" if as_json else by_suffix
    if given not in FORMATS or (as_json and given != "json"):
        what = f"there is no format {given}" if given not in FORMATS else f"--json is not --format {given}"
        raise UsageError(what, f"formats are {', '.join(FORMATS)}", "name one of them")
    return given


def topology(
    stack: Stack,
    format_: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help=f"{', '.join(FORMATS)}. Default: by the file's suffix, else terminal.",
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write to a file instead.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
) -> None:
    """Draw an environment: entry points, services, stores, clusters, and who opens connections to whom.

    Made from the settings and the table of flows that NetworkPolicies are made from; needs no network,
    engine or login. Holds no secret. The same settings give the same bytes.
    """
    chosen = _format(format_, as_json, output)
    name, _, environment = open_environment(stack)
    text = FORMATS[chosen](build(environment, name))
    if output is None:
        sys.stdout.write(text)
        return
    write_file(output, text)
    print(f"{output}: {chosen}, {len(text.encode()):,} bytes", file=sys.stderr)  # noqa: T201
