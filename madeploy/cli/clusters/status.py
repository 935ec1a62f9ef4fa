"""`madeploy clusters status`: one line about each registered cluster."""

from __future__ import annotations

import sys
from functools import partial

import typer

from madeploy.cli.options import AsJson, OfStack
from madeploy.cli.output import columns, print_json
from madeploy.clients.bounded import run_bounded
from madeploy.clients.errors import ClientError
from madeploy.clients.kubernetes import Kubernetes
from madeploy.clusters.access import administrator, open_for, unreachable_control_plane
from madeploy.clusters.checks.health import control_plane_clock
from madeploy.clusters.registration import CLUSTERS
from madeploy.clusters.remedies import remedies
from madeploy.clusters.status import ClusterStatus, assignments, cluster_status, late_status
from madeploy.findings.text import report, write
from madeploy.progress import phase
from madeploy.settings import CONTROL_PLANE
from madeploy.stacks.access import StackAccess

SECONDS = 30.0
"""Time limit for one cluster."""
_HEADER = (
    "CLUSTER", "REACHABLE", "READY", "PROOF", "TOKEN AGE", "EXPIRES", "KUBERAY", "JOBS", "ASSIGNED", "CODES"
)  # fmt: skip


def status(
    stack: OfStack = "",
    as_json: AsJson = False,
) -> None:
    """Show each registered cluster: reachable, ready and how old that proof is, token, KubeRay, jobs.

    Clusters registered at the control plane but not in the stack are shown too. Ends with 0 when every
    cluster is reachable and freshly proven, 1 when one is not, 3 when the control plane does not answer.
    """
    access = open_for(stack, [], every=True)
    control_plane = access.client(CONTROL_PLANE)
    try:
        registered = [item["metadata"]["name"] for item in control_plane.items(CLUSTERS)]
        assigned = assignments(control_plane)
        now = control_plane_clock(control_plane)
    except ClientError as error:
        raise unreachable_control_plane(error, access.name) from None
    names = list(dict.fromkeys([*access.environment.clusters, *registered]))
    with phase(f"asking {len(names)} cluster{'s' if len(names) != 1 else ''}") as asking:
        rows = run_bounded(
            {name: partial(_row, access, control_plane, name, assigned.get(name, 0), now) for name in names},
            lambda name: late_status(name, name in access.environment.clusters, SECONDS),
            SECONDS,
            note=lambda done: asking.note(f"{done} of {len(names)} done"),
        )
    if as_json:
        data = {"stack": access.name, "clusters": [row.to_data() for row in rows.values()]}
        print_json(data)
    else:
        _show(list(rows.values()), access.name)
    raise typer.Exit(1 if any(row.findings for row in rows.values()) else 0)


def _row(
    access: StackAccess, control_plane: Kubernetes, name: str, assigned: int, now: float
) -> ClusterStatus:
    in_stack = name in access.environment.clusters
    try:
        return cluster_status(
            control_plane,
            administrator(access, name) if in_stack else None,
            remedies(access.environment, name, access.name),
            in_stack=in_stack,
            assigned=assigned,
            now=now,
        )
    except ClientError as error:
        raise unreachable_control_plane(error, access.name) from None


def _show(rows: list[ClusterStatus], stack: str) -> None:
    if not rows:
        typer.echo(f"no cluster is registered; bin/madeploy clusters add NAME --stack {stack} registers one")
        return
    sys.stdout.write(columns(_HEADER, [_cells(row) for row in rows]))
    findings = [finding for row in rows for finding in row.findings]
    if findings:
        typer.echo()
        write(report(f"stack {stack}", findings), sys.stdout)


def _cells(row: ClusterStatus) -> tuple[str, ...]:
    return (
        row.name + ("" if row.in_stack else " (not in the stack)"),
        "yes" if row.reachable else "no",
        {True: "yes", False: "no", None: "never"}[row.ready],
        _age(row.proof_age),
        _age(row.token_age),
        "never" if row.token_left is None and row.token_age is not None else _age(row.token_left),
        "none" if row.kuberay == "" else row.kuberay or "-",
        _jobs(row),
        str(row.assigned),
        " ".join(dict.fromkeys(finding.code for finding in row.findings)) or "-",
    )


def _jobs(row: ClusterStatus) -> str:
    if row.ray_clusters is None or row.ray_jobs is None:
        return "-"
    counts = ((row.ray_clusters, "cluster"), (row.ray_jobs, "job"))
    return ", ".join(f"{count} {noun}{'' if count == 1 else 's'}" for count, noun in counts)


def _age(seconds: float | None) -> str:
    """A length of time in its largest unit: `12 s`, `35 min`, `7 h`, `80 d`; past ones as `-12 s`."""
    if seconds is None:
        return "-"
    length = abs(seconds)
    sign = "-" if seconds < 0 else ""
    for unit, size, limit in (("s", 1, 120), ("min", 60, 120), ("h", 3600, 48)):
        if length < size * limit:
            return f"{sign}{length / size:.0f} {unit}"
    return f"{sign}{length / 86400:.0f} d"
