"""Alerts: their expressions parse, and the metrics in them exist."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import promql_parser
import pytest

from manifests.alerts import alerts
from manifests.envoy_config import bootstrap
from manifests.monitoring import monitoring
from tests.support.environments import environment
from tests.support.envoy import get, running
from tests.support.proves import proves

LIBRARY_METRICS = {
    "controller_runtime_reconcile_errors_total",
    "controller_runtime_reconcile_time_seconds_bucket",
    "leader_election_master_status",
    "rest_client_requests_total",
    "workqueue_longest_running_processor_seconds",
}
"""What the controller manager's libraries export (V8), as far as rules use it."""

RUN_METRICS = {
    "pipelinerun_duration_seconds_sum",
    "pipelinerun_result_failure_total",
    "pipelinerun_result_total",
}
"""What it exports of its own once a run has ended (V26)."""

ROOT = Path(__file__).parents[2]

BY_RELEASE = {
    "2026.04": {"cr_unmarshal_errors_total"},
    "0.12": {"cr_reflector_errors_total", "cascade_child_drain_timeout_total"},
}
"""The controller manager's own, which have no series before their first event (#1319)."""

OTHERS = {
    "up",
    "certmanager_certificate_expiration_timestamp_seconds",
    "kube_deployment_status_condition",
    "kube_deployment_status_replicas",
    "kube_deployment_status_replicas_updated",
}
"""Prometheus' own, cert-manager's (its documentation, Prometheus metrics), and kube-state-metrics' (its
documentation, Deployment Metrics)."""

OF_CLUSTERS = "michelangelo_cluster_health_timestamp_seconds"
"""Made by kube-state-metrics from `Cluster` objects, all of which are in one namespace (`ma-system`)."""

SCRAPED = {"monitoringNamespace": "monitoring"}


def _groups(**sections: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What is recorded, and the alerts."""
    (rule,) = alerts(environment(**{"network": SCRAPED, "monitoring": {}} | sections))
    recorded, alerting = rule["spec"]["groups"]
    return recorded["rules"], alerting["rules"]


def _rules(**sections: Any) -> list[dict[str, Any]]:
    return _groups(**sections)[1]


RECORDED, ALL_RULES = _groups(tls={"mode": "internalCa"})
SERIES = {rule["record"] for rule in RECORDED}


def _used(rules: list[dict[str, Any]]) -> set[str]:
    """Names of all metrics and recorded series that rules read."""
    return {each.name for rule in rules for each in _selectors(promql_parser.parse(rule["expr"]))}


def _selectors(expression: Any) -> list[Any]:
    """Every vector selector below a parsed expression."""
    if isinstance(expression, promql_parser.VectorSelector):
        return [expression]
    below: list[Any] = []
    for name in ("lhs", "rhs", "expr", "vector_selector", "args"):
        child = getattr(expression, name, None)
        for each in child if isinstance(child, list) else [child]:
            if each is not None:
                below += _selectors(each)
    return below


@pytest.mark.parametrize(
    "rule", [*RECORDED, *ALL_RULES], ids=lambda rule: rule.get("alert", rule.get("record"))
)
def test_every_expression_parses_and_selects_something_by_name(rule: dict[str, Any]) -> None:
    """NET-16."""
    selectors = _selectors(promql_parser.parse(rule["expr"]))
    assert selectors
    for selector in selectors:
        if selector.name == OF_CLUSTERS:
            continue
        labels = {matcher.name for matcher in selector.matchers.matchers}
        assert labels & {"namespace", "exported_namespace"}, "another environment's series would count"


def test_a_broken_expression_would_be_noticed() -> None:
    """NET-16: the parser refuses what Prometheus refuses."""
    with pytest.raises(ValueError, match=r".+"):
        promql_parser.parse("sum by (x (rate(up[5m])) > 0")


def test_every_metric_exists(tmp_path: Path) -> None:
    """NET-16: in the controller manager (V8), in the real Envoy, or documented by its exporter; no alert is
    built on a health endpoint that answers 404 (V4)."""
    used = _used([*RECORDED, *ALL_RULES])
    with running(bootstrap(environment()), tmp_path) as envoy:
        # A call that fails, so that counters of failures exist.
        assert get(envoy.port, "/michelangelo.api.v2.ProjectService/ListProject", "POST")[0] == 503
        lines = [line for line in envoy.metrics().splitlines() if not line.startswith("#")]
        exported = {line.partition("{")[0] for line in lines}
        labels = {label for line in lines for label in ('envoy_response_code_class="5"',) if label in line}
    known = LIBRARY_METRICS | RUN_METRICS | OTHERS | SERIES | {OF_CLUSTERS} | BY_RELEASE["0.12"]
    assert used - known <= exported
    assert any(name.startswith("envoy_") for name in used)
    assert labels


@pytest.mark.parametrize("release", BY_RELEASE)
def test_alerts_use_the_metrics_of_their_release(release: str) -> None:
    """REL-1, OPS-3: one was renamed, and alerts on the old name would never fire again."""
    rules = _rules(platform={"release": release})
    used = _used(rules)
    others = set().union(*(names for name, names in BY_RELEASE.items() if name != release))
    assert used >= BY_RELEASE[release]
    assert not used & others


@proves("NET-16")
def test_the_loss_of_each_part_is_alerted_on() -> None:
    """NET-16."""
    assert {rule["alert"] for rule in ALL_RULES} == {
        "MichelangeloControllerManagerDown",
        "MichelangeloNoLeader",
        "MichelangeloReconcileErrors",
        "MichelangeloReconcileHangs",
        "MichelangeloObjectsNotDecoded",
        "MichelangeloDeletionGaveUp",
        "MichelangeloKubernetesApiUnreachable",
        "MichelangeloKubernetesApiDenied",
        "MichelangeloClusterNotProven",
        "MichelangeloClusterNotReady",
        "MichelangeloPipelineRunsFailed",
        "MichelangeloPipelineRunLong",
        "MichelangeloEnvoyDown",
        "MichelangeloApiServerUnreachable",
        "MichelangeloApiErrors",
        "MichelangeloCertificateNotRenewed",
    }


@pytest.mark.parametrize("rule", ALL_RULES, ids=lambda rule: rule["alert"])
def test_every_alert_says_what_happened_and_what_to_do(rule: dict[str, Any]) -> None:
    """NET-16, UX-3."""
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["description"].endswith(".")
    page, _, code = rule["annotations"]["runbook_url"].partition("#")
    assert f"\n## {code.upper()}\n" in (ROOT / page).read_text(encoding="utf-8")
    assert re.fullmatch(r"[0-9]+[mh]", rule["for"])


def test_alerts_follow_the_settings() -> None:
    """NET-16, OPS-3: no leader alert without an election, no certificate alert without cert-manager, none on
    inference where no server is scraped."""
    assert alerts(environment()) == ()
    assert alerts(environment(monitoring={"kind": "files"})) == ()
    (recorded,) = alerts(environment(monitoring={"alerts": False}))
    assert [group["name"] for group in recorded["spec"]["groups"]] == ["michelangelo-recorded"]
    served = _rules(monitoring={"servingNamespaces": ["team-a"], "runbooks": "https://wiki.example.com/ma"})
    by_name = {rule["alert"]: rule for rule in served}
    page = by_name["MichelangeloInferenceSlow"]["annotations"]["runbook_url"]
    assert page == "https://wiki.example.com/ma#ma627"
    assert "MichelangeloInferenceErrors" in by_name
    single = _rules(controlPlane={"controllermgr": {"replicas": 1, "leaderElection": False}})
    names = {rule["alert"] for rule in single}
    assert not names & {"MichelangeloNoLeader", "MichelangeloCertificateNotRenewed"}
    renamed = _rules(controlPlane={"controllermgr": {"leaderElectionId": "other"}})
    (leader,) = [rule for rule in renamed if rule["alert"] == "MichelangeloNoLeader"]
    assert 'name="other"' in leader["expr"]


def test_the_older_switch_makes_the_alerts_alone() -> None:
    """NET-16, OPS-3: stack files that have it keep their alerts, but for those on runs."""
    older = environment(network=SCRAPED | {"alerts": True})
    (rule,) = alerts(older)
    names = {each["alert"] for each in rule["spec"]["groups"][1]["rules"]}
    assert "MichelangeloControllerManagerDown" in names
    assert "MichelangeloPipelineRunsFailed" not in names
    assert monitoring(older) == ()
