"""The alert on the end of a cluster's bounded token (OPS-3).

No exporter tells it: it stands in the token itself, which only an update reads, so the update writes it into
a rule of its own.
"""

from __future__ import annotations

from typing import Any, Final

from madeploy.settings import Environment
from manifests.alerts import Alert, rule
from manifests.objects import Object, metadata

HOURS: Final = 72
"""Hours before a token's end at which it is reported, or a quarter of a shorter life."""

DEFAULT_LIFETIME: Final = 720
"""Hours that a token is asked for unless the settings say otherwise (`clusters.<name>.credential`)."""


def is_watched(environment: Environment, cluster: str) -> bool:
    """Whether a cluster's token has an end that is alerted on by a rule of the Prometheus operator."""
    monitoring = environment.monitoring
    watched = monitoring is not None and monitoring.kind == "operator" and monitoring.alerts
    return watched and environment.clusters[cluster].credential.kind == "bounded"


def token_alert(environment: Environment, cluster: str, since: Any) -> Object:
    """The PrometheusRule of one cluster. `since` is PromQL that holds from when the end is near
    (`is_ending`), or the engine's output of it."""
    monitoring = environment.monitoring
    made = metadata(f"michelangelo-token-{cluster}", environment.platform.namespace)
    made["labels"] |= {} if monitoring is None else monitoring.labels
    alert = Alert(
        "MA628",
        "ClusterTokenEnds",
        since,
        "0m",
        "critical",
        f"The token of cluster {cluster} ends soon; jobs there are neither started nor followed from then on",
    )
    group = {"name": f"michelangelo-token-{cluster}", "rules": [rule(environment, alert)]}
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": made,
        "spec": {"groups": [group]},
    }


def is_ending(environment: Environment, cluster: str, ends_at: float | None) -> str:
    """PromQL that holds from `HOURS` before a token's end on, in seconds since 1970; it never does for one
    without an end."""
    if ends_at is None:
        return "vector(time()) > +Inf"
    lifetime = environment.clusters[cluster].credential.lifetime_hours or DEFAULT_LIFETIME
    return f"vector(time()) > {ends_at - min(HOURS, lifetime / 4) * 3600:.0f}"
