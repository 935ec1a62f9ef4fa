"""Flows that NetworkPolicies permit, read back from the objects, in the same terms as the table of flows.

A permission belongs to one end of a connection: `egress` to the pods that open it, `ingress` to the pods
it is opened to. Both are read from selectors and pods alone, never from how a policy was made.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from madeploy.names.kubernetes import workload
from madeploy.settings import Environment
from manifests.flows import Anywhere, Component, Flow, Networks, Peer, Pods
from manifests.objects import Object
from manifests.tenant_flows import TenantPods
from manifests.workload_pods import WorkloadPods, selects, workload_pods

Direction = Literal["ingress", "egress"]
ANY = "any address"


@dataclass(frozen=True, order=True)
class Permission:
    """One thing one kind of pod may do."""

    subject: str
    """The pods: a workload's name where one is selected, else namespace and labels."""

    direction: Direction
    peer: str
    """The other end, in the same form, or a network, or `any address`."""

    protocol: str
    """`TCP` or `UDP`; `any` where the rule names no port."""

    port: str
    """Number, or `any`."""

    def __str__(self) -> str:
        arrow = "from" if self.direction == "ingress" else "to"
        return f"{self.subject} {arrow} {self.peer}, port {self.port} {self.protocol}"


def permitted(objects: Sequence[Object]) -> set[Permission]:
    """Everything the NetworkPolicies among the objects permit to the pods they select."""
    pods = workload_pods(objects)
    policies = [obj for obj in objects if obj["kind"] == "NetworkPolicy"]
    return {found for policy in policies for found in _policy_permissions(policy, pods)}


def isolated(objects: Sequence[Object], pods: WorkloadPods) -> set[Direction]:
    """Directions in which the pods are selected by some policy, and so denied by default."""
    found: set[Direction] = set()
    for obj in objects:
        here = obj["kind"] == "NetworkPolicy" and obj["metadata"]["namespace"] == pods.namespace
        if here and selects(obj["spec"].get("podSelector", {}), pods.labels):
            found |= set(_directions(obj))
    return found


def expected(table: Iterable[Flow], environment: Environment) -> set[Permission]:
    """The permissions a table of flows asks for: at the source and at the destination where they are the
    control plane's own services, at a tenant's pods where they lead there, else at the source."""
    found: set[Permission] = set()
    for flow in table:
        source, destination = flow.source, flow.destination
        own = environment.platform.namespace
        if isinstance(source, Component):
            for peer in _peer_names(destination, own):
                found.add(_permission(_subject(source, own), "egress", peer, flow))
        elif isinstance(source, Pods) and not isinstance(destination, (Component, TenantPods)):
            for peer in _peer_names(destination, own):
                found.add(_permission(_subject(source, own), "egress", peer, flow))
            continue
        if isinstance(destination, Component) or not isinstance(source, Component):
            for peer in _peer_names(source, own):
                found.add(_permission(_subject(destination, own), "ingress", peer, flow))
    return found


def _permission(subject: str, direction: Direction, peer: str, flow: Flow) -> Permission:
    if flow.port is None:
        return Permission(subject, direction, peer, "any", "any")
    return Permission(subject, direction, peer, flow.protocol, str(flow.port))


def _subject(peer: Peer, own_namespace: str) -> str:
    (name,) = _peer_names(peer, own_namespace)
    return name


def _peer_names(peer: Peer, own_namespace: str) -> tuple[str, ...]:
    if isinstance(peer, Component):
        return (f"{peer.namespace or own_namespace}/{workload(peer.service)}",)
    if isinstance(peer, Networks):
        return peer.cidrs
    if isinstance(peer, Pods):
        return (_pods_name(peer.namespace, dict(peer.labels)),)
    assert isinstance(peer, Anywhere)
    return (ANY,)


def _pods_name(namespace: str | None, labels: Mapping[str, str]) -> str:
    where = namespace or "any namespace"
    return f"{where}[{','.join(f'{key}={value}' for key, value in sorted(labels.items()))}]"


def _directions(policy: Object) -> list[Direction]:
    spec = policy["spec"]
    types = spec.get("policyTypes") or (["Ingress", "Egress"] if "egress" in spec else ["Ingress"])
    found: list[Direction] = []
    if "Ingress" in types:
        found.append("ingress")
    if "Egress" in types:
        found.append("egress")
    return found


def _policy_permissions(policy: Object, pods: Sequence[WorkloadPods]) -> Iterator[Permission]:
    spec, namespace = policy["spec"], policy["metadata"]["namespace"]
    selector = spec.get("podSelector", {})
    selected = _selected(selector, namespace, pods)
    subjects: list[tuple[str, WorkloadPods | None]] = [
        (f"{each.namespace}/{each.name}", each) for each in selected
    ] or [(_selector_name(namespace, selector), None)]
    for direction in _directions(policy):
        for rule in spec.get(direction, ()):
            peers = list(_rule_peers(rule.get("from" if direction == "ingress" else "to"), namespace, pods))
            for subject, own in subjects:
                for protocol, port in _rule_ports(rule.get("ports"), own if direction == "ingress" else None):
                    yield from (Permission(subject, direction, peer, protocol, port) for peer in peers)


def _selected(
    selector: Mapping[str, Any], namespace: str, pods: Iterable[WorkloadPods]
) -> list[WorkloadPods]:
    return [each for each in pods if each.namespace == namespace and selects(selector, each.labels)]


def _selector_name(namespace: str | None, selector: Mapping[str, Any]) -> str:
    name = _pods_name(namespace, selector.get("matchLabels", {}))
    extra = selector.get("matchExpressions")
    return f"{name}{extra}" if extra else name


def _rule_peers(
    peers: Sequence[Mapping[str, Any]] | None, namespace: str, pods: Sequence[WorkloadPods]
) -> Iterator[str]:
    # An empty list means the same as none: every source, every destination.
    if not peers:
        yield ANY
        return
    for peer in peers:
        if "ipBlock" in peer:
            block = peer["ipBlock"]
            excepted = block.get("except")
            yield f"{block['cidr']} except {excepted}" if excepted else block["cidr"]
        elif "namespaceSelector" not in peer:
            found = _selected(peer["podSelector"], namespace, pods)
            names = [f"{each.namespace}/{each.name}" for each in found]
            yield from names or [_selector_name(namespace, peer["podSelector"])]
        else:
            yield _selector_name(_namespace(peer["namespaceSelector"]), peer.get("podSelector", {}))


def _namespace(selector: Mapping[str, Any]) -> str | None:
    """The one namespace selected by its name; None for all; other selectors as text."""
    if not selector:
        return None
    labels = selector.get("matchLabels", {})
    name = labels.get("kubernetes.io/metadata.name")
    simple = len(labels) == 1 and name is not None and "matchExpressions" not in selector
    return name if simple else f"namespaces {dict(selector)}"


def _rule_ports(
    ports: Sequence[Mapping[str, Any]] | None, pods: WorkloadPods | None
) -> Iterator[tuple[str, str]]:
    if not ports:
        yield "any", "any"
        return
    for entry in ports:
        protocol, port = entry.get("protocol", "TCP"), entry.get("port", "any")
        if "endPort" in entry:
            yield protocol, f"{port}-{entry['endPort']}"
        elif isinstance(port, str) and port != "any" and pods is not None:
            yield protocol, str(pods.port_number(port, protocol) or port)
        else:
            yield protocol, str(port)
