"""What Ray's pods on a compute cluster connect to, where a policy lets them do nothing else (OPS-7).

The experiment-tracking guide's policy names the tracking server and DNS alone. A pod that an egress policy
selects may open nothing but what some policy permits: that one would cut Ray's pods off from each other, from
the object store and from the Kubernetes API.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from madeploy.names.kubernetes import RAY_NAMESPACE
from madeploy.settings import Environment
from madeploy.settings.base import split_host_port
from madeploy.settings.identities import PodIdentity
from manifests.flows import (
    DNS_PORT,
    DNS_PROTOCOLS,
    HTTPS,
    KUBERNETES_API_PORTS,
    POD_IDENTITY_AGENT,
    Anywhere,
    Flow,
    Networks,
    Pods,
    object_store,
)

TASKS: Final = Pods(RAY_NAMESPACE, (("ray.io/is-ray-node", "yes"),))
"""Heads and workers of Ray, as KubeRay labels them."""


def task_flows(environment: Environment, name: str) -> tuple[Flow, ...]:
    """Flows of Ray's pods on compute cluster `name`; none unless the networks of its tracking server are
    known. Raises KeyError when the environment has no such cluster."""
    tracking = environment.tracking_of(name)
    if tracking is None or not tracking.cidrs:
        return ()
    return tuple(_flows(environment, name, tracking.uri, tracking.cidrs))


def _flows(environment: Environment, name: str, uri: str, cidrs: tuple[str, ...]) -> Iterator[Flow]:
    address = urlsplit(uri)
    port = address.port or (HTTPS if address.scheme == "https" else 80)
    yield Flow(TASKS, Networks(cidrs), port, "experiment tracking", "tracking.cidrs")
    yield Flow(TASKS, TASKS, None, "Ray between its own pods", "Ray documentation, ports")
    for protocol in DNS_PROTOCOLS:
        yield Flow(TASKS, Pods("kube-system"), DNS_PORT, "name resolution", "facts 5.2", protocol)
    store, store_port = object_store(environment)
    yield Flow(TASKS, store, store_port, "object store", "network guide, required connectivity")
    # The head's autoscaler asks it for pods.
    for api_port in KUBERNETES_API_PORTS:
        yield Flow(TASKS, Anywhere(), api_port, "Kubernetes API of its own cluster", "KubeRay, autoscaling")
    endpoint = environment.model_registry.endpoint
    if endpoint is not None:
        registry_port = split_host_port(endpoint)[1]
        yield Flow(
            TASKS, Anywhere(), registry_port, "models pushed to the registry", "modelRegistry.endpoint"
        )
    if isinstance(environment.clusters[name].task_identity, PodIdentity):
        agent = Networks(POD_IDENTITY_AGENT)
        yield Flow(TASKS, agent, 80, "EKS Pod Identity agent, credentials", "facts 1.2")
