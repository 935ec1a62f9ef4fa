"""The dashboard of the control plane for Grafana: the monitoring guide's four rows, on metrics that exist
(OPS-3)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal

from madeploy.settings import Environment
from madeploy.settings.monitoring import Monitoring
from manifests.alerts import CLUSTER_HEALTH
from manifests.envoy_config import CLUSTER
from manifests.objects import Object, metadata
from manifests.recorded_series import (
    API_CALLS,
    API_ERRORS,
    RECONCILE_ERRORS,
    RECONCILE_SECONDS,
    RUNS_ENDED,
    UPDATING,
    selector,
)

NAME: Final = "michelangelo-dashboard"
FILE: Final = "michelangelo.json"
DATA_SOURCE: Final = "${datasource}"
"""Chosen by whoever looks: the dashboard's only variable."""

WIDTH: Final = 24
"""Columns of Grafana's grid."""

HEIGHT: Final = 8
ABREAST: Final = 4
"""Panels beside each other at most."""


@dataclass(frozen=True)
class Panel:
    """One panel: its title, kind, unit, and queries by legend."""

    title: str
    kind: Literal["timeseries", "stat", "table"]
    queries: tuple[tuple[str, str], ...]
    """Legend and expression."""

    unit: str = "short"
    description: str = ""


@dataclass(frozen=True)
class Row:
    """Panels below one title."""

    title: str
    panels: tuple[Panel, ...]


def dashboard(environment: Environment, monitoring: Monitoring) -> tuple[Object, ...]:
    """The ConfigMap that Grafana's sidecar finds, or the Grafana operator's object; nothing where the
    settings ask for none."""
    settings, namespace = monitoring.dashboards, environment.platform.namespace
    if settings.kind == "none":
        return ()
    text = _text(namespace, rows(environment, monitoring))
    if settings.kind == "grafanaOperator":
        return (
            {
                "apiVersion": "grafana.integreatly.org/v1beta1",
                "kind": "GrafanaDashboard",
                "metadata": metadata(NAME, namespace),
                "spec": {
                    "allowCrossNamespaceImport": True,
                    "instanceSelector": {"matchLabels": dict(settings.labels) or {"dashboards": "grafana"}},
                    "json": text,
                },
            },
        )
    made = metadata(NAME, namespace, annotations={"grafana_folder": "Michelangelo"})
    made["labels"] |= settings.labels or {"grafana_dashboard": "1"}
    return ({"apiVersion": "v1", "kind": "ConfigMap", "metadata": made, "data": {FILE: text}},)


def rows(environment: Environment, monitoring: Monitoring) -> tuple[Row, ...]:
    """The four rows."""
    return (
        Row("Overview", tuple(_overview(environment))),
        Row("Jobs", tuple(_jobs(environment))),
        Row("API and serving", tuple(_serving(environment, monitoring))),
        Row("Controller health", tuple(_controllers(environment))),
    )


def _overview(environment: Environment) -> Iterator[Panel]:
    manager = selector(environment, "controllermgr")
    here = f'{{namespace="{environment.platform.namespace}"}}'
    yield Panel(
        "Pipeline runs by state",
        "stat",
        (("{{state}}", f"sum by (state) (pipelinerun_result_total{manager})"),),
        description="Since the controller manager started: it counts anew with each start.",
    )
    yield Panel("Failed runs", "stat", (("failed", f"sum(pipelinerun_failed{manager})"),))
    yield Panel("Ready pipelines", "stat", (("ready", f"count(pipeline_ready_total{manager})"),))
    yield Panel(
        "Age of clusters' proof",
        "timeseries",
        (("{{cluster}} {{status}}", f'time() - {CLUSTER_HEALTH}{{type="Ready"}}'),),
        "s",
        "A cluster's health is written every 30 s; its condition alone never turns old.",
    )
    yield Panel("Update running", "timeseries", (("updating", f"{UPDATING}{here}"),))


def _jobs(environment: Environment) -> Iterator[Panel]:
    manager = selector(environment, "controllermgr")
    buckets = f"sum by (le) (pipelinerun_duration_seconds_bucket{manager})"
    yield Panel(
        "Duration of runs",
        "timeseries",
        tuple((f"P{part}", f"histogram_quantile({part / 100}, {buckets})") for part in (50, 99)),
        "s",
    )
    yield Panel(
        "Runs ended in a quarter of an hour",
        "timeseries",
        (
            (
                "{{exported_namespace}} {{state}}",
                f'{RUNS_ENDED}{{namespace="{environment.platform.namespace}"}}',
            ),
        ),
    )
    yield Panel(
        "Failures by reason",
        "timeseries",
        (
            (
                "{{failure_reason}}",
                f"count by (failure_reason) (pipelinerun_result_failure_total{manager})",
            ),
        ),
    )


def _serving(environment: Environment, monitoring: Monitoring) -> Iterator[Panel]:
    here = f'{{namespace="{environment.platform.namespace}"}}'
    envoy = selector(environment, "envoy", f'envoy_cluster_name="{CLUSTER}"')
    times = f"sum by (le) (rate(envoy_cluster_upstream_rq_time_bucket{envoy}[5m]))"
    yield Panel("Calls of the API", "timeseries", (("calls", f"{API_CALLS}{here}"),), "reqps")
    yield Panel("Calls that fail", "timeseries", (("failed", f"{API_ERRORS}{here}"),), "percentunit")
    yield Panel(
        "Time of calls",
        "timeseries",
        tuple((f"P{part}", f"histogram_quantile({part / 100}, {times})") for part in (50, 99)),
        "ms",
    )
    if monitoring.serving_namespaces:
        where = f'{{namespace=~"{"|".join(monitoring.serving_namespaces)}"}}'
        by = "sum by (namespace, model)"
        served = f"{by} (rate(nv_inference_request_success{where}[5m]))"
        spent = f"{by} (rate(nv_inference_request_duration_us{where}[5m]))"
        failed = f"{by} (rate(nv_inference_request_failure{where}[5m]))"
        yield Panel(
            "Inference requests",
            "timeseries",
            (("{{model}}", served), ("{{model}} failed", failed)),
            "reqps",
        )
        yield Panel("Time of inference", "timeseries", (("{{model}}", f"{spent} / {served}"),), "µs")
        yield Panel("Models", "table", (("", f"{by} (nv_inference_request_success{where})"),))


def _controllers(environment: Environment) -> Iterator[Panel]:
    here = f'{{namespace="{environment.platform.namespace}"}}'
    manager = selector(environment, "controllermgr")
    yield Panel("Reconcile errors", "timeseries", (("{{controller}}", f"{RECONCILE_ERRORS}{here}"),), "ops")
    yield Panel(
        "Time of reconciling, P99", "timeseries", (("{{controller}}", f"{RECONCILE_SECONDS}{here}"),), "s"
    )
    yield Panel("Work queues", "timeseries", (("{{name}}", f"sum by (name) (workqueue_depth{manager})"),))
    calls = f"sum by (host, code) (rate(rest_client_requests_total{manager}[5m]))"
    yield Panel("Kubernetes APIs", "timeseries", (("{{host}} {{code}}", calls),), "reqps")


@lru_cache(maxsize=8)  # indented JSON is written by Python alone, which takes as long as all other objects
def _text(namespace: str, shown: tuple[Row, ...]) -> str:
    return json.dumps(_model(namespace, shown), indent=1, sort_keys=True)


def _model(namespace: str, shown: tuple[Row, ...]) -> dict[str, Any]:
    """Grafana's JSON of the dashboard."""
    panels: list[dict[str, Any]] = []
    top = 0
    for row in shown:
        panels.append(
            {
                "id": len(panels) + 1,
                "type": "row",
                "title": row.title,
                "collapsed": False,
                "gridPos": {"x": 0, "y": top, "w": WIDTH, "h": 1},
                "panels": [],
            }
        )
        top += 1
        for start in range(0, len(row.panels), ABREAST):
            line = row.panels[start : start + ABREAST]
            width = WIDTH // len(line)
            for index, panel in enumerate(line):
                place = {"x": index * width, "y": top, "w": width, "h": HEIGHT}
                panels.append({"id": len(panels) + 1, "gridPos": place, **_panel(panel)})
            top += HEIGHT
    return {
        "uid": f"michelangelo-{namespace}"[:40],
        "title": f"Michelangelo control plane ({namespace})",
        "tags": ["michelangelo"],
        "schemaVersion": 39,
        "editable": False,
        "refresh": "1m",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {
            "list": [
                {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"}
            ]
        },
        "panels": panels,
    }


def _panel(panel: Panel) -> dict[str, Any]:
    source = {"type": "prometheus", "uid": DATA_SOURCE}
    return {
        "type": panel.kind,
        "title": panel.title,
        "description": panel.description,
        "datasource": source,
        "fieldConfig": {"defaults": {"unit": panel.unit}, "overrides": []},
        "targets": [
            {
                "refId": chr(ord("A") + index),
                "datasource": source,
                "expr": expression,
                "legendFormat": legend,
                "instant": panel.kind != "timeseries",
                "range": panel.kind == "timeseries",
                **({"format": "table"} if panel.kind == "table" else {}),
            }
            for index, (legend, expression) in enumerate(panel.queries)
        ],
    }
