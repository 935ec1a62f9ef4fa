"""A sharded fleet's stacks: what one compute cluster holds, and what the control plane holds of some."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from components import bundles
from components.compute_cluster import (
    ComputeCluster,
    ComputeClusterArgs,
    compute_half,
    control_plane_half,
)
from components.configuration import Configuration
from components.platform import task_credentials
from components.providers import kubernetes
from madeploy.fleet.roles import compute_stack
from madeploy.kubeconfigs import Endpoint
from madeploy.settings import CONTROL_PLANE, PROJECT, Environment
from manifests import rbac, registration
from manifests.inputs import Inputs
from manifests.objects import Bundle

CREDENTIAL = "credential"
"""Output of a compute cluster's stack: data of the credential's Secret, secret."""


class ComputeSide(pulumi.ComponentResource):
    """Objects on one compute cluster, in a stack of its own: RBAC, token and storage configuration
    (REG-2, REG-3). Hands the credential over as a secret output."""

    outputs: Mapping[str, Any]
    """Stack outputs."""

    def __init__(self, name: str, args: Configuration, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("michelangelo:index:ComputeSide", name, {}, opts)
        provider = kubernetes(name, args.access[name])
        own = pulumi.ResourceOptions(parent=self, provider=provider)
        inputs = Inputs(args.environment, args.role.environment)
        credential = compute_half(name, inputs, task_credentials(args), own, args.access[name].token)
        self.outputs = {"cluster": name, CREDENTIAL: credential}
        self.register_outputs({})


@dataclass(frozen=True)
class RegistrationArgs:
    """Arguments of a registration."""

    environment: Environment
    endpoint: Endpoint
    source: str
    """Full name of the stack that hands the credential over."""

    after: Sequence[pulumi.Resource]
    """The right to read its Secrets."""


class Registration(pulumi.ComponentResource):
    """A registration's objects on the control plane: authority, token and `Cluster` (REG-4)."""

    def __init__(self, name: str, args: RegistrationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("michelangelo:index:Registration", name, {}, opts)
        own = pulumi.ResourceOptions(parent=self)
        # Without a parent, like a provider: the engine reads it even where this component is left out.
        handed_over = pulumi.StackReference(name, stack_name=args.source)
        credential = handed_over.get_output(CREDENTIAL)
        control_plane_half(name, args.environment, args.endpoint, credential, own, args.after)
        self.register_outputs({})


class Shard(pulumi.ComponentResource):
    """Registrations of one shard's clusters on the control plane, through one provider; where halves are
    together, what these clusters hold themselves too. The right to read their Secrets is the shard's own, so
    that adding a cluster touches no other stack."""

    outputs: Mapping[str, Any]
    """Stack outputs."""

    def __init__(self, name: str, args: Configuration, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("michelangelo:index:Shard", name, {}, opts)
        environment, role = args.environment, args.role
        provider = kubernetes(CONTROL_PLANE, args.access[CONTROL_PLANE])
        here = pulumi.ResourceOptions(parent=self, providers=[provider])
        members = [name for name in args.access if name != CONTROL_PLANE]
        reader = Bundle("reader", rbac.cluster_credentials(environment, members, role.shard))
        rights = bundles.create(reader, here)
        inputs = Inputs(environment, role.environment)
        made = {}
        for cluster in members:
            access = args.access[cluster]
            endpoint = access.endpoint
            if endpoint is None:
                raise ValueError(f"cluster {cluster} has no endpoint")
            if environment.fleet.are_halves_together:
                both = ComputeClusterArgs(inputs, access, provider, task_credentials(args), rights)
                ComputeCluster(cluster, both, pulumi.ResourceOptions(parent=self))
            else:
                source = f"{pulumi.get_organization()}/{PROJECT}/{compute_stack(role.environment, cluster)}"
                Registration(cluster, RegistrationArgs(environment, endpoint, source, rights), here)
            made[cluster] = {
                "host": endpoint.host,
                "port": endpoint.port,
                "secret_names": registration.secret_names(cluster),
            }
        self.outputs = {"clusters": made}
        self.register_outputs({})
