"""The five services rolled out by a real scheduler and real controllers, on nodes in three zones."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from kubernetes import client, config, dynamic

from madeploy.names.kubernetes import Workload, workload
from madeploy.names.services import SERVICES
from madeploy.sandbox.environment import Environment
from madeploy.settings import CONTROL_PLANE
from madeploy.settings import Environment as Settings
from manifests import catalog
from tests.support.environments import environment as smallest
from tests.support.proves import proves

NAMESPACE = "rollout-test"
KINDS = ("Namespace", "ServiceAccount", "ConfigMap", "Deployment", "PodDisruptionBudget")
LIMIT_SECONDS = 180.0


@pytest.fixture(scope="module")
def api(environment: Environment) -> Iterator[client.ApiClient]:
    """The control plane's API server; what the tests make there goes with its namespace."""
    with config.new_client_from_config(str(environment.kubeconfig), CONTROL_PLANE) as found:
        yield found
        client.CoreV1Api(found).delete_namespace(NAMESPACE)


def settings(**control_plane: object) -> Settings:
    return smallest(platform={"namespace": NAMESPACE}, controlPlane=control_plane)


def deploy(api: client.ApiClient, chosen: Settings) -> None:
    """Apply the services' own objects, and wait until every Deployment has rolled out."""
    dynamic_client = dynamic.DynamicClient(api)
    for obj in catalog.objects(chosen):
        if obj["kind"] in KINDS and NAMESPACE in (obj["metadata"].get("namespace"), obj["metadata"]["name"]):
            resource = dynamic_client.resources.get(api_version=obj["apiVersion"], kind=obj["kind"])
            dynamic_client.server_side_apply(resource, body=obj, field_manager=NAMESPACE)
    wait_for(lambda: all(rolled_out(api, workload(service)) for service in SERVICES), api)


def rolled_out(api: client.ApiClient, name: str) -> bool:
    found = client.AppsV1Api(api).read_namespaced_deployment(name, NAMESPACE)
    status, wanted = found.status, found.spec.replicas
    return (
        status.observed_generation == found.metadata.generation
        and (status.updated_replicas, status.available_replicas, status.replicas) == (wanted,) * 3
    )


def wait_for(condition: Callable[[], bool], api: client.ApiClient) -> None:
    deadline = time.monotonic() + LIMIT_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            events = client.CoreV1Api(api).list_namespaced_event(NAMESPACE).items
            pytest.fail("\n".join(f"{event.involved_object.name}: {event.message}" for event in events[-20:]))
        time.sleep(0.3)


def pods(api: client.ApiClient, service: Workload) -> dict[str, str]:
    """Names of a service's pods that are not on their way out, and their nodes."""
    found = client.CoreV1Api(api).list_namespaced_pod(NAMESPACE, label_selector=f"app={workload(service)}")
    return {
        pod.metadata.name: pod.spec.node_name
        for pod in found.items
        if pod.metadata.deletion_timestamp is None
    }


def zones(api: client.ApiClient, nodes: list[str]) -> set[str]:
    found = client.CoreV1Api(api).list_node().items
    by_name = {node.metadata.name: node.metadata.labels["topology.kubernetes.io/zone"] for node in found}
    return {by_name[node] for node in nodes}


@pytest.mark.parametrize("named", [[], ["sandbox-a", "sandbox-b"]], ids=["no zones named", "two zones named"])
@proves("CP-2", played="kubelets")
def test_replicas_of_every_service_run_in_different_zones(api: client.ApiClient, named: list[str]) -> None:
    """CP-1, CP-2, CP-7: admitted by Pod Security `restricted`, scheduled apart, ready."""
    deploy(api, settings(zones=named))
    for service in SERVICES:
        placed = pods(api, service)
        assert len(placed) == 2, service
        assert len(set(placed.values())) == 2, f"{service}: both on one node"
        used = zones(api, list(placed.values()))
        assert len(used) == 2, f"{service}: both in one zone"
        assert used <= set(named or used)


@proves("CP-7", played="kubelets")
def test_one_changed_setting_rolls_the_pods_it_concerns_and_no_others(api: client.ApiClient) -> None:
    """CP-7: with never fewer available pods than replicas."""
    deploy(api, settings())
    before = {service: set(pods(api, service)) for service in SERVICES}
    deploy(api, settings(worker={"logLevel": "debug"}))
    after = {service: set(pods(api, service)) for service in SERVICES}
    assert {service for service in SERVICES if before[service] != after[service]} == {"worker"}
    assert not before["worker"] & after["worker"]


def test_one_pod_at_a_time_may_be_evicted(api: client.ApiClient) -> None:
    """CP-7: the real disruption controller allows one, and counts the pods."""
    deploy(api, settings())

    def allowed() -> bool:
        budgets = client.PolicyV1Api(api).list_namespaced_pod_disruption_budget(NAMESPACE).items
        return {
            budget.metadata.name: (budget.status.disruptions_allowed, budget.status.expected_pods)
            for budget in budgets
            if budget.status
        } == dict.fromkeys(map(workload, SERVICES), (1, 2))

    wait_for(allowed, api)
