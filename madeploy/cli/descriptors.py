"""`madeploy descriptors`: write the descriptor set by which Envoy translates the application's JSON."""

from __future__ import annotations

import copy
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from madeploy.cli.options import Stack
from madeploy.descriptors.checks import SETTING, keep, require_usable, require_version
from madeploy.errors import UsageError
from madeploy.progress import phase
from madeploy.settings.environment import Environment
from madeploy.stackfile import reader
from madeploy.stackfile.loader import InvalidStack, environment_from_config, label
from madeploy.stacks.files import edited, open_environment, stack_path, write


def descriptors(
    stack: Stack,
    from_chart: Annotated[
        Path | None,
        typer.Option(
            "--from-chart", metavar="FILE.tgz", help="The platform's chart of the deployed version."
        ),
    ] = None,
    from_api: Annotated[
        str | None, typer.Option("--from-api", metavar="ADDRESS", help="host:port of the running API server.")
    ] = None,
    plaintext: Annotated[
        bool, typer.Option("--plaintext", help="Ask without TLS, as for a forwarded port.")
    ] = False,
    authorities: Annotated[
        Path | None, typer.Option("--ca", metavar="FILE", help="PEM file of the authorities to trust.")
    ] = None,
    server_name: Annotated[
        str | None,
        typer.Option("--server-name", metavar="HOST", help="The API's host, where ADDRESS is a tunnel's."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Write it although it is of another release.")
    ] = False,
) -> None:
    """Write the descriptor set beside the stack file, and name it there.

    It must be of exactly the deployed version: fields it does not know vanish from the application without
    an error. A set of another release is refused.
    """
    if (from_chart is None) == (from_api is None):
        raise UsageError("no one source is named", "", "Give --from-chart FILE.tgz or --from-api ADDRESS.")
    path, environment = _opened(stack)
    if not environment.release.envoy.transcoded:
        raise UsageError(
            f"release {environment.release.name} needs no descriptor set",
            "its browser application speaks gRPC-Web",
            "`bin/madeploy upgrade STACK --to 0.12` leads to a release that needs one.",
        )
    version = environment.images.tag or environment.release.newest or environment.release.name
    if from_chart is not None:
        from madeploy.descriptors.chart import from_chart as in_chart

        content, version = in_chart(from_chart)
        require_version(version, environment.images.tag, environment.release, force=force)
    else:
        from madeploy.descriptors.reflection import from_api as asked
        from madeploy.descriptors.sets import PACKAGE

        services = [f"{PACKAGE}.{kind}Service" for kind in environment.release.envoy.transcoded]
        with phase(f"asking {from_api}"):
            content = asked(
                str(from_api),
                services,
                plaintext=plaintext,
                authorities=authorities,
                server_name=server_name,
            )
    found = require_usable(content, environment.release, force=force)
    file = keep(path.parent, version, content)
    write(path, *edited(path, [(SETTING, file)]))
    sys.stdout.write(
        f"{path.parent / file}: {len(content):,} bytes, {len(found.services)} services; "
        f"{path.name} names it in controlPlane.envoy.descriptors\n"
    )


def _opened(stack: str) -> tuple[Path, Environment]:
    """The stack's file and environment, whatever is wrong with the set it names now."""
    path = stack_path(stack)
    if path.exists():
        read = reader.read(path, label(path))
        sections = copy.deepcopy(read.sections)
        section: Any = sections
        for step in SETTING[:-1]:
            section = section.get(step) if isinstance(section, dict) else None
        if isinstance(section, dict) and section.pop(SETTING[-1], None) is not None:
            try:
                return path, environment_from_config(sections, read.secret_names, None)
            except InvalidStack:
                pass  # What is wrong besides is said with its place below.
    return open_environment(stack)[1:]
