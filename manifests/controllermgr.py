"""The controller manager: one leader at work, the other replicas ready to follow (requirement CP-2)."""

from __future__ import annotations

from typing import Final

from madeploy.names.addresses import METRICS_PORT
from madeploy.settings import Environment
from manifests.inputs import Inputs
from manifests.metadata_database import with_database
from manifests.objects import Object
from manifests.pods import Container, http_probe, tcp_probe
from manifests.rbac import controllermgr_rbac
from manifests.service_config import BASE_FILE, base_yaml
from manifests.storage_clients import client_annotations, client_container, client_service_account
from manifests.workloads import cluster_service, config_map_object, deployment, disruption_budget

PORT: Final = "metrics"

# The probe listener answers 404 on every path (V4); metrics are served by leader and followers alike.
# Writing them all out takes a while in a busy process, which is no reason to kill it.
_PROBES: Final = {
    "startupProbe": http_probe(PORT, "/metrics", period_seconds=2, failure_threshold=30),
    "readinessProbe": http_probe(PORT, "/metrics", period_seconds=10, failure_threshold=3),
    "livenessProbe": tcp_probe(PORT, period_seconds=20, failure_threshold=3),
}


CREDENTIALS_ANNOTATION: Final = "michelangelo.infra/cluster-credentials-revision"
"""Annotation of the pod template that changes when clusters' credentials were replaced or withdrawn."""


def _revision(environment: Environment) -> dict[str, str]:
    """That annotation; none before the first time, so that adding a cluster rolls nothing. It is counted, and
    not computed from the credentials: pods may be rolled only after the Secrets have changed, and not at all
    for a new cluster (facts 3.1, V14)."""
    revision = environment.control_plane.controllermgr.credentials_revision
    return {CREDENTIALS_ANNOTATION: str(revision)} if revision > 0 else {}


def controllermgr(inputs: Inputs) -> tuple[Object, ...]:
    """Deployment, Service, ConfigMap, ServiceAccount, RBAC and disruption budget. Without leader election
    the old pod stops before the new one starts: two at work would undo each other's changes."""
    environment = inputs.environment
    text = base_yaml(environment, "controllermgr")
    own = Container(probes=_PROBES, ports={PORT: METRICS_PORT}, calls_kubernetes=True)
    container = with_database(environment, client_container(environment, "controllermgr", own))
    return (
        client_service_account(inputs, "controllermgr", calls_kubernetes=True),
        *controllermgr_rbac(environment),
        config_map_object(environment, "controllermgr", {BASE_FILE: text}),
        deployment(
            environment,
            "controllermgr",
            container,
            {**client_annotations(inputs, "controllermgr", text), **_revision(environment)},
            overlap=environment.control_plane.controllermgr.leader_election,
        ),
        cluster_service(environment, "controllermgr", PORT, METRICS_PORT, "http"),
        *disruption_budget(environment, "controllermgr"),
    )
