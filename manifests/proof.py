"""The static proof: what the rendered objects of one cluster refer to exists, matches and is reachable.

Nothing here asks how objects were made. Selectors are matched against pods, names against the objects and
the declared list of what others provide, NetworkPolicies against the table of flows.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

from madeploy.findings import Finding, find, in_order
from madeploy.names.kubernetes import workload
from madeploy.settings import CONTROL_PLANE, Environment
from manifests.flows import (
    Component,
    Flow,
    compute_flows,
    flows,
    front_door,
    history_flows,
    model_sync_flows,
)
from manifests.objects import Object, key_of
from manifests.policy_flows import Permission, expected, isolated, permitted
from manifests.references import Name, Reference, made_by_controllers, name_of, provided, references
from manifests.task_flows import task_flows
from manifests.tenant_flows import tenant_flows
from manifests.workload_pods import WorkloadPods, selects, workload_pods

FRONT_DOORS = ("Ingress", "HTTPRoute", "GRPCRoute", "TLSRoute")
"""Kinds that let traffic in from outside."""

METRICS_PORT_NAME = "metrics"
"""Service ports of this name are for whoever monitors, outside what is rendered."""


def prove_all(placed: Iterable[tuple[str, Object]], environment: Environment) -> list[Finding]:
    """`prove` for every cluster of an environment, from its objects with the names of their clusters."""
    by_cluster: dict[str, list[Object]] = {}
    for cluster, obj in placed:
        by_cluster.setdefault(cluster, []).append(obj)
    others = provided(environment)
    # The clusters of a fleet are given the same objects, whose findings would only be repeats.
    distinct = {
        (
            cluster == CONTROL_PLANE,
            _own_flows(environment, cluster),
            table(environment, cluster),
            key_of(objects),
        ): (
            cluster,
            objects,
        )
        for cluster, objects in by_cluster.items()
    }
    return in_order(
        finding
        for cluster, objects in distinct.values()
        for finding in _findings(objects, environment, cluster, others)
    )


def prove(objects: Sequence[Object], environment: Environment, cluster: str = CONTROL_PLANE) -> list[Finding]:
    """Everything wrong with the objects of one cluster, taken together; an empty list is the proof.

    `cluster` is `control-plane` or the name of a compute cluster of the environment (KeyError
    otherwise): it decides which flows policies have to permit.
    """
    return in_order(_findings(objects, environment, cluster, provided(environment)))


def _findings(
    objects: Sequence[Object], environment: Environment, cluster: str, others: Container[Name]
) -> Iterator[Finding]:
    yield from _services(objects, environment, cluster)
    yield from _probes(objects)
    yield from _budgets(objects)
    yield from _references(objects, others)
    yield from _policies(objects, environment, cluster)


def table(environment: Environment, cluster: str = CONTROL_PLANE) -> tuple[Flow, ...]:
    """The flows that policies on a cluster have to permit."""
    own = _own_flows(environment, cluster) if environment.network.policies else ()
    if cluster == CONTROL_PLANE:
        return (*own, *tenant_flows(environment)) if environment.network.policies else ()
    return (*compute_flows(environment, cluster), *task_flows(environment, cluster), *own)


def _own_flows(environment: Environment, cluster: str) -> tuple[Flow, ...]:
    """The flows of pods that are deployed on a cluster."""
    if cluster == CONTROL_PLANE:
        return (*flows(environment), *model_sync_flows(environment))
    synced = model_sync_flows(environment) if environment.clusters[cluster].serving else ()
    return (*history_flows(environment, cluster), *synced)


def _services(objects: Sequence[Object], environment: Environment, cluster: str) -> Iterator[Finding]:
    pods = workload_pods(objects)
    used = {
        (ref.target, ref.key)
        for obj in objects
        if obj["kind"] in FRONT_DOORS
        for ref in references(obj)
        if ref.target.kind == "Service"
    }
    allowed, rows = permitted(objects), _own_flows(environment, cluster)
    for service in (obj for obj in objects if obj["kind"] == "Service" and obj["apiVersion"] == "v1"):
        name, selector = name_of(service), service["spec"].get("selector")
        if not selector:
            continue
        behind = [
            each
            for each in pods
            if each.namespace == name.namespace and selects({"matchLabels": selector}, each.labels)
        ]
        if not behind:
            yield find("MA230", str(name), f"selector {_pairs(selector)} matches the pods of no workload")
            continue
        for port in service["spec"]["ports"]:
            target, protocol = port.get("targetPort", port["port"]), port.get("protocol", "TCP")
            numbers = [(each, each.port_number(target, protocol)) for each in behind]
            missing = [str(each) for each, number in numbers if number is None]
            if missing:
                evidence = f"port {port['port']} goes to {target!r}, which {', '.join(missing)} does not have"
                yield find("MA231", str(name), evidence)
                continue
            from_door = any((name, key) in used for key in (str(port["port"]), port.get("name")))
            if from_door:
                yield from _door_gets_through(environment, cluster, name, numbers, allowed, objects)
            elif port.get("name") != METRICS_PORT_NAME and not _has_caller(rows, behind):
                yield find("MA232", str(name), f"port {port['port']} is behind no door and in no flow")


def _pairs(labels: Mapping[str, str]) -> str:
    return ",".join(f"{key}={value}" for key, value in labels.items())


def _has_caller(rows: Sequence[Flow], behind: Sequence[WorkloadPods]) -> bool:
    names = {each.name for each in behind}
    destinations = [row.destination for row in rows]
    return any(isinstance(each, Component) and workload(each.service) in names for each in destinations)


def _door_gets_through(
    environment: Environment,
    cluster: str,
    service: Name,
    numbers: Sequence[tuple[WorkloadPods, int | None]],
    allowed: set[Permission],
    objects: Sequence[Object],
) -> Iterator[Finding]:
    """A door's traffic ends at pods: where these are isolated, a policy has to admit the door."""
    if cluster != CONTROL_PLANE:
        return
    outside = f"{front_door(environment).namespace}[]"
    for pods, number in numbers:
        admitted = {
            permission.peer
            for permission in allowed
            if permission.subject == f"{pods.namespace}/{pods.name}"
            and permission.direction == "ingress"
            and permission.port in (str(number), "any")
        }
        if "ingress" in isolated(objects, pods) and not admitted & {outside, "any address"}:
            evidence = f"no NetworkPolicy admits {outside} to port {number} of {pods}"
            yield find("MA233", str(service), evidence)


def _probes(objects: Sequence[Object]) -> Iterator[Finding]:
    for pods in workload_pods(objects):
        for container in pods.spec.get("containers", ()):
            ports = {
                key
                for port in container.get("ports", ())
                for key in (port.get("name"), port["containerPort"])
            }
            for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                for action in ("httpGet", "tcpSocket", "grpc"):
                    port = container.get(probe, {}).get(action, {}).get("port")
                    if port is not None and port not in ports:
                        evidence = f"{probe} of container {container['name']} asks port {port!r}"
                        yield find("MA231", str(pods), f"{evidence}, which it does not have")


def _budgets(objects: Sequence[Object]) -> Iterator[Finding]:
    pods = workload_pods(objects)
    for obj in objects:
        if obj["kind"] == "PodDisruptionBudget":
            name, selector = name_of(obj), obj["spec"]["selector"]
            if not any(each.namespace == name.namespace and selects(selector, each.labels) for each in pods):
                yield find("MA230", str(name), "its selector matches the pods of no workload")


def _references(objects: Sequence[Object], others: Container[Name]) -> Iterator[Finding]:
    known = {name_of(obj): obj for obj in objects}
    made = set(made_by_controllers(objects))
    for obj in objects:
        for reference in references(obj):
            target = known.get(reference.target)
            if target is not None:
                yield from _key(reference, target)
            elif reference.target not in made and reference.target not in others:
                yield find("MA234", reference.source, f"{reference.field} names {reference.target}")


def _key(reference: Reference, target: Object) -> Iterator[Finding]:
    """Whether the key, port or listener a reference names is there."""
    if reference.key is None:
        return
    kind = target["kind"]
    if kind in ("ConfigMap", "Secret"):
        keys = {key for field in ("data", "binaryData", "stringData") for key in target.get(field, {})}
    elif kind == "Service":
        ports = target["spec"]["ports"]
        keys = {str(value) for port in ports for value in (port["port"], port.get("name")) if value}
    elif kind == "Gateway":
        keys = {listener["name"] for listener in target["spec"]["listeners"]}
    else:
        return
    if reference.key not in keys:
        has = ", ".join(sorted(keys)) or "none"
        evidence = f"{reference.field} names {reference.key!r} of {reference.target}, which has {has}"
        yield find("MA234", reference.source, evidence)


def _policies(objects: Sequence[Object], environment: Environment, cluster: str) -> Iterator[Finding]:
    rows = table(environment, cluster)
    wanted, given = expected(rows, environment), permitted(objects)
    for permission in sorted(wanted - given):
        yield find("MA235", f"NetworkPolicies of {permission.subject}", f"{permission} is not permitted")
    for permission in sorted(given - wanted):
        yield find("MA236", f"NetworkPolicies of {permission.subject}", f"{permission} is in no row")
    if environment.network.policies:
        for pods in workload_pods(objects):
            for direction in ("ingress", "egress"):
                if direction not in isolated(objects, pods):
                    yield find("MA237", str(pods), f"no NetworkPolicy selects its pods for {direction}")
