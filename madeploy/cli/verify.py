"""`madeploy verify`: whether a deployed stack is what it says, and works."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from madeploy.cli import reports
from madeploy.doctor.after import checks_after
from madeploy.doctor.checks import run
from madeploy.doctor.site import site_of
from madeploy.errors import ToolkitError
from madeploy.sandbox.progress import phase
from madeploy.settings.base import split_host_port
from madeploy.stacks.access import connector
from madeploy.stacks.files import open_environment
from madeploy.stacks.secrets import static_keys


def verify(
    stack: Annotated[str, typer.Argument(metavar="STACK", help="Name or file of a stack.")],
    at: Annotated[
        Optional[str],  # noqa: UP045 - typer reads this at run time, on Python 3.10 too
        typer.Option(metavar="HOST:PORT", help="Where the front door is, in place of what DNS says."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print every check as JSON.")] = False,
    output: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--output", "-o", metavar="FILE", help=reports.OUTPUT_HELP),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="End with 1 on warnings and on what could not be checked, too.")
    ] = False,
) -> None:
    """Prove that STACK is deployed as declared and works: objects, roll-outs, the network guide's checklist,
    certificates, calls through both doors, the model registry, buckets, and every registered cluster.

    Changes nothing. Checks are made side by side, each within 15 seconds; what could not be checked says so
    and does not count as passed. Ends with 0 when nothing is wrong, 1 when something is, 2 for a stack file
    that cannot be used.
    """
    reports.require_forms(output or [])
    name, _, environment = open_environment(stack)
    site = site_of(name, environment, connector(name, environment), _address(at))
    checks = list(checks_after(site, lambda: static_keys(name)))
    with phase(f"making {len(checks)} checks") as checking:
        report = run("verify", name, checks, note=lambda done: checking.note(f"{done} of {len(checks)} done"))
    reports.show(report, as_json, output or [])
    raise typer.Exit(report.exit_code(strict=strict))


def _address(at: str | None) -> tuple[str, int] | None:
    try:
        return None if at is None else split_host_port(at)
    except ValueError as error:
        what = f"--at {at} is no address"
        raise ToolkitError(what, str(error), "give it as host:port", exit_code=2) from None
