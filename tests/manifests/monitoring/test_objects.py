"""What Prometheus, kube-state-metrics and Grafana are given: complete, and the same in every form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from madeploy.names.addresses import ENVOY_METRICS_PORT, METRICS_PORT
from manifests import catalog
from manifests.monitoring import monitoring
from tests.support import promtool
from tests.support.environments import environment
from tests.support.objects import of_kind, one
from tests.support.proves import proves

WORKSPACE = "arn:aws:aps:eu-west-1:123456789012:workspace/ws-11111111-2222-3333-4444-555555555555"
SCRAPED = {"monitoringNamespace": "monitoring"}


def objects(**settings: Any) -> list[dict[str, Any]]:
    """Objects of the part, with these settings."""
    return list(monitoring(environment(network=SCRAPED, monitoring=settings)))


def files(**settings: Any) -> dict[str, Any]:
    """Files of a plain Prometheus, as data."""
    made = one(objects(**settings), "ConfigMap", "michelangelo-prometheus")
    return {name: yaml.safe_load(text) for name, text in made["data"].items()}


def kept(endpoint: dict[str, Any]) -> dict[str, str]:
    """What an endpoint keeps of the discovered targets."""
    operated = "relabelings" in endpoint
    steps = endpoint["relabelings" if operated else "relabel_configs"]
    label = "sourceLabels" if operated else "source_labels"
    kept = [step for step in steps if step.get("action") == "keep"]
    return {step[label][0].removeprefix("__meta_kubernetes_pod_"): step["regex"] for step in kept}


def test_nothing_is_monitored_unless_it_is_asked_for() -> None:
    """OPS-3."""
    assert monitoring(environment()) == ()
    kinds = {obj["kind"] for obj in catalog.objects(environment())}
    assert not kinds & {"PodMonitor", "PrometheusRule", "GrafanaDashboard"}


@proves("OPS-3")
def test_every_service_with_metrics_is_scraped_where_it_has_them() -> None:
    """OPS-3: by the ports that its pods have, on the paths that answer."""
    labels = {"release": "kube-prometheus-stack"}
    monitors = of_kind(objects(labels=labels), "PodMonitor")
    found = {monitor["metadata"]["name"]: monitor["spec"]["podMetricsEndpoints"][0] for monitor in monitors}
    assert {name: endpoint["path"] for name, endpoint in found.items()} == {
        "michelangelo-controllermgr": "/metrics",
        "michelangelo-envoy": "/stats/prometheus",
    }
    ports = {name: kept(endpoint)["container_port_number"] for name, endpoint in found.items()}
    assert ports == {
        "michelangelo-controllermgr": str(METRICS_PORT),
        "michelangelo-envoy": str(ENVOY_METRICS_PORT),
    }
    assert all(labels.items() <= monitor["metadata"]["labels"].items() for monitor in monitors)


def test_what_others_run_is_scraped_where_the_settings_name_it() -> None:
    """OPS-3: inference servers, their Gateways, and KubeRay's operator."""
    monitors = of_kind(objects(servingNamespaces=["team-a", "team-b"], kuberay=True), "PodMonitor")
    places = {
        monitor["metadata"]["name"]: monitor["spec"]["namespaceSelector"]["matchNames"]
        for monitor in monitors
    }
    assert places["michelangelo-triton"] == places["michelangelo-gateways"] == ["team-a", "team-b"]
    assert places["michelangelo-kuberay"] == ["ray-system"]


def test_a_plain_prometheus_scrapes_the_same_with_the_same_labels() -> None:
    """OPS-3: rules select by `job` and `namespace`, which the operator sets by itself."""
    settings: dict[str, Any] = {"servingNamespaces": ["team-a"], "kuberay": True, "intervalSeconds": 15}
    operated = of_kind(objects(**settings), "PodMonitor")
    plain = files(kind="files", **settings)["scrape.yaml"]["scrape_configs"]
    assert [config["job_name"] for config in plain] == [
        f"ma-system/{monitor['metadata']['name']}" for monitor in operated
    ]
    for config, monitor in zip(plain, operated, strict=True):
        (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
        assert kept(config) == kept(endpoint)
        assert (config["metrics_path"], config["scrape_interval"]) == (endpoint["path"], "15s")
        assert (
            config["kubernetes_sd_configs"][0]["namespaces"]["names"]
            == (monitor["spec"]["namespaceSelector"]["matchNames"])
        )
        assert {step["target_label"] for step in config["relabel_configs"] if "target_label" in step} == {
            "namespace",
            "pod",
        }


@pytest.mark.whole
def test_prometheus_takes_the_files(tmp_path: Path) -> None:
    """OPS-3: `promtool check config` on the scrapes, and on writing to Amazon's service with a role."""
    amazon = {"workspaceArn": WORKSPACE, "roleArn": "arn:aws:iam::123456789012:role/metrics"}
    parts = files(kind="files", servingNamespaces=["team-a"], kuberay=True, amazon=amazon)
    config = parts["scrape.yaml"] | parts["remote-write.yaml"]
    for scrape in config["scrape_configs"]:
        # Debian's build leaves the discovery of Kubernetes out, and knows no such key.
        assert scrape.pop("kubernetes_sd_configs")[0]["role"] == "pod"
        scrape["static_configs"] = [{"targets": ["10.0.0.1:8091"]}]
    right, said = promtool.check_config(config, tmp_path)
    assert right, said
    config["remote_write"][0]["sigv4"]["roleArn"] = config["remote_write"][0]["sigv4"].pop("role_arn")
    assert not promtool.check_config(config, tmp_path)[0]


def test_series_are_written_to_amazon_as_a_role() -> None:
    """OPS-3: requests are signed; no key is in the files. The operator spells the same in its own way."""
    role = "arn:aws:iam::123456789012:role/metrics"
    url = (
        "https://aps-workspaces.eu-west-1.amazonaws.com/workspaces/"
        "ws-11111111-2222-3333-4444-555555555555/api/v1/remote_write"
    )
    amazon = {"workspaceArn": WORKSPACE, "roleArn": role}
    plain = files(kind="files", amazon=amazon)["remote-write.yaml"]
    assert plain == {"remote_write": [{"url": url, "sigv4": {"region": "eu-west-1", "role_arn": role}}]}
    operated = files(amazon=amazon)
    assert operated["remote-write.yaml"] == {
        "remoteWrite": [{"url": url, "sigv4": {"region": "eu-west-1", "roleArn": role}}]
    }
    assert [group["name"] for group in operated["rules.yaml"]["groups"]] == [
        "michelangelo-recorded",
        "michelangelo-control-plane",
    ]
    own = files(kind="files", amazon={"workspaceArn": WORKSPACE})["remote-write.yaml"]
    assert own["remote_write"][0]["sigv4"] == {"region": "eu-west-1"}


def test_the_age_of_a_clusters_proof_comes_from_its_conditions() -> None:
    """OPS-3, V15: the paths are those of the definition that the platform installs."""
    made = one(objects(), "ConfigMap", "michelangelo-kube-state-metrics")
    (resource,) = yaml.safe_load(made["data"]["config.yaml"])["spec"]["resources"]
    assert resource["groupVersionKind"] == {"group": "michelangelo.api", "version": "v2", "kind": "Cluster"}
    (metric,) = resource["metrics"]
    gauge = metric["each"]["gauge"]
    cluster = {
        "metadata": {"name": "gpu-west"},
        "status": {
            "statusConditions": [
                {"type": "Ready", "status": "CONDITION_STATUS_TRUE", "lastUpdatedTimestamp": "1790000000"}
            ]
        },
    }
    (condition,) = _at(cluster, gauge["path"])
    assert float(_at(condition, gauge["valueFrom"])) == 1_790_000_000
    labels = {name: _at(condition, path) for name, path in gauge["labelsFromPath"].items()}
    assert labels == {"type": "Ready", "status": "CONDITION_STATUS_TRUE"}
    assert _at(cluster, resource["labelsFromPath"]["cluster"]) == "gpu-west"
    name = f"{resource['metricNamePrefix']}_{metric['name']}"
    assert name == "michelangelo_cluster_health_timestamp_seconds"


def _at(data: Any, path: list[str]) -> Any:
    for step in path:
        data = data[step]
    return data


def test_the_dashboard_has_the_guides_four_rows() -> None:
    """OPS-3: in both forms, with panels that do not lie on each other."""
    sidecar = one(objects(), "ConfigMap", "michelangelo-dashboard")
    assert sidecar["metadata"]["labels"]["grafana_dashboard"] == "1"
    operated = one(
        objects(dashboards={"kind": "grafanaOperator"}), "GrafanaDashboard", "michelangelo-dashboard"
    )
    assert operated["spec"]["instanceSelector"] == {"matchLabels": {"dashboards": "grafana"}}
    assert operated["spec"]["json"] == sidecar["data"]["michelangelo.json"]
    panels = json.loads(operated["spec"]["json"])["panels"]
    titles = [panel["title"] for panel in panels if panel["type"] == "row"]
    assert titles == ["Overview", "Jobs", "API and serving", "Controller health"]
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {
            (place["x"] + column, place["y"] + line)
            for column in range(place["w"])
            for line in range(place["h"])
        }
        assert not cells & taken
        assert place["x"] + place["w"] <= 24
        taken |= cells
    assert len({panel["id"] for panel in panels}) == len(panels)


def test_labels_are_those_that_somebody_looks_for() -> None:
    """OPS-3: a sidecar or a Grafana of one's own, or no dashboard."""
    own = one(objects(dashboards={"labels": {"grafana": "yes"}}), "ConfigMap", "michelangelo-dashboard")
    assert own["metadata"]["labels"]["grafana"] == "yes"
    assert "grafana_dashboard" not in own["metadata"]["labels"]
    assert len(objects(dashboards={"kind": "none"})) == len(objects()) - 1
