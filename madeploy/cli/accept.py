"""`madeploy accept`: an environment from nothing to a signed-off report."""

from __future__ import annotations

import getpass
import time
from typing import Annotated

import typer

from madeploy.cli import reports
from madeploy.cli.doctor import report_before
from madeploy.cli.options import AsJson, Stack
from madeploy.cli.verify import front_door_address, report_after
from madeploy.doctor.acceptance import CLEAN_SECONDS, IMAGE, JOB_SECONDS, Jobs, joined, not_made, signed_facts
from madeploy.doctor.checks import masked, run
from madeploy.doctor.signals import heard
from madeploy.doctor.site import Site, site_of
from madeploy.findings.outcomes import Outcome, Report, outcome_of
from madeploy.progress import phase, say
from madeploy.stacks.access import connector
from madeploy.stacks.apply import apply
from madeploy.stacks.files import open_environment


def accept(
    stack: Stack,
    by: Annotated[
        str | None,
        typer.Option("--by", metavar="NAME", help="Who accepts. Default: the user of this machine."),
    ] = None,
    no_up: Annotated[
        bool, typer.Option("--no-up", help="Accept what is deployed; no update is made.")
    ] = False,
    at: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT", help="Where the front door is, in place of what DNS says."),
    ] = None,
    image: Annotated[str, typer.Option(metavar="IMAGE", help="Image of the job's one pod.")] = IMAGE,
    minutes: Annotated[
        float, typer.Option(min=0.1, max=120, metavar="N", help="Minutes a job may take until it is ready.")
    ] = JOB_SECONDS / 60,
    as_json: AsJson = False,
    output: reports.Output = None,
) -> None:
    """Take STACK into service: doctor, an update, verify with pods, and a real RayCluster on every compute
    cluster, dispatched by the platform, seen to run and cleaned up.

    The report says who accepts, versions, digests of what was accepted, and every check with its evidence
    and time. A step that fails is the last one: those after it are not made, and say so. Ends with 0 when
    everything passed, 1 when something did not or could not be checked.
    """
    reports.require_forms(output or [])
    address = front_door_address(at)
    name, path, environment = open_environment(stack)
    site = site_of(name, environment, connector(name, path, environment), address)
    facts = signed_facts(site, path, by or getpass.getuser())
    taken: dict[str, Report] = {}
    stopped = ""
    for step in ("doctor", "up", "verify", "job"):
        if step == "up" and no_up:
            continue
        if stopped:
            taken[step] = not_made(step, name, [step], f"{stopped} failed")
            continue
        say(f"{step} ...")
        taken[step] = _step(step, stack, site, image, minutes * 60)
        stopped = step if taken[step].exit_code() else ""
    report = joined(name, taken, facts)
    reports.show(report, as_json, output or [])
    # What could not be looked at is not accepted.
    raise typer.Exit(0 if report.is_good else 1)


def _step(step: str, stack: str, site: Site, image: str, seconds: float) -> Report:
    if step == "doctor":
        return report_before(stack)
    if step == "up":
        return _update(stack, site.stack)
    if step == "verify":
        return report_after(stack, site.at, by_pods=bool(site.environment.clusters))
    with heard(), Jobs(site, image, seconds) as jobs, phase("running a job on every compute cluster"):
        checks = list(jobs.checks())
        limit = seconds + 2 * CLEAN_SECONDS
        return run("job", site.stack, checks, seconds=limit)


def _update(stack: str, name: str) -> Report:
    began = time.monotonic()
    with phase(f"pulumi up of {name}") as running:
        applied = apply(stack, tell=say, note=running.note)
    taken = time.monotonic() - began
    counted = ", ".join(f"{count} {what}" for what, count in sorted(applied.changes.items())) or "no changes"
    seen = [masked(finding) for finding in applied.findings] or counted
    outcome: Outcome = outcome_of("update", "everything is as the stack file says", seen, taken)
    return Report("up", name, (outcome,), seconds=taken)
