"""Alerts on the loss of the control plane (NET-16), on metrics that exist.

The guides' health endpoint answers 404 (V4) and the services export little (V8): what is used is the
controller manager's library metrics, Envoy's, and cert-manager's. They need to be scraped, as
`network.monitoringNamespace` admits, under jobs whose name contains the Service's, as the Prometheus
operator names them.
"""

from __future__ import annotations

from typing import Any, Final, Literal

from madeploy.names.kubernetes import Workload, workload
from madeploy.settings import Environment
from madeploy.settings.tls import ProvidedTls
from manifests.envoy_config import CLUSTER
from manifests.objects import Object, metadata

NAME: Final = "michelangelo-control-plane"
CERTIFICATE_DAYS: Final = 14
"""Days before expiry at which a certificate is reported. cert-manager renews after two thirds of its
life, which is 30 days before the end of a 90-day one: at 14 days renewal has failed for two weeks."""


def alerts(environment: Environment) -> tuple[Object, ...]:
    """The `PrometheusRule` with every alert; none unless `network.alerts` is on."""
    if not environment.network.alerts:
        return ()
    rules = [*_controller_manager(environment), *_api_server(environment), *_certificates(environment)]
    return (
        {
            "apiVersion": "monitoring.coreos.com/v1",
            "kind": "PrometheusRule",
            "metadata": metadata(NAME, environment.platform.namespace),
            "spec": {"groups": [{"name": "michelangelo-control-plane", "rules": rules}]},
        },
    )


def _selector(environment: Environment, service: Workload, more: str = "") -> str:
    parts = [f'namespace="{environment.platform.namespace}"', f'job=~".*{workload(service)}.*"']
    return "{" + ",".join([*parts, *([more] if more else [])]) + "}"


def _rule(
    name: str, expression: str, wait: str, severity: Literal["critical", "warning"], summary: str, action: str
) -> dict[str, Any]:
    return {
        "alert": f"Michelangelo{name}",
        "expr": expression,
        "for": wait,
        "labels": {"severity": severity},
        "annotations": {"summary": summary, "description": action},
    }


def _controller_manager(environment: Environment) -> list[dict[str, Any]]:
    here = _selector(environment, "controllermgr")
    failed = _selector(environment, "controllermgr", 'code="<error>"')
    denied = _selector(environment, "controllermgr", 'code=~"401|403"')
    rules = [
        _rule(
            "ControllerManagerDown",
            f"absent(up{here} == 1)",
            "5m",
            "critical",
            "No controller manager is up: nothing new is dispatched and nothing fails over",
            "Look at the pods of Deployment michelangelo-controllermgr and their previous logs; it stops at "
            "start-up when a configuration key is unknown, a definition is missing, or Temporal is "
            "unreachable.",
        ),
        _rule(
            "ReconcileErrors",
            f"sum by (controller) (rate(controller_runtime_reconcile_errors_total{here}[5m])) > 0.1",
            "15m",
            "warning",
            "Controller {{ $labels.controller }} keeps failing",
            "Its log names the objects and the reason.",
        ),
        _rule(
            "KubernetesApiUnreachable",
            f"sum by (host) (rate(rest_client_requests_total{failed}[5m])) > 0",
            "10m",
            "critical",
            "The controller manager gets no answer from the Kubernetes API at {{ $labels.host }}",
            "Check the cluster, the network path and the firewall; the Cluster object keeps its last "
            "status meanwhile, so it may still say it is ready.",
        ),
        _rule(
            "KubernetesApiDenied",
            f"sum by (host) (rate(rest_client_requests_total{denied}[5m])) > 0",
            "10m",
            "critical",
            "The Kubernetes API at {{ $labels.host }} refuses the controller manager's credential",
            "Replace the cluster's token, then restart the controller manager: it keeps a credential for "
            "as long as it runs.",
        ),
    ]
    # These two have no series before their first event, and a rate sees no first event: their value counts
    # from the start of the process, and stays until the next one.
    undecoded = environment.release.reflector_errors
    rules.append(
        _rule(
            "ObjectsNotDecoded",
            f"sum by (crd_type) ({undecoded}{here}) > 0",
            "5m",
            "warning",
            "The controller manager cannot decode objects of {{ $labels.crd_type }}, and leaves them alone",
            "Its log names them. Mostly a definition is newer than the service: both come from one release.",
        )
    )
    if environment.release.cascades:
        rules.append(
            _rule(
                "DeletionGaveUp",
                f"sum by (kind) (cascade_child_drain_timeout_total{here}) > 0",
                "5m",
                "warning",
                "Runs of a deleted Pipeline did not end in a day, and were let go ({{ $labels.kind }})",
                "Their workflows may still run; end them in the workflow engine.",
            )
        )
    if environment.control_plane.controllermgr.leader_election:
        lease = environment.control_plane.controllermgr.leader_election_id
        leader = _selector(environment, "controllermgr", f'name="{lease}"')
        rules.append(
            _rule(
                "NoLeader",
                f"max(leader_election_master_status{leader}) < 1",
                "5m",
                "critical",
                "Controller managers run, but none leads: nothing is reconciled",
                f"Look at Lease {lease} and whether its holder is alive.",
            )
        )
    return rules


def _api_server(environment: Environment) -> list[dict[str, Any]]:
    upstream = f'envoy_cluster_name="{CLUSTER}"'
    every = _selector(environment, "envoy", upstream)
    errors = _selector(environment, "envoy", f'{upstream},envoy_response_code_class="5"')
    return [
        _rule(
            "EnvoyDown",
            f"absent(up{_selector(environment, 'envoy')} == 1)",
            "5m",
            "critical",
            "No Envoy is up: the browser application cannot reach the API",
            "Look at the pods of Deployment michelangelo-envoy.",
        ),
        _rule(
            "ApiServerUnreachable",
            f"max(envoy_cluster_membership_healthy{every}) < 1",
            "2m",
            "critical",
            "No Envoy gets a connection to the API server: users, workers and task pods are cut off",
            "Look at the pods of Deployment michelangelo-apiserver and at the NetworkPolicies between the "
            "two. There is no automatic failover.",
        ),
        _rule(
            "ApiErrors",
            f"sum(rate(envoy_cluster_upstream_rq_xx{errors}[5m]))"
            f" / sum(rate(envoy_cluster_upstream_rq_completed{every}[5m])) > 0.05",
            "10m",
            "warning",
            "More than one in twenty calls from browsers ends without an answer of the API server",
            "Envoy's access log names the reason of each in `flags` and `details`.",
        ),
    ]


def _certificates(environment: Environment) -> list[dict[str, Any]]:
    if isinstance(environment.tls, ProvidedTls):
        return []
    metric = "certmanager_certificate_expiration_timestamp_seconds"
    # cert-manager's own pod is what is scraped: a scrape that sets `namespace` itself moves the
    # certificate's to `exported_namespace`.
    found = " or ".join(
        f'{metric}{{{label}="{environment.platform.namespace}"}}'
        for label in ("namespace", "exported_namespace")
    )
    return [
        _rule(
            "CertificateNotRenewed",
            f"({found}) - time() < {CERTIFICATE_DAYS * 86_400}",
            "1h",
            "critical",
            f"Certificate {{{{ $labels.name }}}} runs out in less than {CERTIFICATE_DAYS} days",
            "Its Certificate object and the challenges below it say why it was not renewed.",
        )
    ]
