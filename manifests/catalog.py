"""Everything that is deployed: the one ordered list that engine, renderer and checks read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from madeploy.names.servers import split_server
from madeploy.settings import CONTROL_PLANE as CONTROL_PLANE_CLUSTER
from madeploy.settings import Environment
from manifests import registration
from manifests.alerts import alerts
from manifests.apiserver import apiserver
from manifests.controllermgr import controllermgr
from manifests.envoy import envoy
from manifests.gateway_api import routes
from manifests.ingress import ingresses
from manifests.issuers import issuers
from manifests.model_registry import model_registry
from manifests.namespaces import namespaces
from manifests.network_policies import control_plane as network_policies
from manifests.objects import Bundle, Inputs, Object
from manifests.ui import ui
from manifests.worker import worker

Builder = Callable[[Environment, Inputs], tuple[Object, ...]]

CONTROL_PLANE: Final[tuple[tuple[str, Builder], ...]] = (
    ("namespaces", lambda environment, _: namespaces(environment)),
    ("issuers", lambda environment, _: issuers(environment)),
    ("network-policies", lambda environment, _: network_policies(environment)),
    ("apiserver", lambda environment, _: apiserver(environment)),
    ("controllermgr", controllermgr),
    ("worker", worker),
    ("envoy", lambda environment, _: envoy(environment)),
    ("ui", lambda environment, _: ui(environment)),
    ("doors", lambda environment, _: (*ingresses(environment), *routes(environment))),
    ("model-registry", model_registry),
    ("alerts", lambda environment, _: alerts(environment)),
)
"""Bundles of the control plane's cluster: constant name and builder, in the order of application. A new
workload is one module and one line here."""


@dataclass(frozen=True)
class Target:
    """One Kubernetes cluster and what is applied to it, in order."""

    cluster: str
    """`control-plane`, or a compute cluster's name."""

    bundles: tuple[Bundle, ...]


def bundles(environment: Environment, inputs: Inputs | None = None) -> tuple[Bundle, ...]:
    """Bundles of the control plane's cluster in order; those with nothing in them included, so that the
    list has the same names for every environment."""
    given = inputs or Inputs()
    return tuple(Bundle(name, build(environment, given)) for name, build in CONTROL_PLANE)


def targets(
    environment: Environment,
    inputs: Inputs | None = None,
    endpoints: Mapping[str, tuple[str, str]] | None = None,
) -> tuple[Target, ...]:
    """Every cluster with everything that settings determine: the control plane's first, compute clusters by
    name. `endpoints` are `(host, port)` of clusters as they were registered, for those whose settings name
    no server.

    Left out is what holds a secret value (`manifests.secret_references` lists it), and a `Cluster` whose
    address neither says: only a kubeconfig does.
    """
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
    control_plane = (*bundles(environment, inputs), Bundle("clusters", registered))
    compute = (
        Target(
            name,
            (
                registration.compute_side(environment, name, inputs),
                Bundle("token", registration.token_requests(environment, name)),
            ),
        )
        for name in clusters
    )
    return (Target(CONTROL_PLANE_CLUSTER, control_plane), *compute)


def objects(environment: Environment, inputs: Inputs | None = None) -> list[Object]:
    """All objects of all targets, in order. Names repeat from one compute cluster to the next: where
    that matters, `targets` says which is whose."""
    return [obj for _, obj in placed(environment, inputs)]


def placed(environment: Environment, inputs: Inputs | None = None) -> Iterator[tuple[str, Object]]:
    """All objects of all targets, in order, each with its cluster's name."""
    for target in targets(environment, inputs):
        for bundle in target.bundles:
            for obj in bundle.objects:
                yield target.cluster, obj
