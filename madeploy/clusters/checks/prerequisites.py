"""Prerequisites of a registration on a compute cluster (REG-7)."""

from __future__ import annotations

from madeploy.clients.errors import ClientError
from madeploy.clients.kubernetes import Kubernetes
from madeploy.clusters.checks.identity import cluster_uid, same_cluster_findings
from madeploy.clusters.checks.kuberay import missing_definitions, missing_queue_definitions, operator_findings
from madeploy.clusters.checks.object_store import object_store_findings
from madeploy.clusters.failures import administrator_finding
from madeploy.clusters.remedies import remedies
from madeploy.findings import Finding
from madeploy.settings import CONTROL_PLANE, Environment


def prerequisites(
    compute: Kubernetes,
    environment: Environment,
    name: str,
    *,
    control_plane: Kubernetes | None = None,
    stack: str = "STACK",
) -> list[Finding]:
    """Everything that is missing, at once: the API server answers, KubeRay's definitions and operator are
    there unless the stack installs or ignores them, the object store can be reached (from here: a warning
    at most), and, with a `control_plane`, the cluster is not the control plane's own.

    All of it is asked from the machine this runs on, as the cluster's administrator; that the control
    plane's pods reach the API server shows only when the `Cluster` becomes Ready.
    """
    known = remedies(environment, name, stack)
    entry = environment.clusters.get(name)
    found = object_store_findings(environment.storage, name)
    try:
        cluster_uid(compute)
        # What the stack installs itself is no prerequisite.
        if entry is None or entry.operators.kube_ray == "check":
            found += missing_definitions(compute, known)
            found += operator_findings(compute, known)
        if entry is not None and entry.queues is not None and entry.operators.kueue == "check":
            found += missing_queue_definitions(compute, known)
        if control_plane is not None:
            found += same_cluster_findings(control_plane, compute, environment, known)
    except ClientError as error:
        # Nothing more can be said of a cluster that does not answer.
        is_control_plane = control_plane is not None and error.server == control_plane.server
        found.append(administrator_finding(error, CONTROL_PLANE if is_control_plane else name))
    return found
