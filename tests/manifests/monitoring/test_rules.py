"""Rules on series: each alert fires for its cause, and for nothing else, in both releases."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from madeploy.releases import RELEASES
from madeploy.settings import Environment
from manifests.alerts import all_alerts, rule_groups
from manifests.dashboards import rows
from manifests.objects import to_yaml
from manifests.token_alert import is_ending, is_watched, token_alert
from tests.manifests.monitoring.series import (
    ENVOY,
    MANAGER,
    NAMESPACE,
    Series,
    cluster_health,
    healthy,
    labelled,
    of_envoy,
    of_manager,
    of_model,
    rising,
    scraped,
    since,
    steady,
    until,
)
from tests.support import promtool
from tests.support.environments import environment
from tests.support.proves import proves

pytestmark = pytest.mark.whole

RELEASE = pytest.mark.parametrize("release", RELEASES)


def monitored(release: str, **more: Any) -> Environment:
    """An environment with every alert that its release has."""
    return environment(
        platform={"release": release},
        tls={"mode": "internalCa"},
        network={"monitoringNamespace": "monitoring"},
        monitoring={"servingNamespaces": ["team-a"], "runbooks": "https://runbooks.example.com/ma"},
        **more,
    )


def rules(release: str) -> str:
    """The file of rules."""
    return to_yaml({"groups": rule_groups(monitored(release))})


RUN = {"environment": "unknown", "pipeline_run": "run-2", "pipeline_type": "unknown", "tier": "unknown"}


def gone(series: Series, service: str) -> None:
    """The pods of a service are down for the last quarter of an hour."""
    for name in list(series):
        if f"/{service}" in name:
            series[name] = until(44, series[name])
    for pod in "ab":
        series[labelled("up", **scraped(service, pod))] = f"1x44 0x{promtool.MINUTES - 45}"


def no_manager(series: Series) -> None:
    gone(series, MANAGER)


def no_envoy(series: Series) -> None:
    gone(series, ENVOY)


def nobody_leads(series: Series) -> None:
    for name in list(series):
        if name.startswith("leader_election"):
            series[name] = steady(0)


def reconciling_fails(series: Series) -> None:
    series[of_manager("controller_runtime_reconcile_errors_total", controller="rayjob")] = rising(30)


def one_call_hangs(series: Series) -> None:
    queue = {"controller": "rayjob", "name": "rayjob"}
    series[of_manager("workqueue_longest_running_processor_seconds", **queue)] = rising(60)


def undecodable(metric: str) -> Callable[[Series], None]:
    def change(series: Series) -> None:
        labels = {"crd_type": "Revision", "error_type": "unknown_field"}
        series[of_manager(metric, **labels)] = since(40, steady(1))

    return change


def a_drain_gave_up(series: Series) -> None:
    series[of_manager("cascade_child_drain_timeout_total", kind="pipeline_run")] = since(40, steady(1))


def answered(code: str) -> Callable[[Series], None]:
    def change(series: Series) -> None:
        labels = {"code": code, "host": "gpu-west.example.com:6443", "method": "GET"}
        series[of_manager("rest_client_requests_total", **labels)] = since(30, rising(2))

    return change


def health_stands_still(series: Series) -> None:
    series[cluster_health()] = f"0+60x40 2400x{promtool.MINUTES - 41}"


def a_cluster_is_not_ready(series: Series) -> None:
    series[cluster_health("FALSE")] = series.pop(cluster_health())


def api_server_unreachable(series: Series) -> None:
    series[of_envoy("envoy_cluster_membership_healthy")] = steady(0)


def calls_fail(series: Series) -> None:
    series[of_envoy("envoy_cluster_upstream_rq_xx", envoy_response_code_class="5")] = rising(12)


def certificate_runs_out(series: Series) -> None:
    name = "certmanager_certificate_expiration_timestamp_seconds"
    series[labelled(name, name="api", namespace=NAMESPACE)] = steady(10 * 86_400)


def a_run_failed(series: Series) -> None:
    more = {"failure_reason": "timeout", "region": "unknown", "zone": "unknown", "namespace": "fraud"}
    series[of_manager("pipelinerun_result_failure_total", **RUN, **more)] = since(52, steady(1))


def a_run_took_long(series: Series) -> None:
    more = {"state": "PIPELINE_RUN_STATE_SUCCEEDED", "namespace": "fraud"}
    series[of_manager("pipelinerun_duration_seconds_sum", **RUN, **more)] = since(52, steady(7200))


def inference_fails(series: Series) -> None:
    series[of_model("nv_inference_request_failure")] = rising(60)


def inference_is_slow(series: Series) -> None:
    series[of_model("nv_inference_request_duration_us")] = rising(600 * 900_000)


CAUSES: dict[str, Callable[[Series], None]] = {
    "ControllerManagerDown": no_manager,
    "NoLeader": nobody_leads,
    "ReconcileErrors": reconciling_fails,
    "ReconcileHangs": one_call_hangs,
    "DeletionGaveUp": a_drain_gave_up,
    "KubernetesApiUnreachable": answered("<error>"),
    "KubernetesApiDenied": answered("401"),
    "ClusterNotProven": health_stands_still,
    "ClusterNotReady": a_cluster_is_not_ready,
    "EnvoyDown": no_envoy,
    "ApiServerUnreachable": api_server_unreachable,
    "ApiErrors": calls_fail,
    "CertificateNotRenewed": certificate_runs_out,
    "PipelineRunsFailed": a_run_failed,
    "PipelineRunLong": a_run_took_long,
    "InferenceErrors": inference_fails,
    "InferenceSlow": inference_is_slow,
}
BY_RELEASE = {
    "0.12": {"ObjectsNotDecoded": undecodable("cr_reflector_errors_total")},
    "2026.04": {"ObjectsNotDecoded": undecodable("cr_unmarshal_errors_total")},
}
CASES = [(release, alert.name) for release in RELEASES for alert in all_alerts(monitored(release))]


@proves("OPS-3")
@pytest.mark.parametrize(("release", "name"), CASES)
def test_an_alert_fires_for_its_cause_and_no_other_does(release: str, name: str, tmp_path: Path) -> None:
    """OPS-3, NET-16, REL-1."""
    series = healthy(release)
    (CAUSES | BY_RELEASE[release])[name](series)
    right, said = promtool.fires(rules(release), series, {f"Michelangelo{name}"}, tmp_path)
    assert right, said


@RELEASE
def test_nothing_fires_while_all_is_well(release: str, tmp_path: Path) -> None:
    """OPS-3: on the series of real controller managers, one of whose runs failed long ago."""
    right, said = promtool.fires(rules(release), healthy(release), set(), tmp_path)
    assert right, said


def updating(series: Series, progressing: bool = True) -> None:
    """Pods of the old template stand beside a new one for half an hour."""
    deployment = {"namespace": NAMESPACE, "deployment": MANAGER}
    series[labelled("kube_deployment_status_replicas", **deployment)] = f"2x30 3x{promtool.MINUTES - 31}"
    series[labelled("kube_deployment_status_replicas_updated", **deployment)] = (
        f"2x30 1x{promtool.MINUTES - 31}"
    )
    if not progressing:
        for status, value in (("true", 0), ("false", 1)):
            labels = {**deployment, "condition": "Progressing", "status": status}
            series[labelled("kube_deployment_status_condition", **labels)] = (
                f"{1 - value}x34 {value}x{promtool.MINUTES - 35}"
            )


QUIET = [alert.name for alert in all_alerts(monitored("0.12")) if alert.quiet]


@pytest.mark.parametrize("name", QUIET)
def test_an_update_silences_what_it_causes(name: str, tmp_path: Path) -> None:
    """OPS-3."""
    series = healthy("0.12")
    CAUSES[name](series)
    updating(series)
    right, said = promtool.fires(rules("0.12"), series, set(), tmp_path)
    assert right, said


def test_an_update_silences_nothing_else(tmp_path: Path) -> None:
    """OPS-3: a certificate runs out whether or not pods are replaced."""
    series = healthy("0.12")
    certificate_runs_out(series)
    updating(series)
    right, said = promtool.fires(rules("0.12"), series, {"MichelangeloCertificateNotRenewed"}, tmp_path)
    assert right, said


def test_an_update_that_kubernetes_gave_up_silences_nothing(tmp_path: Path) -> None:
    """OPS-3: silence without end would hide a broken release."""
    series = healthy("0.12")
    reconciling_fails(series)
    updating(series, progressing=False)
    right, said = promtool.fires(rules("0.12"), series, {"MichelangeloReconcileErrors"}, tmp_path)
    assert right, said


def test_old_failures_are_not_new_after_a_gap_of_scrapes(tmp_path: Path) -> None:
    """OPS-3: Prometheus itself was away a quarter of an hour ago."""
    series = healthy("0.12")
    for name, values in series.items():
        first, _, _ = values.rpartition("x")
        if first.count("+") == 0 and " " not in values:
            series[name] = f"{first}x30 _x20 {first}x{promtool.MINUTES - 52}"
    right, said = promtool.expect(
        rules("0.12"), series, [("michelangelo:pipeline_runs_failed:15m", {})], tmp_path
    )
    assert right, said


def test_the_guides_own_alerts_on_runs_see_nothing(tmp_path: Path) -> None:
    """OPS-3: why the alerts differ from the monitoring guide's: a series that appears with its last value has
    no rate."""
    series = healthy("0.12")
    a_run_failed(series)
    a_run_took_long(series)
    documented = [
        ("rate(pipelinerun_result_failure_total[5m]) > 0", {}),
        ("histogram_quantile(0.99, rate(pipelinerun_duration_seconds_bucket[5m])) > 3600", {}),
    ]
    right, said = promtool.expect(rules("0.12"), series, documented, tmp_path)
    assert right, said


@proves("OPS-3")
@RELEASE
def test_every_query_of_the_dashboard_returns_data(release: str, tmp_path: Path) -> None:
    """OPS-3: on the series of real controller managers, and those recorded of them."""
    env = monitored(release)
    assert env.monitoring is not None
    series = healthy(release)
    a_run_failed(series)
    more = {"state": "PIPELINE_RUN_STATE_FAILED", "namespace": "fraud"}
    series[of_manager("pipelinerun_result_total", **RUN, **more)] = since(52, steady(1))
    queries = [
        query for row in rows(env, env.monitoring) for panel in row.panels for _, query in panel.queries
    ]
    some = [(f"count({query}) > bool 0", {"{}": 1.0}) for query in queries]
    right, said = promtool.expect(rules(release), series, some, tmp_path)
    assert right, said
    nothing, _ = promtool.expect(rules(release), series, [("count(nowhere) > bool 0", {"{}": 1.0})], tmp_path)
    assert not nothing


@RELEASE
def test_prometheus_takes_the_rules_as_they_are(release: str, tmp_path: Path) -> None:
    """OPS-3: `promtool check rules`, lints included."""
    right, said = promtool.check_rules(rules(release), tmp_path)
    assert right, said
    assert "duplicate" not in said
    broken = yaml.safe_load(rules(release))
    broken["groups"][1]["rules"][0]["expr"] += " >"
    assert not promtool.check_rules(to_yaml(broken), tmp_path)[0]


@pytest.mark.parametrize(
    ("lifetime", "ends_at", "fires"),
    [
        (None, 3600 + 73 * 3600, False),
        (None, 3600 + 71 * 3600, True),
        (8, 3600 + 3 * 3600, False),
        (8, 3600 + 3600, True),
        (None, None, False),
    ],
)
def test_a_tokens_end_is_reported_three_days_before_or_in_its_last_quarter(
    lifetime: int | None, ends_at: float | None, fires: bool, tmp_path: Path
) -> None:
    """OPS-3: as Prometheus computes it after an hour since 1970."""
    credential = {"kind": "bounded"} | ({} if lifetime is None else {"lifetimeHours": lifetime})
    env = monitored("0.12", clusters={"gpu": {"kubeconfigContext": "gpu", "credential": credential}})
    made = token_alert(env, "gpu", is_ending(env, "gpu", ends_at))
    expected = {"MichelangeloClusterTokenEnds"} if fires else set()
    right, said = promtool.fires(to_yaml(made["spec"]), {"up": steady(1)}, expected, tmp_path)
    assert right, said


def test_only_tokens_with_an_end_are_watched_and_only_by_the_operator() -> None:
    """OPS-3."""
    bounded = {"gpu": {"kubeconfigContext": "gpu", "credential": {"kind": "bounded"}}}
    lasting = {"gpu": {"kubeconfigContext": "gpu"}}
    assert is_watched(environment(monitoring={}, clusters=bounded), "gpu")
    assert not is_watched(environment(monitoring={}, clusters=lasting), "gpu")
    assert not is_watched(environment(clusters=bounded), "gpu")
    assert not is_watched(environment(monitoring={"kind": "files"}, clusters=bounded), "gpu")
