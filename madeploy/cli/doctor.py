"""`madeploy doctor`: whether a stack can be deployed, asked of everything it needs."""

from __future__ import annotations

import typer

from madeploy.cli import reports
from madeploy.cli.options import AsJson, Stack
from madeploy.doctor.before import checks_before
from madeploy.doctor.checks import run
from madeploy.doctor.site import site_of
from madeploy.findings.outcomes import Report
from madeploy.progress import phase
from madeploy.stacks.access import connector
from madeploy.stacks.files import open_environment
from madeploy.stacks.secrets import static_keys


def doctor(
    stack: Stack,
    as_json: AsJson = False,
    output: reports.Output = None,
    strict: reports.Strict = False,
) -> None:
    """Say what stands in the way of deploying STACK: its settings, Pulumi, every cluster with the rights this
    plan needs, definitions and controllers, domains, images, object store, AWS and the workflow engine.

    Changes nothing. Checks are made side by side, each within 15 seconds; what could not be checked says so
    and does not count as passed. Ends with 0 when nothing stands in the way, 1 when something does, 2 for a
    stack file that cannot be used.
    """
    reports.require_forms(output or [])
    report = report_before(stack)
    reports.show(report, as_json, output or [])
    raise typer.Exit(report.exit_code(strict=strict))


def report_before(stack: str) -> Report:
    """Make every check of what a stack needs, with progress. Raises UsageError for a stack file that
    cannot be used."""
    name, path, environment = open_environment(stack)
    site = site_of(name, environment, connector(name, path, environment))
    checks = list(checks_before(site, path, lambda: static_keys(name)))
    with phase(f"making {len(checks)} checks") as checking:
        return run("doctor", name, checks, note=lambda done: checking.note(f"{done} of {len(checks)} done"))
