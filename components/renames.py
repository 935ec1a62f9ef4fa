"""Refuses an update that would take a cluster's objects away under its new name."""

from __future__ import annotations

import pulumi

from components.configuration import Configuration
from madeploy.clients.errors import ClientError
from madeploy.clients.kubernetes import Kubernetes
from madeploy.fleet import renames
from madeploy.names.kubernetes import API_VERSION, CLUSTERS_NAMESPACE, PLURALS
from madeploy.settings import CONTROL_PLANE

READ_SECONDS = 5.0


def refuse_second_names(args: Configuration) -> None:
    """Ask the control plane what is registered, once, before anything is made.

    A control plane that does not answer, or has no registrations yet, hinders nothing here. Raises
    pulumi.RunError for clusters that are registered under another name already.
    """
    entries = {
        name: renames.address(found.endpoint.host, found.endpoint.port)
        for name, found in args.access.items()
        if found.endpoint is not None
    }
    if not entries:
        return
    path = f"/apis/{API_VERSION}/namespaces/{CLUSTERS_NAMESPACE}/{PLURALS['Cluster']}"
    registered: dict[str, str] = {}
    try:
        client = Kubernetes.from_kubeconfig(args.access[CONTROL_PLANE].minified, READ_SECONDS)
        for item in client.items(path):
            rest = ((item.get("spec") or {}).get("kubernetes") or {}).get("rest") or {}
            if "deletionTimestamp" not in item["metadata"]:
                where = renames.address(str(rest.get("host")), str(rest.get("port")))
                registered[str(item["metadata"]["name"])] = where
    except ClientError:
        return
    found = renames.second_names(registered, entries, args.environment.clusters)
    if found:
        stack = args.role.environment
        said = [renames.finding(name, former, stack, entries[name]) for name, former in found.items()]
        raise pulumi.RunError(
            "\n".join(f"{item.subject}: {item.evidence}. {item.why}\n{item.fix}" for item in said)
        )
