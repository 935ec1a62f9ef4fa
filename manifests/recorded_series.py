"""Series that Prometheus records, and how a service's series are selected."""

from __future__ import annotations

from typing import Any, Final

from madeploy.names.kubernetes import Workload, workload
from madeploy.settings import Environment
from manifests.envoy_config import CLUSTER

UPDATING: Final = "michelangelo:control_plane_updating"
"""1 while pods of an old template stand beside new ones of the control plane, at most until Kubernetes gives
the roll-out up; by namespace."""


RUNS_ENDED: Final = "michelangelo:pipeline_runs_ended:15m"


RUNS_FAILED: Final = "michelangelo:pipeline_runs_failed:15m"


RECONCILE_ERRORS: Final = "michelangelo:reconcile_errors:rate5m"


RECONCILE_SECONDS: Final = "michelangelo:reconcile_seconds:p99_5m"


API_CALLS: Final = "michelangelo:api_calls:rate5m"


API_ERRORS: Final = "michelangelo:api_errors:ratio5m"


def here(environment: Environment) -> str:
    """Label matcher of the environment's namespace."""
    return f'namespace="{environment.platform.namespace}"'


def selector(environment: Environment, service: Workload, more: str = "") -> str:
    """Label matchers of a service's series, `{…}`."""
    parts = [here(environment), f'job=~".*{workload(service)}.*"', *([more] if more else [])]
    return "{" + ",".join(parts) + "}"


def new(series: str, environment: Environment) -> str:
    """Series of runs that were not there a quarter of an hour ago, while their target was: after a gap of
    scrapes every old run would look new."""
    up = f"up{selector(environment, 'controllermgr')} offset 15m == 1"
    before = f"{series} offset 15m"
    return f"(({series} unless on (exported_namespace, pipeline_run) {before}) and on () ({up}))"


def recorded(environment: Environment) -> list[dict[str, Any]]:
    """Recording rules, as Prometheus reads them."""
    manager = selector(environment, "controllermgr")
    ours = f'{{{here(environment)},deployment=~"michelangelo-.*"}}'
    each = "max by (namespace, deployment)"
    progressing = ours.replace("}", ',condition="Progressing",status="true"}')
    upstream = f'envoy_cluster_name="{CLUSTER}"'
    every = selector(environment, "envoy", upstream)
    errors = selector(environment, "envoy", f'{upstream},envoy_response_code_class="5"')
    completed = f"rate(envoy_cluster_upstream_rq_completed{every}[5m])"
    rows = {
        UPDATING: f"max by (namespace) (({each} (kube_deployment_status_replicas_updated{ours})"
        f" != bool {each} (kube_deployment_status_replicas{ours}))"
        f" * {each} (kube_deployment_status_condition{progressing}))",
        RUNS_ENDED: "count by (exported_namespace, state) "
        f"{new(f'pipelinerun_result_total{manager}', environment)}",
        RUNS_FAILED: "count by (exported_namespace) "
        f"{new(f'pipelinerun_result_failure_total{manager}', environment)}",
        RECONCILE_ERRORS: "sum by (namespace, controller) "
        f"(rate(controller_runtime_reconcile_errors_total{manager}[5m]))",
        RECONCILE_SECONDS: "histogram_quantile(0.99, sum by (namespace, controller, le) "
        f"(rate(controller_runtime_reconcile_time_seconds_bucket{manager}[5m])))",
        API_CALLS: f"sum by (namespace) ({completed})",
        API_ERRORS: f"sum by (namespace) (rate(envoy_cluster_upstream_rq_xx{errors}[5m]))"
        f" / sum by (namespace) ({completed})",
    }
    # Those of runs get the environment's namespace back, by which environments in one Prometheus differ.
    named = {"namespace": environment.platform.namespace}
    return [
        {
            "record": name,
            "expr": expression,
            **({"labels": named} if name in (RUNS_ENDED, RUNS_FAILED) else {}),
        }
        for name, expression in rows.items()
    ]
