"""`madeploy fleet status`: where each cluster of an environment stands, without running an update."""

from __future__ import annotations

import sys
from dataclasses import asdict

import typer

from madeploy.cli.options import AsJson, Stack
from madeploy.cli.output import columns, print_json
from madeploy.clusters.fleet import Row, fleet_status
from madeploy.clusters.preflight import unreachable
from madeploy.findings import Finding, exit_code, in_order
from madeploy.findings.text import report, write
from madeploy.progress import phase
from madeploy.stacks.updates import open_stacks

_HEADER = ("CLUSTER", "STACK", "IN SETTINGS", "REGISTERED", "REACHABLE", "CODE")


def status(
    stack: Stack,
    as_json: AsJson = False,
) -> None:
    """Show for each cluster which stack holds it, whether it is registered, and whether it can be reached.

    Ends with 1 when `fleet up` has something left to do, or could not do it.
    """
    stacks = open_stacks(stack)
    with phase("asking the clusters") as asking:
        aside = unreachable(stack, asking.note)
    with phase("reading the stacks") as reading:
        rows, findings = fleet_status(stacks, aside, reading.note)
    if as_json:
        data = {
            "stack": stacks.environment,
            "layout": stacks.settings.fleet.layout,
            "clusters": [asdict(row) for row in rows],
            "findings": [finding.to_data() for finding in in_order(findings.values())],
        }
        print_json(data)
    else:
        _show(rows, list(findings.values()))
    raise typer.Exit(exit_code(findings.values(), strict=True))


def _show(rows: list[Row], findings: list[Finding]) -> None:
    words = {True: "yes", False: "no", None: "-"}
    cells = [
        (
            row.cluster,
            row.stack,
            words[row.in_settings],
            words[row.registered],
            words[row.reachable],
            row.code,
        )
        for row in rows
    ]
    sys.stdout.write(columns(_HEADER, cells))
    if findings:
        typer.echo()
        write(report("not done", in_order(findings)), sys.stdout)
