"""`madeploy clusters list`: the clusters of a stack as its file has them, without asking anything."""

from __future__ import annotations

import sys
from typing import Any

import typer

from madeploy.cli.options import AsJson, OfStack
from madeploy.cli.output import columns, print_json
from madeploy.settings.clusters import Cluster
from madeploy.settings.servers import canonical_server
from madeploy.stacks.files import open_environment

_HEADER = ("CLUSTER", "ACCESS", "API SERVER", "MANAGEMENT", "CREDENTIAL", "REGION", "ZONE", "SLA")


def list_clusters(
    stack: OfStack,
    as_json: AsJson = False,
) -> None:
    """List a stack's compute clusters: where they are, how they are administered, what they are registered
    with.

    Reads the stack file only; `clusters status` asks the clusters themselves.
    """
    name, _, environment = open_environment(stack)
    rows = [_row(cluster, entry) for cluster, entry in sorted(environment.clusters.items())]
    if as_json:
        print_json({"stack": name, "clusters": rows})
        return
    if not rows:
        typer.echo(f"stack {name} has no clusters; bin/madeploy clusters add NAME --stack {name} adds one")
        return
    cells = [
        (
            row["name"],
            f"{row['access']}{' (adopted)' if row['adopted'] else ''}",
            row["server"] or "in the kubeconfig",
            row["management"],
            row["credential"],
            *(row[key] or "-" for key in ("region", "zone", "sla")),
        )
        for row in rows
    ]
    sys.stdout.write(columns(_HEADER, cells))


def _row(name: str, entry: Cluster) -> dict[str, Any]:
    if entry.eks is not None:
        access = f"EKS {entry.eks.cluster_name} in {entry.eks.region}"
    elif entry.kubeconfig_context is not None:
        access = f"context {entry.kubeconfig_context}"
    else:
        access = "encrypted kubeconfig"
    return {
        "name": name,
        "access": access,
        "server": canonical_server(entry.server) if entry.server is not None else None,
        "management": entry.management,
        "credential": entry.credential.kind,
        "region": entry.region,
        "zone": entry.zone,
        "sla": entry.sla,
        "adopted": entry.adopted is not None,
    }
