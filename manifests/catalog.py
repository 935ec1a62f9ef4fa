"""Everything that settings determine, by cluster: what renderer, plan, policies and checks read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from madeploy.names.servers import split_server
from madeploy.settings import CONTROL_PLANE as CONTROL_PLANE_CLUSTER
from madeploy.settings import Environment
from manifests import registration, serving
from manifests.history_server import history_server
from manifests.inputs import Inputs
from manifests.objects import Bundle, Object
from manifests.parts import IN_ORDER
from manifests.queues import queues


@dataclass(frozen=True)
class Target:
    """One Kubernetes cluster and what is applied to it, in order."""

    cluster: str
    """`control-plane`, or a compute cluster's name."""

    bundles: tuple[Bundle, ...]


def bundles(inputs: Inputs) -> tuple[Bundle, ...]:
    """Parts of the control plane's cluster in order; those with nothing in them included, so that the
    list has the same names for every environment."""
    return tuple(Bundle(part.name, part.build(inputs)) for part in IN_ORDER)


def targets(inputs: Inputs, endpoints: Mapping[str, tuple[str, str]] | None = None) -> tuple[Target, ...]:
    """Every cluster with everything that settings determine: the control plane's first, compute clusters by
    name. `endpoints` are `(host, port)` of clusters as they were registered, for those whose settings name
    no server.

    Left out is what holds a secret value (`manifests.secret_references` lists it), and a `Cluster` whose
    address neither says: only a kubeconfig does.
    """
    environment = inputs.environment
    clusters = sorted(environment.clusters)
    known = dict(endpoints or {})
    for name in clusters:
        server = environment.clusters[name].server
        if server is not None:
            known[name] = split_server(server)
    registered = tuple(
        registration.cluster(environment, name, *known[name])
        for name in clusters
        if name in known and registration.is_registered(environment, name)
    )
    control_plane = (*bundles(inputs), Bundle("clusters", registered))
    compute = (
        Target(
            name,
            (
                registration.compute_side(inputs, name),
                Bundle("token", registration.token_requests(environment, name)),
                Bundle(
                    "serving",
                    (*serving.target_side(inputs, name), *serving.token_requests(environment, name)),
                ),
                Bundle("queues", queues(environment, name)),
                Bundle("history", history_server(environment, name)),
            ),
        )
        for name in clusters
    )
    return (Target(CONTROL_PLANE_CLUSTER, control_plane), *compute)


def objects(environment: Environment, stack: str | None = None) -> list[Object]:
    """All objects of all targets, in order. Names repeat from one compute cluster to the next: where
    that matters, `targets` says which is whose."""
    return [obj for _, obj in placed(environment, stack)]


def placed(environment: Environment, stack: str | None = None) -> Iterator[tuple[str, Object]]:
    """All objects of all targets, in order, each with its cluster's name. With the stack's name they carry
    the IAM roles that it makes."""
    for target in targets(Inputs(environment, stack)):
        for bundle in target.bundles:
            for obj in bundle.objects:
                yield target.cluster, obj
