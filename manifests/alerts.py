"""Alerts, on metrics that exist (NET-16, OPS-3).

The guides' health endpoint answers 404 (V4), and their alerts on runs never fire: each run has a series of
its own that appears with its last value and never moves, so that its rate is 0. Here a run counts when its
series was not there a quarter of an hour ago.

Targets are told apart by the labels `namespace` and `job`, whose value contains the Service's name, as
`manifests.scrapes` and the Prometheus operator set them. A metric's own `namespace` is then called
`exported_namespace`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

from madeploy.findings.codes.monitoring import ALERTS
from madeploy.settings import Environment
from madeploy.settings.tls import ProvidedTls
from manifests import recorded_series
from manifests.envoy_config import CLUSTER
from manifests.objects import Object, metadata
from manifests.recorded_series import (
    API_ERRORS,
    RECONCILE_ERRORS,
    RUNS_FAILED,
    UPDATING,
    selector,
)

NAME: Final = "michelangelo-control-plane"
CERTIFICATE_DAYS: Final = 14
"""Days before expiry at which a certificate is reported. cert-manager renews after two thirds of its
life, which is 30 days before the end of a 90-day one: at 14 days renewal has failed for two weeks."""

PROOF_SECONDS: Final = 300
"""Age at which a cluster's health is no proof any more: ten beats of 30 s (V15)."""

CLUSTER_HEALTH: Final = "michelangelo_cluster_health_timestamp_seconds"
"""When a condition of a `Cluster` was last written, in seconds since 1970, by cluster, type and status; from
kube-state-metrics, as `manifests.monitoring` configures it."""

RUNBOOKS: Final = "docs/findings.md"
"""Where each alert's code is explained, in the project's repository."""


Severity = Literal["critical", "warning"]


@dataclass(frozen=True)
class Alert:
    """One alert; its code in `madeploy.findings.codes.monitoring` says why it matters and what to do."""

    code: str
    name: str
    expression: str
    wait: str
    """How long the expression has to hold."""

    severity: Severity
    summary: str
    quiet: bool = False
    """Whether an update of the control plane may cause it, so that it is silent meanwhile."""


def alerts(environment: Environment) -> tuple[Object, ...]:
    """The `PrometheusRule`; none unless `monitoring` has alerts for the Prometheus operator, or
    `network.alerts` is on."""
    monitoring = environment.monitoring
    wanted = environment.network.alerts if monitoring is None else monitoring.kind == "operator"
    if not wanted:
        return ()
    made = metadata(NAME, environment.platform.namespace)
    made["labels"] |= {} if monitoring is None else monitoring.labels
    return (
        {
            "apiVersion": "monitoring.coreos.com/v1",
            "kind": "PrometheusRule",
            "metadata": made,
            "spec": {"groups": rule_groups(environment)},
        },
    )


def rule_groups(environment: Environment) -> list[dict[str, Any]]:
    """Groups of rules as Prometheus reads them: what is recorded, and the alerts unless they are off."""
    recorded = {"name": "michelangelo-recorded", "rules": recorded_series.recorded(environment)}
    if environment.monitoring is not None and not environment.monitoring.alerts:
        return [recorded]
    rules = [rule(environment, alert) for alert in all_alerts(environment)]
    return [recorded, {"name": NAME, "rules": rules}]


def all_alerts(environment: Environment) -> tuple[Alert, ...]:
    """Every alert of an environment, in the order of their codes."""
    found = (
        *_controller_manager(environment),
        *_clusters(environment),
        *_api_server(environment),
        *_certificates(environment),
        *_runs(environment),
        *_serving(environment),
    )
    return tuple(sorted(found, key=lambda alert: alert.code))


def rule(environment: Environment, alert: Alert) -> dict[str, Any]:
    """An alert as Prometheus reads it, with its page."""
    expression = alert.expression
    if alert.quiet:
        # Rates look five minutes back, so the silence lasts as much longer.
        updating = f"max_over_time({UPDATING}{{{recorded_series.here(environment)}}}[5m]) == 1"
        expression = f"({expression}) unless on () ({updating})"
    monitoring = environment.monitoring
    pages = RUNBOOKS if monitoring is None or monitoring.runbooks is None else monitoring.runbooks
    return {
        "alert": f"Michelangelo{alert.name}",
        "expr": expression,
        "for": alert.wait,
        "labels": {"severity": alert.severity},
        "annotations": {
            "summary": alert.summary,
            "description": ALERTS[alert.code].fix,
            "runbook_url": f"{pages}#{alert.code.lower()}",
        },
    }


def _controller_manager(environment: Environment) -> list[Alert]:
    here = selector(environment, "controllermgr")
    # These two have no series before their first event, and a rate sees no first event: their value counts
    # from the start of the process, and stays until the next one.
    undecoded = environment.release.reflector_errors
    found = [
        Alert(
            "MA610",
            "ControllerManagerDown",
            f"absent(up{here} == 1)",
            "5m",
            "critical",
            "No controller manager is up: nothing new is dispatched and nothing fails over",
            quiet=True,
        ),
        Alert(
            "MA612",
            "ReconcileErrors",
            f"{RECONCILE_ERRORS}{{{recorded_series.here(environment)}}} > 0.1",
            "15m",
            "warning",
            "Controller {{ $labels.controller }} keeps failing",
            quiet=True,
        ),
        Alert(
            "MA613",
            "ReconcileHangs",
            f"max by (name) (workqueue_longest_running_processor_seconds{here}) > 900",
            "5m",
            "warning",
            "Controller {{ $labels.name }} has been at one object for a quarter of an hour",
        ),
        Alert(
            "MA614",
            "ObjectsNotDecoded",
            f"sum by (crd_type) ({undecoded}{here}) > 0",
            "5m",
            "warning",
            "The controller manager cannot decode objects of {{ $labels.crd_type }}, and leaves them alone",
        ),
    ]
    if environment.release.cascades:
        found.append(
            Alert(
                "MA615",
                "DeletionGaveUp",
                f"sum by (kind) (cascade_child_drain_timeout_total{here}) > 0",
                "5m",
                "warning",
                "Runs of a deleted Pipeline did not end in a day, and were let go ({{ $labels.kind }})",
            )
        )
    if environment.control_plane.controllermgr.leader_election:
        lease = environment.control_plane.controllermgr.leader_election_id
        leader = selector(environment, "controllermgr", f'name="{lease}"')
        found.append(
            Alert(
                "MA611",
                "NoLeader",
                f"max(leader_election_master_status{leader}) < 1",
                "5m",
                "critical",
                "Controller managers run, but none leads: nothing is reconciled",
                quiet=True,
            )
        )
    return found


def _clusters(environment: Environment) -> list[Alert]:
    failed = selector(environment, "controllermgr", 'code="<error>"')
    denied = selector(environment, "controllermgr", 'code=~"401|403"')
    return [
        Alert(
            "MA616",
            "KubernetesApiUnreachable",
            f"sum by (host) (rate(rest_client_requests_total{failed}[5m])) > 0",
            "10m",
            "critical",
            "The controller manager gets no answer from the Kubernetes API at {{ $labels.host }}",
        ),
        Alert(
            "MA617",
            "KubernetesApiDenied",
            f"sum by (host) (rate(rest_client_requests_total{denied}[5m])) > 0",
            "10m",
            "critical",
            "The Kubernetes API at {{ $labels.host }} refuses the controller manager's credential",
        ),
        Alert(
            "MA618",
            "ClusterNotProven",
            f'time() - max by (cluster) ({CLUSTER_HEALTH}{{type="Ready"}}) > {PROOF_SECONDS}',
            "5m",
            "critical",
            "The health of cluster {{ $labels.cluster }} was last proven {{ $value | humanizeDuration }} ago",
            quiet=True,
        ),
        Alert(
            "MA619",
            "ClusterNotReady",
            f'max by (cluster) ({CLUSTER_HEALTH}{{type="Ready",status="CONDITION_STATUS_FALSE"}}) > 0',
            "5m",
            "critical",
            "Cluster {{ $labels.cluster }} is not ready, and jobs still go to it",
        ),
    ]


def _api_server(environment: Environment) -> list[Alert]:
    every = selector(environment, "envoy", f'envoy_cluster_name="{CLUSTER}"')
    return [
        Alert(
            "MA620",
            "EnvoyDown",
            f"absent(up{selector(environment, 'envoy')} == 1)",
            "5m",
            "critical",
            "No Envoy is up: the browser application cannot reach the API",
            quiet=True,
        ),
        Alert(
            "MA621",
            "ApiServerUnreachable",
            f"max(envoy_cluster_membership_healthy{every}) < 1",
            "2m",
            "critical",
            "No Envoy gets a connection to the API server: users, workers and task pods are cut off",
            quiet=True,
        ),
        Alert(
            "MA622",
            "ApiErrors",
            f"{API_ERRORS}{{{recorded_series.here(environment)}}} > 0.05",
            "10m",
            "warning",
            "More than one in twenty calls from browsers ends without an answer of the API server",
            quiet=True,
        ),
    ]


def _certificates(environment: Environment) -> list[Alert]:
    if isinstance(environment.tls, ProvidedTls):
        return []
    metric = "certmanager_certificate_expiration_timestamp_seconds"
    # cert-manager's own pod is what is scraped: a scrape that sets `namespace` itself moves the
    # certificate's to `exported_namespace`.
    found = " or ".join(
        f'{metric}{{{label}="{environment.platform.namespace}"}}'
        for label in ("namespace", "exported_namespace")
    )
    return [
        Alert(
            "MA623",
            "CertificateNotRenewed",
            f"({found}) - time() < {CERTIFICATE_DAYS * 86_400}",
            "1h",
            "critical",
            f"Certificate {{{{ $labels.name }}}} runs out in less than {CERTIFICATE_DAYS} days",
        )
    ]


def _runs(environment: Environment) -> list[Alert]:
    monitoring = environment.monitoring
    if monitoring is None:
        return []
    seconds = f"pipelinerun_duration_seconds_sum{selector(environment, 'controllermgr')}"
    return [
        Alert(
            "MA624",
            "PipelineRunsFailed",
            f"{RUNS_FAILED}{{{recorded_series.here(environment)}}} > 0",
            "0m",
            "warning",
            "{{ $value }} pipeline runs of project {{ $labels.exported_namespace }} have failed in the last "
            "quarter of an hour",
        ),
        Alert(
            "MA625",
            "PipelineRunLong",
            # One run is one series with one observation, so the sum is its duration.
            f"{recorded_series.new(seconds, environment)} > {monitoring.run_minutes * 60}",
            "0m",
            "warning",
            "Run {{ $labels.pipeline_run }} of project {{ $labels.exported_namespace }} took "
            "{{ $value | humanizeDuration }}",
        ),
    ]


def _serving(environment: Environment) -> list[Alert]:
    monitoring = environment.monitoring
    if monitoring is None or not monitoring.serving_namespaces:
        return []
    where = f'{{namespace=~"{"|".join(monitoring.serving_namespaces)}"}}'
    by = "sum by (namespace, model)"
    failed, served = (
        f"{by} (rate(nv_inference_request_{result}{where}[5m]))" for result in ("failure", "success")
    )
    spent = f"{by} (rate(nv_inference_request_duration_us{where}[5m]))"
    return [
        Alert(
            "MA626",
            "InferenceErrors",
            f"{failed} / ({failed} + {served}) > 0.01",
            "5m",
            "warning",
            "More than one in a hundred requests to model {{ $labels.model }} fails",
        ),
        Alert(
            "MA627",
            "InferenceSlow",
            f"{spent} / {served} > 500000",
            "5m",
            "warning",
            "Requests to model {{ $labels.model }} take more than half a second on average",
        ),
    ]
