"""What is scraped, as PodMonitors for the Prometheus operator and as configuration of a plain Prometheus
(OPS-3).

Pods are scraped, and not Services: every replica answers for itself, and Envoy's and the inference servers'
metrics are behind no Service. Both forms set the same labels: `namespace`, `pod`, and as `job` the
monitor's namespace and name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from madeploy.names.kubernetes import KUBERAY_NAMESPACE, selector_labels, workload
from madeploy.names.services import deployed
from madeploy.settings import Environment
from madeploy.settings.monitoring import Monitoring
from manifests.objects import Object, metadata

TRITON_METRICS_PORT: Final = 8002
"""Metrics of an inference server (facts 3.5)."""

ISTIO_METRICS_PORT: Final = 15090
"""Metrics of a Gateway's Envoy, as Istio runs it (Istio documentation, Application Requirements)."""

KUBERAY_METRICS_PORT: Final = 8080
"""Metrics of KubeRay's operator (its chart's values)."""

_PREFIX: Final = "__meta_kubernetes_pod_"


@dataclass(frozen=True)
class Scrape:
    """Pods with metrics."""

    name: str
    namespaces: tuple[str, ...]
    label: str
    """Label by which the pods are known."""

    value: str
    """Its value, as an expression that matches it whole."""

    port: int
    path: str

    @property
    def kept(self) -> tuple[tuple[str, str], ...]:
        """Labels of discovered targets, and what they must match: the pods' own and their port."""
        return ((_meta(self.label), self.value), (f"{_PREFIX}container_port_number", str(self.port)))


def scrapes(environment: Environment, monitoring: Monitoring) -> tuple[Scrape, ...]:
    """The control plane's services that have metrics, and what the settings add."""
    found = [
        Scrape(
            workload(service.name),
            (environment.platform.namespace,),
            *next(iter(selector_labels(service.name).items())),
            service.metrics_port,
            service.metrics_path,
        )
        for service in deployed(environment)
        if service.metrics_port is not None
    ]
    serving = monitoring.serving_namespaces
    if serving:
        gateway = "gateway.networking.k8s.io/gateway-name"
        found += [
            Scrape("michelangelo-triton", serving, "app", "triton-.+", TRITON_METRICS_PORT, "/metrics"),
            Scrape("michelangelo-gateways", serving, gateway, ".+", ISTIO_METRICS_PORT, "/stats/prometheus"),
        ]
    if monitoring.kuberay:
        found.append(
            Scrape(
                "michelangelo-kuberay",
                (KUBERAY_NAMESPACE,),
                "app.kubernetes.io/name",
                "kuberay-operator",
                KUBERAY_METRICS_PORT,
                "/metrics",
            )
        )
    return tuple(found)


def _meta(label: str) -> str:
    """Prometheus' name for a pod's label: what is no letter, digit or underscore becomes an underscore."""
    return f"{_PREFIX}label_" + "".join(letter if letter.isalnum() else "_" for letter in label)


def pod_monitor(environment: Environment, monitoring: Monitoring, scrape: Scrape) -> Object:
    """One `PodMonitor`. Ports are told by number, because those of pods made by others have no known
    names, and older operators know no number but this way."""
    made = metadata(scrape.name, environment.platform.namespace)
    made["labels"] |= monitoring.labels
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PodMonitor",
        "metadata": made,
        "spec": {
            "namespaceSelector": {"matchNames": list(scrape.namespaces)},
            "selector": {"matchExpressions": [{"key": scrape.label, "operator": "Exists"}]},
            "podMetricsEndpoints": [
                {
                    "path": scrape.path,
                    "interval": f"{monitoring.interval_seconds}s",
                    "relabelings": [
                        {"sourceLabels": [label], "regex": regex, "action": "keep"}
                        for label, regex in scrape.kept
                    ],
                }
            ],
        },
    }


def scrape_config(environment: Environment, monitoring: Monitoring, scrape: Scrape) -> dict[str, Any]:
    """One entry of a plain Prometheus' `scrape_configs`."""
    return {
        "job_name": f"{environment.platform.namespace}/{scrape.name}",
        "metrics_path": scrape.path,
        "scrape_interval": f"{monitoring.interval_seconds}s",
        "kubernetes_sd_configs": [{"role": "pod", "namespaces": {"names": list(scrape.namespaces)}}],
        "relabel_configs": [
            *({"source_labels": [label], "regex": regex, "action": "keep"} for label, regex in scrape.kept),
            {"source_labels": ["__meta_kubernetes_namespace"], "target_label": "namespace"},
            {"source_labels": [f"{_PREFIX}name"], "target_label": "pod"},
        ],
    }
