"""What a metadata storage costs a new cluster: the ingester writes to its `Cluster`, and from then on its
health is no longer reported until the controller manager has been rolled (V7)."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from madeploy.clients.errors import ClientError
from madeploy.clients.kubernetes import Kubernetes
from madeploy.clusters.controller_manager import changed_at, has_rolled_since
from madeploy.clusters.registration import cluster_path
from madeploy.clusters.session import Session, Tell, next_revision
from madeploy.findings import Finding, find
from madeploy.settings import CONTROL_PLANE

FINALIZER: Final = "michelangelo/Ingester"
"""Finalizer that the ingester writes on every object it mirrors."""

LIMIT_SECONDS: Final = 120.0
POLL_SECONDS: Final = 2.0


def roll_once_mirrored(
    session: Session, cluster: str, say: Tell, pause: Callable[[float], None] = time.sleep
) -> list[Finding]:
    """Wait until a registered cluster has been mirrored, then roll the controller manager, unless it was
    since; nothing without a metadata storage. What stands in the way is a finding: the cluster is registered
    all the same. Raises ToolkitError for what concerns the stack as a whole."""
    settings = session.settings()
    if settings.metadata_storage is None:
        return []
    try:
        control_plane = session.client(CONTROL_PLANE)
        written = _mirrored_at(control_plane, cluster, pause)
        if written is None:
            return [find("MA477", cluster, f"no {FINALIZER} on it after {LIMIT_SECONDS:.0f} s")]
        if has_rolled_since(control_plane, settings.platform.namespace, written):
            return []
    except ClientError as error:
        return [find("MA477", cluster, str(error))]
    say(f"{cluster} is mirrored; the controller manager is rolled, so that it goes on reporting its health")
    session.edit([next_revision(settings)])
    return list(session.apply([], "to roll the controller manager").values())


def _mirrored_at(control_plane: Kubernetes, cluster: str, pause: Callable[[float], None]) -> float | None:
    """When a `Cluster` was last written besides its status, once the ingester has; seconds since 1970. None
    when it does not within the limit."""
    waited = 0.0
    while True:
        item = control_plane.find(cluster_path(cluster))
        metadata = item["metadata"] if item is not None else {}
        if FINALIZER in (metadata.get("finalizers") or ()):
            fields = [entry for entry in metadata["managedFields"] if entry.get("subresource") is None]
            return changed_at({**metadata, "managedFields": fields})
        if waited >= LIMIT_SECONDS:
            return None
        pause(POLL_SECONDS)
        waited += POLL_SECONDS
