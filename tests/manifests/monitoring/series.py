"""Series as Prometheus has them of a control plane: those of real controller managers of both releases
(`fixtures/`), and of other exporters as their documentation names them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tests.support.promtool import MINUTES

FIXTURES = Path(__file__).parent / "fixtures"
NAMESPACE = "ma-system"
MANAGER = "michelangelo-controllermgr"
ENVOY = "michelangelo-envoy"
LEASE = "michelangelo-controllermgr"

Series = dict[str, str]
"""Values over time in promtool's notation, by name and labels."""


def labelled(metric: str, /, **labels: str) -> str:
    """`metric{…}` with its labels in order."""
    inner = ",".join(f'{key}="{value}"' for key, value in sorted(labels.items()))
    return f"{metric}{{{inner}}}"


def scraped(service: str, pod: str = "a", namespace: str = NAMESPACE) -> dict[str, str]:
    """Labels of a target, as `manifests.scrapes` sets them."""
    return {
        "job": f"{NAMESPACE}/{service}",
        "namespace": namespace,
        "pod": f"{service}-{pod}",
        "instance": f"10.0.0.1:{pod}",
    }


def steady(value: float | str) -> str:
    """The same value all the time."""
    return f"{value}x{MINUTES}"


def rising(step: float) -> str:
    """A counter or clock that rises by so much a minute."""
    return f"0+{step}x{MINUTES}"


def until(minute: int, values: str) -> str:
    """Values up to a minute, and no sample afterwards."""
    first, _, _ = values.rpartition("x")
    return f"{first}x{minute} _x{MINUTES - minute - 1}"


def since(minute: int, values: str) -> str:
    """No sample up to a minute."""
    first, _, _ = values.rpartition("x")
    return f"_x{minute} {first}x{MINUTES - minute}"


def exported(release: str) -> Iterator[tuple[str, dict[str, str], float]]:
    """Name, labels and value of everything a real controller manager of a release had."""
    for line in (FIXTURES / f"controllermgr-{release}.txt").read_text().splitlines():
        series, _, value = line.rpartition(" ")
        name, _, inner = series.partition("{")
        yield name, dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', inner)), float(value)


def of_manager(metric: str, /, **labels: str) -> str:
    """A series of the leading controller manager: its own `namespace` makes way for the target's."""
    if "namespace" in labels:
        labels["exported_namespace"] = labels.pop("namespace")
    return labelled(metric, **labels, **scraped(MANAGER))


def of_envoy(metric: str, /, **labels: str) -> str:
    """A series of Envoy's, about its calls of the API server."""
    return labelled(metric, envoy_cluster_name="michelangelo-apiserver", **labels, **scraped(ENVOY))


def healthy(release: str) -> Series:
    """Everything is as it should be; one pipeline run failed long ago."""
    series: Series = {}
    for name, labels, value in exported(release):
        series[of_manager(name, **labels)] = steady(value)
    series[of_manager("rest_client_requests_total", code="200", host="10.1.0.1", method="GET")] = rising(2)
    series[of_manager("controller_runtime_reconcile_time_seconds_bucket", controller="rayjob", le="0.1")] = (
        rising(3)
    )
    series[of_manager("controller_runtime_reconcile_time_seconds_bucket", controller="rayjob", le="+Inf")] = (
        rising(3)
    )
    for service in (MANAGER, ENVOY):
        for pod in "ab":
            series[labelled("up", **scraped(service, pod))] = steady(1)
        deployment = {"namespace": NAMESPACE, "deployment": service}
        series[labelled("kube_deployment_status_replicas", **deployment)] = steady(2)
        series[labelled("kube_deployment_status_replicas_updated", **deployment)] = steady(2)
        for status, value in (("true", 1), ("false", 0), ("unknown", 0)):
            condition = labelled(
                "kube_deployment_status_condition", **deployment, condition="Progressing", status=status
            )
            series[condition] = steady(value)
    for pod, leads in (("a", 1), ("b", 0)):
        leader = labelled("leader_election_master_status", name=LEASE, **scraped(MANAGER, pod))
        series[leader] = steady(leads)
    series[of_envoy("envoy_cluster_membership_healthy")] = steady(1)
    series[of_envoy("envoy_cluster_upstream_rq_completed")] = rising(60)
    series[of_envoy("envoy_cluster_upstream_rq_xx", envoy_response_code_class="2")] = rising(60)
    series[of_envoy("envoy_cluster_upstream_rq_xx", envoy_response_code_class="5")] = steady(0)
    for edge in ("5", "25", "+Inf"):
        series[of_envoy("envoy_cluster_upstream_rq_time_bucket", le=edge)] = rising(60)
    certificate = "certmanager_certificate_expiration_timestamp_seconds"
    series[labelled(certificate, name="api", namespace=NAMESPACE)] = steady(60 * 86_400)
    series[cluster_health()] = rising(60)
    for result, values in (("success", rising(600)), ("failure", steady(0))):
        series[of_model(f"nv_inference_request_{result}")] = values
    series[of_model("nv_inference_request_duration_us")] = rising(600 * 20_000)
    return series


def cluster_health(status: str = "TRUE") -> str:
    """When the condition of a registered cluster was last written."""
    return labelled(
        "michelangelo_cluster_health_timestamp_seconds",
        cluster="gpu-west",
        status=f"CONDITION_STATUS_{status}",
        type="Ready",
    )


def of_model(name: str) -> str:
    """A series of an inference server."""
    return labelled(name, model="fraud", version="1", **scraped("michelangelo-triton", namespace="team-a"))
