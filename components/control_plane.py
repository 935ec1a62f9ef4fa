"""The control plane's namespaces and services, in the order their start-up needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from components import bundles
from components.gates import PLATFORM, definitions_established
from madeploy.settings import Environment
from manifests.objects import Bundle, Object


@dataclass(frozen=True)
class ControlPlaneArgs:
    """What a control plane is made from."""

    environment: Environment

    bundles: Mapping[str, Bundle]
    """The catalog's bundles by name."""

    credentials: Sequence[Object]
    """Secrets of the object store; empty where pods need none."""

    kubeconfig: Mapping[str, Any]
    """Kubeconfig of the cluster, for the gate that waits for definitions."""


class ControlPlane(pulumi.ComponentResource):
    """Namespaces, then the API server, then (once it has created the definitions) the controller
    manager and the worker (CP-1 to CP-3, CP-8)."""

    namespaces: Sequence[pulumi.Resource]
    """Namespaces everything else waits for."""

    api: Sequence[pulumi.Resource]
    """The API server's objects."""

    controllers: Sequence[pulumi.Resource]
    """The controller manager's objects. What it finalizes depends on these, so that it is deleted
    after them (V16)."""

    def __init__(self, name: str, args: ControlPlaneArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("michelangelo:index:ControlPlane", name, {}, opts)
        own = pulumi.ResourceOptions(parent=self)
        by_name = args.bundles
        self.namespaces = bundles.create(by_name["namespaces"], own)
        credentials = bundles.create(Bundle("object-store", tuple(args.credentials)), own, self.namespaces)
        self.api = bundles.create(by_name["apiserver"], own, self.namespaces)
        established = definitions_established(args.kubeconfig, PLATFORM, args.environment)
        self.controllers = bundles.create(
            by_name["controllermgr"], own, [*self.api, *credentials], established
        )
        bundles.create(by_name["worker"], own, [*self.api, *credentials])
        self.register_outputs({})
