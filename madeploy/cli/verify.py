"""`madeploy verify`: whether a deployed stack is what it says, and works."""

from __future__ import annotations

from typing import Annotated

import typer

from madeploy.cli import reports
from madeploy.cli.options import AsJson, Stack
from madeploy.doctor.after import checks_after
from madeploy.doctor.checks import SECONDS, run
from madeploy.doctor.connectivity import checks_by_pods
from madeploy.doctor.probe_pods import SECONDS as POD_SECONDS
from madeploy.doctor.probe_pods import Pods
from madeploy.doctor.signals import heard
from madeploy.doctor.site import site_of
from madeploy.errors import UsageError
from madeploy.findings.outcomes import Report
from madeploy.names.kubernetes import RAY_NAMESPACE
from madeploy.progress import phase, say
from madeploy.settings.base import split_host_port
from madeploy.stacks.access import connector
from madeploy.stacks.files import open_environment
from madeploy.stacks.secrets import static_keys


def verify(
    stack: Stack,
    at: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT", help="Where the front door is, in place of what DNS says."),
    ] = None,
    pods: Annotated[
        bool,
        typer.Option(
            "--pods",
            help="Also ask from short-lived pods on every cluster (row 9 of the network guide's checklist), "
            "which are taken away again.",
        ),
    ] = False,
    as_json: AsJson = False,
    output: reports.Output = None,
    strict: reports.Strict = False,
) -> None:
    """Prove that STACK is deployed as declared and works: objects, roll-outs, the network guide's checklist,
    certificates, calls through both doors, the model registry, buckets, and every registered cluster.

    Changes nothing, pods of --pods aside. Checks are made side by side, each within 15 seconds; what could
    not be checked says so and does not count as passed. Ends with 0 when nothing is wrong, 1 when something
    is, 2 for a stack file that cannot be used.
    """
    reports.require_forms(output or [])
    report = report_after(stack, front_door_address(at), pods)
    reports.show(report, as_json, output or [])
    raise typer.Exit(report.exit_code(strict=strict))


def report_after(stack: str, at: tuple[str, int] | None = None, by_pods: bool = False) -> Report:
    """Make every check of a deployed stack, with progress. Raises UsageError for a stack file that
    cannot be used."""
    name, path, environment = open_environment(stack)
    site = site_of(name, environment, connector(name, path, environment), at)
    checks = list(checks_after(site, lambda: static_keys(name), by_pods))
    if by_pods:
        where = f"{site.namespace} and in {RAY_NAMESPACE} of {len(environment.clusters)} compute clusters"
        say(f"running a pod in {where}; they are taken away again")
    more = POD_SECONDS if by_pods else 0.0
    with heard(), Pods() as pods, phase("verifying") as verifying:
        checks += checks_by_pods(site, pods) if by_pods else ()
        return run(
            "verify",
            name,
            checks,
            seconds=SECONDS + more,
            note=lambda done: verifying.note(f"{done} of {len(checks)} checks done"),
        )


def front_door_address(at: str | None) -> tuple[str, int] | None:
    """Host and port of `--at`. Raises UsageError."""
    try:
        return None if at is None else split_host_port(at)
    except ValueError as error:
        what = f"--at {at} is no address"
        raise UsageError(what, str(error), "give it as host:port") from None
