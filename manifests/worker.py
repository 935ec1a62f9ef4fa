"""The worker: polls the workflow engine's queues and calls the API server (requirement CP-3)."""

from __future__ import annotations

from manifests.inputs import Inputs
from manifests.objects import Object
from manifests.pods import Container
from manifests.service_config import BASE_FILE, base_yaml
from manifests.storage_clients import client_annotations, client_container, client_service_account
from manifests.workloads import config_map_object, deployment, disruption_budget


def worker(inputs: Inputs) -> tuple[Object, ...]:
    """Deployment, ConfigMap, ServiceAccount and disruption budget. No Service and no probe: the worker
    opens no port, and its image has no shell to run a check in; it exits when it cannot go on, and the
    kubelet starts it again (facts 1.1)."""
    environment = inputs.environment
    text = base_yaml(environment, "worker")
    container = client_container(environment, "worker", Container(probes={}))
    annotations = client_annotations(inputs, "worker", text)
    return (
        client_service_account(inputs, "worker"),
        config_map_object(environment, "worker", {BASE_FILE: text}),
        deployment(environment, "worker", container, annotations),
        *disruption_budget(environment, "worker"),
    )
