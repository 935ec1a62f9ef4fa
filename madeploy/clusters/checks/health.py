"""Health as the controller manager last reported it, and the report's age (V15)."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from madeploy.clients.kubernetes import Kubernetes, Object
from madeploy.clients.objects import seconds_of
from madeploy.clusters.registration import cluster_path
from madeploy.clusters.remedies import Remedies, steps
from madeploy.findings import Finding, find

BEAT_SECONDS: Final = 30.0
"""The controller manager asks each cluster this often (facts 3.1)."""
FRESH_SECONDS: Final = 3 * BEAT_SECONDS
"""A proof older than this is none: two beats may be late, while a new leader takes over for one (V14)."""
POLL_SECONDS = 1.0
_TRUE: Final = "CONDITION_STATUS_TRUE"


@dataclass(frozen=True)
class Health:
    """The `Ready` condition of a `Cluster`."""

    reported: bool
    """Whether there is one at all."""

    ready: bool
    """Its status, which stays as it was when the cluster is lost."""

    updated: float | None
    """When it was last written, seconds since 1970 by the controller manager's clock; None when never."""

    message: str

    def age(self, now: float) -> float | None:
        """Seconds since it was written; None when it never was."""
        return None if self.updated is None else now - self.updated


def health(cluster: Object | None) -> Health:
    """The health a `Cluster` shows; an unreported one for None."""
    conditions: list[dict[str, Any]] = ((cluster or {}).get("status") or {}).get("statusConditions") or []
    for item in conditions:
        if item.get("type") == "Ready":
            stamp = str(item.get("lastUpdatedTimestamp") or "")
            return Health(
                True,
                item.get("status") == _TRUE,
                float(stamp) if stamp.isdigit() else None,
                str(item.get("message") or ""),
            )
    return Health(False, False, None, "")


def control_plane_clock(control_plane: Kubernetes) -> float:
    """Seconds since 1970 by the control plane, whose pods write the timestamps. Raises ClientError."""
    now = control_plane.clock()
    return time.time() if now is None else now


def wait_for_proof(
    control_plane: Kubernetes,
    name: str,
    *,
    after: float,
    seconds: float,
    pause: Callable[[float], None] = time.sleep,
) -> bool:
    """Wait until the platform has reached the cluster later than `after` (seconds since 1970 by the
    control plane's clock), at most `seconds`. False when it has not. Raises ClientError."""
    deadline = time.monotonic() + seconds
    while True:
        shown = health(control_plane.find(cluster_path(name)))
        if shown.ready and shown.updated is not None and shown.updated > after:
            return True
        if time.monotonic() >= deadline:
            return False
        pause(POLL_SECONDS)


def health_findings(cluster: Object, now: float, remedies: Remedies) -> list[Finding]:
    """A finding when the `Cluster` shows no fresh proof: never reported, reported false, or old. `now` is
    by the control plane's clock."""
    subject = f"Cluster ma-system/{remedies.name}"
    shown = health(cluster)
    manager = remedies.control_plane(f"-n {remedies.namespace} logs deployment/michelangelo-controllermgr")
    if not shown.reported:
        since = now - seconds_of(cluster["metadata"]["creationTimestamp"])
        evidence = f"not reported in the {since:.0f} s since it was registered"
        if since < 2 * BEAT_SECONDS:
            evidence += "; the first report takes up to a minute"
        fix = steps(
            "After a minute, see whether the controller manager runs and what it says of this cluster:",
            remedies.control_plane(f"-n {remedies.namespace} get deployment michelangelo-controllermgr"),
            manager,
        )
        return [find("MA450", subject, evidence, fix=fix)]
    age = shown.age(now)
    if age is None or age > FRESH_SECONDS:
        how_old = "has no time" if age is None else f"is {age:.0f} s old"
        evidence = f"its condition {how_old}; the platform writes it every {BEAT_SECONDS:.0f} s"
        fix = steps(
            remedies.roll,
            "If it stays old, the control plane's network does not reach the API server:",
            manager,
        )
        return [find("MA451", subject, evidence, fix=fix)]
    if not shown.ready:
        evidence = f"reported not ready {age:.0f} s ago: {shown.message or 'no message'}"
        look = remedies.compute("get --raw /readyz?verbose")
        fix = f"See what the API server's own health check says:\n{look}"
        return [find("MA450", subject, evidence, fix=fix)]
    return []
