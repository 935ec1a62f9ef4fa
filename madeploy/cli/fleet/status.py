"""`madeploy fleet status`: where each cluster of an environment stands, without running an update."""

from __future__ import annotations

import sys
from dataclasses import asdict

import typer
from rich.console import Console
from rich.table import Table

from madeploy.cli.options import AsJson, Stack
from madeploy.cli.output import print_json
from madeploy.clusters.fleet import Row, fleet_status
from madeploy.clusters.preflight import unreachable
from madeploy.findings import Finding, exit_code, in_order
from madeploy.findings.text import report, write
from madeploy.sandbox.progress import phase
from madeploy.stacks.updates import open_stacks

_PIPE_WIDTH = 160


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
    width = None if sys.stdout.isatty() else _PIPE_WIDTH
    console = Console(file=sys.stdout, highlight=False, width=width)
    table = Table(
        "cluster", "stack", "in settings", "registered", "reachable", "code", box=None, pad_edge=False
    )
    words = {True: "yes", False: "no", None: "-"}
    for row in rows:
        table.add_row(
            row.cluster,
            row.stack,
            words[row.in_settings],
            words[row.registered],
            words[row.reachable],
            row.code,
        )
    console.print(table)
    if findings:
        console.print()
        write(report("not done", in_order(findings)), sys.stdout)
