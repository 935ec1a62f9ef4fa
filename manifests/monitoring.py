"""What the cluster's Prometheus, kube-state-metrics and Grafana read (OPS-3)."""

from __future__ import annotations

from typing import Any, Final

from madeploy.names.aws import service_host
from madeploy.names.kubernetes import API_GROUP, API_VERSION
from madeploy.settings import Environment
from madeploy.settings.monitoring import AmazonPrometheus, Monitoring
from manifests.alerts import CLUSTER_HEALTH, rule_groups
from manifests.dashboards import dashboard
from manifests.objects import Object, metadata, to_yaml
from manifests.scrapes import pod_monitor, scrape_config, scrapes

PROMETHEUS: Final = "michelangelo-prometheus"
"""ConfigMap with what Prometheus reads besides objects of its operator."""

SCRAPES_FILE: Final = "scrape.yaml"
RULES_FILE: Final = "rules.yaml"
REMOTE_WRITE_FILE: Final = "remote-write.yaml"

KUBE_STATE_METRICS: Final = "michelangelo-kube-state-metrics"
"""ConfigMap with what kube-state-metrics reads as `--custom-resource-state-config-file`."""

STATE_FILE: Final = "config.yaml"


def monitoring(environment: Environment) -> tuple[Object, ...]:
    """PodMonitors or a plain Prometheus' files, kube-state-metrics' configuration and the dashboard; nothing
    without `monitoring`. The alerts of the Prometheus operator are a part of their own."""
    settings = environment.monitoring
    if settings is None:
        return ()
    files: dict[str, str] = {}
    monitors: tuple[Object, ...] = ()
    if settings.kind == "operator":
        monitors = tuple(
            pod_monitor(environment, settings, scrape) for scrape in scrapes(environment, settings)
        )
    else:
        configs = [scrape_config(environment, settings, scrape) for scrape in scrapes(environment, settings)]
        files[SCRAPES_FILE] = to_yaml({"scrape_configs": configs})
    if settings.kind == "files" or settings.amazon is not None:
        files[RULES_FILE] = to_yaml({"groups": rule_groups(environment)})
    if settings.amazon is not None:
        files[REMOTE_WRITE_FILE] = to_yaml(_remote_write(settings, settings.amazon))
    return (
        *monitors,
        *((_config_map(environment, PROMETHEUS, files),) if files else ()),
        _config_map(environment, KUBE_STATE_METRICS, {STATE_FILE: to_yaml(_state_metrics())}),
        *dashboard(environment, settings),
    )


def _config_map(environment: Environment, name: str, data: dict[str, str]) -> Object:
    made = metadata(name, environment.platform.namespace)
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": made, "data": data}


def _remote_write(settings: Monitoring, amazon: AmazonPrometheus) -> dict[str, Any]:
    """What makes Prometheus write to the workspace: as a part of its configuration, or of the operator's
    `Prometheus` (Amazon Managed Service for Prometheus User Guide, ingest metrics)."""
    _, _, _, region, _, resource = amazon.workspace_arn.split(":")
    host = service_host("aps-workspaces", region)
    url = f"https://{host}/workspaces/{resource.removeprefix('workspace/')}/api/v1/remote_write"
    role, top = ("roleArn", "remoteWrite") if settings.kind == "operator" else ("role_arn", "remote_write")
    signed = {"region": region} | ({} if amazon.role_arn is None else {role: amazon.role_arn})
    return {top: [{"url": url, "sigv4": signed}]}


def _state_metrics() -> dict[str, Any]:
    """Custom-resource state of `Cluster` objects (kube-state-metrics documentation, Custom Resource State
    Metrics): when each condition was last written, which is all that tells of a cluster's health (V15)."""
    prefix, _, name = CLUSTER_HEALTH.rpartition("_health_")
    return {
        "kind": "CustomResourceStateMetrics",
        "spec": {
            "resources": [
                {
                    "groupVersionKind": {
                        "group": API_GROUP,
                        "version": API_VERSION.rpartition("/")[2],
                        "kind": "Cluster",
                    },
                    "metricNamePrefix": prefix,
                    "labelsFromPath": {"cluster": ["metadata", "name"]},
                    "metrics": [
                        {
                            "name": f"health_{name}",
                            "help": "When a condition of a registered cluster was last written",
                            "each": {
                                "type": "Gauge",
                                "gauge": {
                                    "path": ["status", "statusConditions"],
                                    "labelsFromPath": {"type": ["type"], "status": ["status"]},
                                    "valueFrom": ["lastUpdatedTimestamp"],
                                },
                            },
                        }
                    ],
                }
            ]
        },
    }
