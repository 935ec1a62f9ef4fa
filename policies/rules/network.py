"""Network access inside a cluster: NetworkPolicies and Services."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from .controllers import is_front_door
from .model import (
    ADVICE,
    STRICT,
    Resource,
    Violation,
    mapping,
    mappings,
    rule,
    sequence,
    set_rule,
    texts,
)
from .pods import WORKLOADS, pod, selects

POLICY: Final = "networking.k8s.io/NetworkPolicy"
_ANYWHERE: Final = ("0.0.0.0/0", "::/0")


def _types(policy: Resource) -> tuple[str, ...]:
    """Directions a NetworkPolicy governs. Where `policyTypes` says none, the API server writes Ingress, and
    Egress where there is a rule for it: an empty `egress` is none (Kubernetes API reference)."""
    said = texts(policy.spec.get("policyTypes"))
    return said or (("Ingress", "Egress") if sequence(policy.spec.get("egress")) else ("Ingress",))


_POLICIES_OF_PLUGINS: Final = frozenset(
    {
        "cilium.io/CiliumNetworkPolicy",
        "cilium.io/CiliumClusterwideNetworkPolicy",
        "crd.projectcalico.org/NetworkPolicy",
        "crd.projectcalico.org/GlobalNetworkPolicy",
        "projectcalico.org/NetworkPolicy",
        "projectcalico.org/GlobalNetworkPolicy",
    }
)
"""What network plugins have in a NetworkPolicy's place, in their own language. Whoever writes these isolates
by them, and which pods they govern is not judged here."""


@set_rule(
    "MA540",
    "pods-isolated",
    title="Pods that no NetworkPolicy selects",
    why="A pod without a policy talks to everything and is reached by everything in the cluster.",
    fix="Add a NetworkPolicy that denies both directions by default, and admit the flows that are needed; "
    "in a stack, network.policies: true.",
    severities=ADVICE,
    kinds=WORKLOADS | {POLICY} | _POLICIES_OF_PLUGINS,
)
def isolated(resources: Sequence[Resource]) -> Iterator[tuple[Resource, Violation]]:
    policies = [resource for resource in resources if resource.kind == POLICY]
    others = {item.namespace for item in resources if item.kind in _POLICIES_OF_PLUGINS}
    for resource in resources:
        found = pod(resource) if resource.kind in WORKLOADS else None
        if found is None or not others.isdisjoint({resource.namespace, None}):
            continue
        labels = mapping(found.metadata.get("labels"))
        selecting = [
            policy
            for policy in policies
            if policy.namespace == resource.namespace and selects(policy.spec.get("podSelector"), labels)
        ]
        covered = {direction for policy in selecting for direction in _types(policy)}
        missing = [direction for direction in ("Ingress", "Egress") if direction not in covered]
        if missing:
            said = " or ".join(direction.lower() for direction in missing)
            fix = next((_meant(policy, missing) for policy in selecting if _meant(policy, missing)), "")
            yield resource, Violation((), f"no NetworkPolicy selects its pods for {said}", fix)


def _meant(policy: Resource, missing: Sequence[str]) -> str:
    """What to do about a policy that speaks of a missing direction without governing it."""
    for direction in missing:
        if direction.lower() in policy.spec:
            types = ", ".join((*_types(policy), direction))
            said = f"Write policyTypes: [{types}] in {policy.subject}"
            return f"{said}: without it, what it has under {direction.lower()} does nothing."
    return ""


def _opened(resource: Resource, direction: str, peers: str) -> Iterator[Violation]:
    """Rules of a policy that admit every address on every port, in a direction that it governs."""
    if direction.capitalize() not in _types(resource):
        return
    for allowed, path in mappings(resource.spec.get(direction), ("spec", direction)):
        if allowed.get("ports"):
            continue
        named = list(mappings(allowed.get(peers), (*path, peers)))
        if not named:
            yield Violation(path, f"{direction} rule without {peers} and ports admits everything")
        for peer, peer_path in named:
            cidr = mapping(peer.get("ipBlock")).get("cidr")
            if cidr in _ANYWHERE:
                yield Violation(
                    (*peer_path, "ipBlock", "cidr"), f"{direction} rule admits {cidr} on all ports"
                )


@rule(
    "MA541",
    "egress-with-destination",
    title="Egress to anywhere on any port",
    why="An intruder's way out: data leaves by whatever port is open.",
    fix="Name the destination or the ports.",
    severities=STRICT,
    kinds=[POLICY],
)
def open_egress(resource: Resource) -> Iterator[Violation]:
    yield from _opened(resource, "egress", "to")


@rule(
    "MA542",
    "ingress-with-source",
    title="Ingress from anywhere on any port",
    why="The policy denies nothing.",
    fix="Name the source or the ports.",
    severities=STRICT,
    kinds=[POLICY],
)
def open_ingress(resource: Resource) -> Iterator[Violation]:
    yield from _opened(resource, "ingress", "from")


@set_rule(
    "MA543",
    "services-inside",
    title="Service reachable past the front door",
    why="In these releases the API has no authentication of its own: what reaches it may do everything.",
    fix="Use type ClusterIP and publish the service through the Ingress or Gateway.",
    severities=STRICT,
    kinds=WORKLOADS | {"core/Service"},
)
def outside_services(resources: Sequence[Resource]) -> Iterator[tuple[Resource, Violation]]:
    for resource in resources:
        spec = resource.spec
        if resource.kind != "core/Service":
            continue
        if spec.get("type") in ("NodePort", "LoadBalancer"):
            violation = Violation(("spec", "type"), f"is a {spec['type']}")
        elif texts(spec.get("externalIPs")):
            violation = Violation(("spec", "externalIPs"), "has external IP addresses")
        else:
            continue
        if not is_front_door(resource, resources):
            yield resource, violation


RULES: Final = (isolated, open_egress, open_ingress, outside_services)
