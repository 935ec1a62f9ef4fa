"""Alerts: their expressions parse, and the metrics in them exist."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import promql_parser
import pytest

from manifests.alerts import alerts
from manifests.envoy_config import bootstrap
from tests.support.environments import environment
from tests.support.envoy import get, running

LIBRARY_METRICS = {
    "controller_runtime_reconcile_errors_total",
    "leader_election_master_status",
    "rest_client_requests_total",
}
"""What the controller manager exports (V8), as far as alerts use it."""

BY_RELEASE = {
    "2026.04": {"cr_unmarshal_errors_total"},
    "0.12": {"cr_reflector_errors_total", "cascade_child_drain_timeout_total"},
}
"""The controller manager's own, which have no series before their first event (#1319)."""

OTHERS = {"up", "certmanager_certificate_expiration_timestamp_seconds"}
"""Prometheus' own, and cert-manager's (its documentation, Prometheus metrics)."""

ON = {"alerts": True, "monitoringNamespace": "monitoring"}


def _rules(**sections: Any) -> list[dict[str, Any]]:
    (rule,) = alerts(environment(network=ON, **sections))
    (group,) = rule["spec"]["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


ALL_RULES = _rules(tls={"mode": "internalCa"})


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


@pytest.mark.parametrize("rule", ALL_RULES, ids=lambda rule: rule["alert"])
def test_every_expression_parses_and_selects_something_by_name(rule: dict[str, Any]) -> None:
    """NET-16."""
    selectors = _selectors(promql_parser.parse(rule["expr"]))
    assert selectors
    for selector in selectors:
        labels = {matcher.name for matcher in selector.matchers.matchers}
        assert labels & {"namespace", "exported_namespace"}, "another environment's series would count"


def test_a_broken_expression_would_be_noticed() -> None:
    """NET-16: the parser refuses what Prometheus refuses."""
    with pytest.raises(ValueError, match=r".+"):
        promql_parser.parse("sum by (x (rate(up[5m])) > 0")


def test_every_metric_exists(tmp_path: Path) -> None:
    """NET-16: in the controller manager (V8), in the real Envoy, or documented by its exporter; no alert is
    built on a health endpoint that answers 404 (V4)."""
    used = {each.name for rule in ALL_RULES for each in _selectors(promql_parser.parse(rule["expr"]))}
    with running(bootstrap(environment()), tmp_path) as envoy:
        # A call that fails, so that counters of failures exist.
        assert get(envoy.port, "/michelangelo.api.v2.ProjectService/ListProject", "POST")[0] == 503
        lines = [line for line in envoy.metrics().splitlines() if not line.startswith("#")]
        exported = {line.partition("{")[0] for line in lines}
        labels = {label for line in lines for label in ('envoy_response_code_class="5"',) if label in line}
    assert used - LIBRARY_METRICS - OTHERS - BY_RELEASE["0.12"] <= exported
    assert any(name.startswith("envoy_") for name in used)
    assert labels


@pytest.mark.parametrize("release", BY_RELEASE)
def test_alerts_use_the_metrics_of_their_release(release: str) -> None:
    """REL-1, OPS-3: one was renamed, and alerts on the old name would never fire again."""
    rules = _rules(platform={"release": release})
    used = {each.name for rule in rules for each in _selectors(promql_parser.parse(rule["expr"]))}
    others = set().union(*(names for name, names in BY_RELEASE.items() if name != release))
    assert used >= BY_RELEASE[release]
    assert not used & others


def test_the_loss_of_each_part_is_alerted_on() -> None:
    """NET-16."""
    assert {rule["alert"] for rule in ALL_RULES} == {
        "MichelangeloControllerManagerDown",
        "MichelangeloNoLeader",
        "MichelangeloReconcileErrors",
        "MichelangeloObjectsNotDecoded",
        "MichelangeloDeletionGaveUp",
        "MichelangeloKubernetesApiUnreachable",
        "MichelangeloKubernetesApiDenied",
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
    promql_parser.parse(f"up[{rule['for']}]")


def test_alerts_follow_the_settings() -> None:
    """NET-16: no leader alert without an election, no certificate alert without cert-manager."""
    assert alerts(environment()) == ()
    single = _rules(controlPlane={"controllermgr": {"replicas": 1, "leaderElection": False}})
    names = {rule["alert"] for rule in single}
    assert not names & {"MichelangeloNoLeader", "MichelangeloCertificateNotRenewed"}
    renamed = _rules(controlPlane={"controllermgr": {"leaderElectionId": "other"}})
    (leader,) = [rule for rule in renamed if rule["alert"] == "MichelangeloNoLeader"]
    assert 'name="other"' in leader["expr"]
