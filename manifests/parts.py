"""The table of parts: what is deployed on the control plane's cluster, and who waits for whom.

An update creates the parts in this order, rendered files are numbered by it, and everything that reads what
is deployed reads it here. A new workload is one module with its builder, and one row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Final

from madeploy.settings import Environment
from madeploy.settings.front_door import GatewayApiFrontDoor
from manifests.alerts import alerts
from manifests.apiserver import apiserver
from manifests.controllermgr import controllermgr
from manifests.credentials import credentials
from manifests.definitions import (
    CERT_MANAGER,
    MODEL,
    PROJECT,
    PROMETHEUS_RULES,
    Definitions,
    gateway_api,
    monitoring_kinds,
    platform,
    serving_gateway,
)
from manifests.envoy import envoy
from manifests.gateway_api import routes
from manifests.ingress import ingresses
from manifests.inputs import Inputs
from manifests.issuers import issuers
from manifests.model_registry import model_registry
from manifests.monitoring import monitoring
from manifests.namespaces import namespaces
from manifests.network_policies import control_plane as network_policies
from manifests.objects import Object
from manifests.serving import serving
from manifests.tenants import tenants
from manifests.ui import ui
from manifests.worker import worker

Build = Callable[[Inputs], tuple[Object, ...]]


@dataclass(frozen=True)
class Component:
    """The engine's resource that parts are children of. Both are parts of resources' names (URNs), and
    never change."""

    type: str
    """Last step of its type token, `michelangelo:index:<type>`."""

    name: str


@dataclass(frozen=True)
class Part:
    """Objects that belong together: created at once, in any order, after what they wait for."""

    name: str
    """Constant name; the logical names of its resources start with it."""

    build: Build
    component: Component
    after: tuple[str, ...] = ()
    """Parts whose objects are there, and ready, before this one's."""

    needs: Callable[[Environment], Definitions | None] = lambda _: None
    """Definitions of its kinds that must be established before, and that no part makes."""

    awaited: bool = True
    """Whether a GitOps engine counts it as applied only once it is ready. A front door may wait long for its
    address."""


def settled(build: Callable[[Environment], tuple[Object, ...]]) -> Build:
    """A builder that needs nothing but the settings."""
    return lambda inputs: build(inputs.environment)


def _front_door(environment: Environment) -> tuple[Object, ...]:
    return (*ingresses(environment), *routes(environment))


def _gateway_api(environment: Environment) -> Definitions | None:
    if not isinstance(environment.front_door, GatewayApiFrontDoor):
        return None
    return gateway_api(environment)


_CONTROL_PLANE: Final = Component("ControlPlane", "control-plane")
_GATEWAY: Final = Component("Gateway", "gateway")

NAMESPACES: Final = "namespaces"
"""The part that every other one stands in."""

PARTS: Final = (
    Part(NAMESPACES, settled(namespaces), _CONTROL_PLANE),
    Part(
        "issuers",
        settled(issuers),
        Component("Issuers", "issuers"),
        after=("namespaces",),
        needs=lambda _: CERT_MANAGER,
    ),
    # Before the first pod, so that none of them ever runs without.
    Part(
        "network-policies",
        settled(network_policies),
        Component("NetworkPolicies", "network-policies"),
        after=("namespaces",),
    ),
    Part("object-store", credentials, _CONTROL_PLANE, after=("namespaces",)),
    Part("apiserver", settled(apiserver), _CONTROL_PLANE, after=("namespaces", "network-policies")),
    # The API server makes the platform's definitions when it first starts (V1).
    Part(
        "controllermgr",
        controllermgr,
        _CONTROL_PLANE,
        after=("apiserver", "object-store"),
        needs=lambda environment: platform(environment.release),
    ),
    # From here on in the order in which a new release is taken over: who calls after who is called.
    Part("worker", worker, _CONTROL_PLANE, after=("controllermgr", "object-store")),
    Part(
        "model-registry",
        model_registry,
        Component("ModelRegistry", "model-registry"),
        after=("apiserver",),
        needs=lambda _: MODEL,
    ),
    Part(
        "tenants",
        settled(tenants),
        Component("Tenants", "tenants"),
        after=("apiserver",),
        needs=lambda _: PROJECT,
    ),
    Part("envoy", settled(envoy), _GATEWAY, after=("worker", "issuers")),
    # Envoy of a release understands the application of the one before as well, and not the other way round.
    Part("ui", settled(ui), _GATEWAY, after=("envoy",), awaited=False),
    # Not after Envoy, whose own certificate may need the front door's HTTP port before Envoy can start.
    Part(
        "doors",
        settled(_front_door),
        _GATEWAY,
        after=("apiserver", "issuers"),
        needs=_gateway_api,
        awaited=False,
    ),
    Part(
        "serving",
        serving,
        Component("Serving", "serving"),
        after=("apiserver",),
        needs=serving_gateway,
        awaited=False,
    ),
    # On what the others do, so that without the Prometheus operator everything else is there already.
    Part(
        "alerts",
        settled(alerts),
        Component("Alerts", "alerts"),
        after=("apiserver",),
        needs=lambda _: PROMETHEUS_RULES,
        awaited=False,
    ),
    Part(
        "monitoring",
        settled(monitoring),
        Component("Monitoring", "monitoring"),
        after=("apiserver",),
        needs=monitoring_kinds,
        awaited=False,
    ),
)

REGISTRAR: Final = "controllermgr"
"""The part that registered clusters come after, and that outlives them: it finalizes `Cluster` objects
(V16)."""


def depths(parts: tuple[Part, ...]) -> dict[str, int]:
    """How deep each part stands, 1 for those that wait for none.

    Raises ValueError for a part that waits for one that is not in the table, and graphlib.CycleError for
    parts that wait for each other.
    """
    sorter = TopologicalSorter({part.name: part.after for part in parts})
    sorter.prepare()
    found: dict[str, int] = {}
    depth = 0
    while sorter.is_active():
        depth += 1
        ready = sorter.get_ready()
        found |= dict.fromkeys(ready, depth)
        sorter.done(*ready)
    unknown = found.keys() - {part.name for part in parts}
    if unknown:
        raise ValueError(f"no such parts: {', '.join(sorted(unknown))}")
    return found


DEPTHS: Final = depths(PARTS)

IN_ORDER: Final = tuple(sorted(PARTS, key=lambda part: DEPTHS[part.name]))
"""The table so that each part stands after those it waits for."""
