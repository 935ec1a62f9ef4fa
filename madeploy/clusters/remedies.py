"""Commands that findings name as the way out, ready to be typed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from madeploy.engine.commands import update
from madeploy.fleet.roles import compute_stack, shard_stack
from madeploy.names.contexts import context
from madeploy.names.kubernetes import workload
from madeploy.settings import Environment


@dataclass(frozen=True)
class Remedies:
    """Commands for one cluster of one stack. Where the stack names no context, the registration guide's
    variable stands in its place."""

    name: str
    stack: str
    control_plane_context: str
    compute_context: str
    namespace: str
    """Namespace of the platform's services."""

    parts: tuple[str, ...]
    """Stacks that hold the cluster in the layout `sharded`, in the order they are written; none otherwise."""

    installs_kuberay: bool
    """Whether the stack installs KubeRay on the cluster, or somebody else does."""

    kuberay: str
    """Version of KubeRay the release is made with."""

    @property
    def up(self) -> str:
        """Writes what the stack says and is not there. Where the fleet is sharded, the cluster's two halves
        are in stacks of their own, with the environment's configuration."""
        return self._update(take_back=False)

    @property
    def take_back(self) -> str:
        """Writes what the stack says over what others have written."""
        return self._update(take_back=True)

    def _update(self, take_back: bool) -> str:
        if not self.parts:
            return update(self.stack, take_back=take_back)
        config = PurePosixPath("stacks") / f"Pulumi.{self.stack}.yaml"
        return steps(*(update(part, config, take_back=take_back) for part in self.parts))

    @property
    def rotate(self) -> str:
        """Makes, registers and proves a new credential."""
        return f"bin/madeploy clusters rotate {self.name} --stack {self.stack}"

    @property
    def roll(self) -> str:
        """Restarts the controller manager, which reads a credential only once (V14)."""
        return self.control_plane(
            f"-n {self.namespace} rollout restart deployment/{workload('controllermgr')}"
        )

    @property
    def verify(self) -> str:
        """Proves the registration again."""
        return f"bin/madeploy clusters verify {self.name} --stack {self.stack}"

    @property
    def take_back_and_roll(self) -> str:
        """Both: for what the controller manager has read already."""
        return steps(self.take_back, self.roll)

    def control_plane(self, arguments: str) -> str:
        """kubectl on the control plane."""
        return f"kubectl --context {self.control_plane_context} {arguments}"

    def compute(self, arguments: str) -> str:
        """kubectl on the compute cluster."""
        return f"kubectl --context {self.compute_context} {arguments}"


def holders(namespace: str) -> str:
    """Arguments of kubectl that show what holds a namespace that is being deleted, and nothing of one that is
    gone."""
    return f"get namespace {namespace} --ignore-not-found -o jsonpath='{{.status.conditions}}'"


def steps(*lines: str) -> str:
    """A fix of several lines: what to do in words, and each command on a line of its own."""
    return "\n".join(lines)


def remedies(environment: Environment, name: str, stack: str) -> Remedies:
    """The commands for cluster `name`; it need not be in the stack any more."""
    cluster = environment.clusters.get(name)
    return Remedies(
        name,
        stack,
        context(environment),
        context(environment, name),
        environment.platform.namespace,
        _parts(environment, name, stack),
        cluster is not None and cluster.operators.kube_ray == "install",
        environment.release.compute.kuberay,
    )


def _parts(environment: Environment, name: str, stack: str) -> tuple[str, ...]:
    cluster = environment.clusters.get(name)
    if environment.fleet.layout == "inline" or cluster is None:
        return ()
    shard = () if cluster.shard is None else (shard_stack(stack, cluster.shard),)
    if environment.fleet.are_halves_together:
        return shard
    return (compute_stack(stack, name), *shard)
