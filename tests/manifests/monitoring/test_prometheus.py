"""A real Prometheus with the rendered files: what it scrapes, records, and answers to the dashboard."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from madeploy.releases import RELEASES
from manifests.dashboards import rows
from manifests.monitoring import RULES_FILE, SCRAPES_FILE, monitoring
from tests.manifests.monitoring.series import (
    ENVOY,
    MANAGER,
    NAMESPACE,
    Series,
    healthy,
    labelled,
    of_manager,
    rising,
    scraped,
    since,
    steady,
)
from tests.manifests.monitoring.test_rules import RUN, a_run_failed, monitored
from tests.support.environments import environment
from tests.support.http_double import Answer, http_double
from tests.support.objects import one
from tests.support.prometheus import Prometheus, running
from tests.support.proves import proves

pytestmark = pytest.mark.whole

SERVING = "team-a"
PODS = {
    # job, path, labels of the pod, its namespace, its port
    MANAGER: ("/metrics", {"app": MANAGER}, NAMESPACE, "8091"),
    ENVOY: ("/stats/prometheus", {"app": ENVOY}, NAMESPACE, "9902"),
    "michelangelo-triton": ("/metrics", {"app": "triton-fraud"}, SERVING, "8002"),
}
"""Pods with metrics, by the last part of their jobs."""

_SERIES = re.compile(r"(?P<name>\w+)\{(?P<labels>.*)\}")
_VALUES = re.compile(r"(_x\d+ )?(?P<first>[-\d.e]+)(\+(?P<step>[-\d.e]+))?x\d+")
OF_TARGETS = {"job", "namespace", "pod", "instance"}


def values(release: str) -> Series:
    """Everything there is, with a run that has failed."""
    series = healthy(release)
    a_run_failed(series)
    more = {"state": "PIPELINE_RUN_STATE_FAILED", "namespace": "fraud"}
    series[of_manager("pipelinerun_result_total", **RUN, **more)] = since(52, steady(1))
    series[of_manager("controller_runtime_reconcile_errors_total", controller="rayjob")] = rising(30)
    return series


def exposed(series: Series, job: str | None, pod: str | None, seconds: float) -> str:
    """Exposition text of one pod, as many seconds after its start; without a job, what other exporters say,
    with all their labels."""
    lines = []
    for name, written in series.items():
        metric = _SERIES.fullmatch(name)
        assert metric is not None, name
        labels = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', metric["labels"]))
        is_ours = "job" in labels
        if metric["name"] == "up" or is_ours != (job is not None):
            continue
        if is_ours:
            if not labels["job"].endswith(f"/{job}") or labels["pod"] != pod:
                continue
            # What Prometheus keeps apart from the target's own.
            labels = {key: value for key, value in labels.items() if key not in OF_TARGETS}
            labels = {key.removeprefix("exported_"): value for key, value in labels.items()}
        value = _VALUES.fullmatch(written)
        assert value is not None, written
        now = float(value["first"]) + float(value["step"] or 0) * seconds / 60
        inner = ",".join(f'{key}="{text}"' for key, text in labels.items())
        lines.append(f"{metric['name']}{{{inner}}} {now}")
    return "\n".join(lines) + "\n"


def past() -> str:
    """Its own record of the controller manager until ten minutes ago, in OpenMetrics: a run is new only to a
    Prometheus that watched before it."""
    now = int(time.time())
    up = labelled("up", **scraped(MANAGER))
    lines = [f"{up} 1 {now - age}" for age in range(25 * 60, 10 * 60, -15)]
    return "\n".join(["# TYPE up gauge", *lines, "# EOF\n"])


def discovered(host: str, name: str, labels: dict[str, str], namespace: str, port: str) -> dict[str, Any]:
    """A target as the discovery of pods hands it on, at an address of this machine."""
    meta = {f"__meta_kubernetes_pod_label_{key}": value for key, value in labels.items()}
    meta |= {
        "__meta_kubernetes_namespace": namespace,
        "__meta_kubernetes_pod_name": name,
        "__meta_kubernetes_pod_container_port_number": port,
        # Which pod is asked: they are all at one address here.
        "__param_pod": name,
    }
    return {"targets": [host], "labels": meta}


def targets(host: str, namespaces: list[str]) -> list[dict[str, Any]]:
    """Every target in these namespaces: pods with metrics, their other ports, and other pods."""
    found = []
    for job, (_, labels, namespace, port) in PODS.items():
        for pod in "ab":
            for each in (port, "1"):
                found.append(discovered(host, f"{job}-{pod}", labels, namespace, each))
    found.append(discovered(host, "michelangelo-worker-a", {"app": "michelangelo-worker"}, NAMESPACE, "8091"))
    return [item for item in found if item["labels"]["__meta_kubernetes_namespace"] in namespaces]


@pytest.fixture(scope="module", params=RELEASES)
def prometheus(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Prometheus]:
    """A Prometheus with the files of an environment of each release; pods are found for it, because Debian's
    has no discovery of Kubernetes."""
    env = environment(
        platform={"release": request.param},
        tls={"mode": "internalCa"},
        network={"monitoringNamespace": "monitoring"},
        monitoring={"kind": "files", "servingNamespaces": [SERVING], "intervalSeconds": 5},
    )
    files = one(list(monitoring(env)), "ConfigMap", "michelangelo-prometheus")["data"]
    series, began = values(request.param), time.monotonic()

    def answer(_: str, path: str, __: dict[str, str], ___: bytes) -> Answer:
        where, _, query = path.partition("?")
        pod = query.removeprefix("pod=")
        job = next((job for job in PODS if pod.startswith(job)), None)
        if where != (PODS[job][0] if job else "/others"):
            return 404, {}, b""
        text = exposed(series, job, pod if job else None, time.monotonic() - began)
        return 200, {"Content-Type": "text/plain; version=0.0.4"}, text.encode()

    with http_double(answer) as host:
        config = yaml.safe_load(files[SCRAPES_FILE])
        for scrape in config["scrape_configs"]:
            (discovery,) = scrape.pop("kubernetes_sd_configs")
            scrape["static_configs"] = targets(host, discovery["namespaces"]["names"])
            scrape["scrape_interval"] = "1s"
        others = {"job_name": "others", "metrics_path": "/others", "honor_labels": True}
        others |= {"scrape_interval": "1s", "static_configs": [{"targets": [host]}]}
        config["scrape_configs"].append(others)
        config["global"] = {"evaluation_interval": "1s"}
        with running(config, files[RULES_FILE], past(), tmp_path_factory.mktemp("prometheus")) as started:
            yield started


@proves("OPS-3", played="pods and what finds them")
def test_it_scrapes_the_pods_that_are_meant_and_no_others(prometheus: Prometheus) -> None:
    """OPS-3: by name and port, on their paths, with the labels that rules and panels select by."""
    up = prometheus.until(lambda: len(found := prometheus.value("up == 1")) == 7 and found)
    jobs = {
        (item["metric"]["job"], item["metric"].get("namespace"), item["metric"].get("pod")) for item in up
    }
    expected = {
        (f"{NAMESPACE}/{job}", namespace, f"{job}-{pod}")
        for job, (_, _, namespace, _) in PODS.items()
        for pod in "ab"
    }
    assert jobs == expected | {("others", None, None)}
    assert prometheus.value("up == 0") == []
    dropped = prometheus.ask("targets", state="dropped")["droppedTargets"]
    names = {item["discoveredLabels"]["__meta_kubernetes_pod_name"] for item in dropped}
    assert "michelangelo-worker-a" in names


@proves("OPS-3", played="pods and what finds them")
def test_the_dashboards_queries_are_answered(prometheus: Prometheus) -> None:
    """OPS-3: every one, from what was scraped and from what the rules recorded of it."""
    version = "0.12" if prometheus.value("cr_reflector_errors_total") else "2026.04"
    env = monitored(version)
    assert env.monitoring is not None
    waiting = [
        query for row in rows(env, env.monitoring) for panel in row.panels for _, query in panel.queries
    ]

    def answered() -> bool:
        waiting[:] = [query for query in waiting if not prometheus.value(query)]
        return not waiting

    prometheus.until(answered)


def test_it_has_taken_every_rule(prometheus: Prometheus) -> None:
    """OPS-3: computed without an error; the failed run raises its alert."""
    groups = prometheus.until(lambda: evaluated(prometheus.ask("rules")["groups"]))
    rules = [rule for group in groups for rule in group["rules"]]
    assert [rule["name"] for rule in rules if rule["health"] != "ok"] == []
    firing = prometheus.until(lambda: prometheus.value('ALERTS{alertstate="firing"}'))
    assert {item["metric"]["alertname"] for item in firing} == {"MichelangeloPipelineRunsFailed"}


def evaluated(groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The groups, once each rule has been computed."""
    return groups if all(rule["health"] != "unknown" for group in groups for rule in group["rules"]) else []
