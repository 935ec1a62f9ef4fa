"""Access of `madeploy tenants` to the control plane's cluster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from madeploy.clients.errors import ClientError
from madeploy.clients.kubernetes import Kubernetes
from madeploy.errors import ToolkitError
from madeploy.settings import CONTROL_PLANE, Environment
from madeploy.stacks.access import open_stack


@contextmanager
def control_plane(stack: str) -> Iterator[Kubernetes]:
    """The control plane's API server. Failures of calls to it end the command as ToolkitError (3)."""
    access = open_stack(stack, [CONTROL_PLANE])
    try:
        yield access.client(CONTROL_PLANE)
    except ClientError as error:
        raise ToolkitError(
            f"tenants of stack {access.name} cannot be looked at",
            str(error),
            "see that the control plane's cluster answers: kubectl get --raw /readyz",
        ) from None


def queued_clusters(environment: Environment) -> list[str]:
    """Compute clusters on which tenants have queues."""
    return [name for name, cluster in environment.clusters.items() if cluster.queues is not None]
