"""`madeploy clusters list`: the clusters of a stack as its file has them, without asking anything."""

from __future__ import annotations

import sys
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from madeploy.cli.options import AsJson, OfStack
from madeploy.cli.output import print_json
from madeploy.settings.clusters import Cluster
from madeploy.settings.servers import canonical_server
from madeploy.stacks.files import open_environment

_PIPE_WIDTH = 200


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
    console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else _PIPE_WIDTH)
    if not rows:
        console.print(f"stack {name} has no clusters; bin/madeploy clusters add NAME --stack {name} adds one")
        return
    table = Table(
        "cluster", "access", "API server", "management", "credential", "region", "zone", "sla",
        box=None, pad_edge=False,
    )  # fmt: skip
    for row in rows:
        adopted = " (adopted)" if row["adopted"] else ""
        table.add_row(
            escape(row["name"]),
            escape(f"{row['access']}{adopted}"),
            row["server"] or "in the kubeconfig",
            row["management"],
            row["credential"],
            *(escape(row[key] or "-") for key in ("region", "zone", "sla")),
        )
    console.print(table)


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
