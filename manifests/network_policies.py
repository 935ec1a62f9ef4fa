"""NetworkPolicies made from the table of flows (NET-12, NET-13).

They take effect where the cluster's network plugin enforces them. A destination of any address is
written as a rule without `to`: plugins such as Cilium do not count pods as part of `0.0.0.0/0`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, Literal

from madeploy.names.kubernetes import RAY_NAMESPACE, selector_labels, workload
from madeploy.names.services import deployed
from madeploy.names.tenants import ISOLATION
from madeploy.settings import Environment
from manifests.flows import (
    API_SERVER_PODS,
    HISTORY_SERVER,
    Anywhere,
    Component,
    Flow,
    Networks,
    Peer,
    compute_flows,
    flows,
    history_flows,
    model_sync_flows,
)
from manifests.objects import Object, metadata
from manifests.task_flows import TASKS, task_flows
from manifests.tenant_flows import TenantPods, tenant_flows
from manifests.tenants import kept

DEFAULT_DENY: Final = "michelangelo-default-deny"
COMPUTE_SIDE: Final = "allow-michelangelo-controller"
"""Name the network guide gives the policy on a compute cluster."""

TASK_SIDE: Final = "allow-tracking-server-egress"
"""Name the experiment-tracking guide gives the policy of task pods."""

Direction = Literal["ingress", "egress"]


def control_plane(environment: Environment) -> tuple[Object, ...]:
    """Default deny for the control plane's pods, both ways, and one policy for each service and job with its
    flows; none when `network.policies` is off.

    Pods are selected by the label `app`, the one their Deployments select by. Wider labels would catch
    pods that are not ours: some Gateway implementations copy the labels of the Gateway to their own.
    """
    if not environment.network.policies:
        return ()
    present = [service.name for service in deployed(environment)]
    names = [workload(service) for service in present]
    everything = {"matchExpressions": [{"key": "app", "operator": "In", "values": names}]}
    namespace = environment.platform.namespace
    deny = _policy(metadata(DEFAULT_DENY, namespace), everything, {})
    table = flows(environment)
    return (
        deny,
        *(_service_policy(Component(service), namespace, table) for service in present),
        *_tenant_policies(environment),
    )


def _tenant_policies(environment: Environment) -> Iterator[Object]:
    """Nobody but the listed callers reaches a tenant's pods. What these may reach is not limited: they call
    stores and services that only their team knows."""
    table = tenant_flows(environment)
    for name in environment.tenants:
        rows = [(flow.source, flow) for flow in table if flow.destination == TenantPods(name)]
        policy = _policy(metadata(ISOLATION, name), {}, {"ingress": _rules("ingress", rows)}, ["Ingress"])
        yield kept(policy, name)


def compute_side(environment: Environment, name: str) -> tuple[Object, ...]:
    """`allow-michelangelo-controller` on compute cluster `name`; none unless the cluster is self-managed
    and `network.egressCidrs` says where the control plane's connections come from.

    On managed clusters the API server is no pod. On self-managed ones it usually runs on the host's
    network, where most plugins pay no attention to policies; then this one changes nothing. Where a
    plugin does enforce it, a policy that selects a pod admits only what some policy allows: the API
    server's other callers, nodes first of all, then need a policy of their own beforehand.

    Raises KeyError when the environment has no such cluster.
    """
    table = compute_flows(environment, name)
    if not table:
        return ()
    rules = {"ingress": _rules("ingress", [(flow.source, flow) for flow in table])}
    selector = {"matchLabels": dict(API_SERVER_PODS.labels)}
    return (_policy(metadata(COMPUTE_SIDE, API_SERVER_PODS.namespace), selector, rules, ["Ingress"]),)


def history_server(environment: Environment, name: str) -> tuple[Object, ...]:
    """The policy of Ray's history server on compute cluster `name`; none without one, or when
    `network.policies` is off. Raises KeyError when the environment has no such cluster."""
    table = history_flows(environment, name)
    if not table or not environment.network.policies:
        return ()
    return (_service_policy(Component(HISTORY_SERVER, RAY_NAMESPACE), RAY_NAMESPACE, table),)


def model_sync(environment: Environment) -> tuple[Object, ...]:
    """The policy of model-sync on a cluster that serves; none without one, or when `network.policies` is
    off."""
    table = model_sync_flows(environment)
    if not table or not environment.network.policies:
        return ()
    (own,) = {flow.source for flow in table if isinstance(flow.source, Component)}
    return (_service_policy(own, own.namespace or environment.platform.namespace, table),)


def tasks(environment: Environment, name: str) -> tuple[Object, ...]:
    """`allow-tracking-server-egress` on compute cluster `name`: what Ray's pods may open; none unless the
    networks of the tracking server are known. Raises KeyError when the environment has no such cluster."""
    table = task_flows(environment, name)
    if not table:
        return ()
    rules = {"egress": _rules("egress", [(flow.destination, flow) for flow in table])}
    selector = {"matchLabels": dict(TASKS.labels)}
    return (_policy(metadata(TASK_SIDE, RAY_NAMESPACE), selector, rules, ["Egress"]),)


def _policy(
    meta: dict[str, Any],
    selector: dict[str, Any],
    rules: dict[str, Any],
    types: Iterable[str] = ("Ingress", "Egress"),
) -> Object:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": meta,
        "spec": {"podSelector": selector, "policyTypes": list(types), **rules},
    }


def _service_policy(own: Component, namespace: str, table: Iterable[Flow]) -> Object:
    rules: dict[str, Any] = {}
    service = own.service
    table = tuple(table)
    incoming = _rules("ingress", [(flow.source, flow) for flow in table if flow.destination == own])
    outgoing = _rules("egress", [(flow.destination, flow) for flow in table if flow.source == own])
    if incoming:
        rules["ingress"] = incoming
    if outgoing:
        rules["egress"] = outgoing
    selector = {"matchLabels": selector_labels(service)}
    return _policy(metadata(workload(service), namespace, service), selector, rules)


def _rules(direction: Direction, rows: list[tuple[Peer, Flow]]) -> list[dict[str, Any]]:
    """One rule for each peer, with every port it has rows for."""
    ports: dict[Peer, dict[tuple[str, int] | None, None]] = {}
    for peer, flow in rows:
        key = None if flow.port is None else (flow.protocol, flow.port)
        ports.setdefault(peer, {})[key] = None
    rules = []
    for peer, keys in ports.items():
        rule: dict[str, Any] = {}
        if not isinstance(peer, Anywhere):
            rule["from" if direction == "ingress" else "to"] = _peers(peer)
        numbers = [key for key in keys if key is not None]
        if len(numbers) == len(keys):
            rule["ports"] = [{"protocol": protocol, "port": port} for protocol, port in numbers]
        rules.append(rule)
    return rules


def _peers(peer: Peer) -> list[dict[str, Any]]:
    if isinstance(peer, Component):
        return [{"podSelector": {"matchLabels": selector_labels(peer.service)}}]
    if isinstance(peer, Networks):
        return [{"ipBlock": {"cidr": cidr}} for cidr in peer.cidrs]
    if isinstance(peer, Anywhere):
        raise ValueError("any address has no peers: its rule names none")
    where = {} if peer.namespace is None else {"matchLabels": {"kubernetes.io/metadata.name": peer.namespace}}
    found: dict[str, Any] = {"namespaceSelector": where}
    if peer.labels:
        found["podSelector"] = {"matchLabels": dict(peer.labels)}
    return [found]
