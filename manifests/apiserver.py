"""The API server: stateless gRPC in front of the Kubernetes API (requirement CP-1)."""

from __future__ import annotations

from typing import Final

from madeploy.names.addresses import API_PORT
from madeploy.names.kubernetes import config_map
from madeploy.settings import Environment
from manifests.metadata_database import with_database
from manifests.objects import Object, checksum
from manifests.pods import Container, checksum_annotation, config_volume, tcp_probe
from manifests.rbac import apiserver_rbac
from manifests.service_config import BASE_FILE, CONFIG_FOLDER, base_yaml
from manifests.workloads import (
    cluster_service,
    config_map_object,
    deployment,
    disruption_budget,
    service_account,
)

PORT: Final = "grpc"

# A connection is all that can be asked for: there is no HTTP, no health service, and the platform's RPC
# layer refuses calls without headers of its own, which the kubelet's gRPC probe does not send (facts 1.1).
_PROBES: Final = {
    "startupProbe": tcp_probe(PORT, period_seconds=2, failure_threshold=30),
    "readinessProbe": tcp_probe(PORT, period_seconds=5, failure_threshold=2),
    "livenessProbe": tcp_probe(PORT, period_seconds=20, failure_threshold=3),
}


def apiserver(environment: Environment) -> tuple[Object, ...]:
    """Deployment, Service, ConfigMap, ServiceAccount, RBAC and disruption budget."""
    text = base_yaml(environment, "apiserver")
    volume, mount = config_volume("config", config_map("apiserver"), CONFIG_FOLDER)
    container = with_database(
        environment,
        Container(
            probes=_PROBES,
            ports={PORT: API_PORT},
            serves=True,
            mounts=[mount],
            volumes=[volume],
            calls_kubernetes=True,
        ),
    )
    return (
        service_account(environment, "apiserver", calls_kubernetes=True),
        *apiserver_rbac(environment),
        config_map_object(environment, "apiserver", {BASE_FILE: text}),
        deployment(environment, "apiserver", container, checksum_annotation(checksum(text))),
        # HTTP/2 without TLS, said in the standard's words for gateways and meshes that ask.
        cluster_service(environment, "apiserver", PORT, API_PORT, "kubernetes.io/h2c"),
        *disruption_budget(environment, "apiserver"),
    )
