"""Which clusters of a stack a command means, and how they are reached."""

from __future__ import annotations

from collections.abc import Sequence

from madeploy.clients.errors import ClientError
from madeploy.clients.kubernetes import Kubernetes
from madeploy.errors import ToolkitError, UsageError
from madeploy.settings import CONTROL_PLANE
from madeploy.stacks.access import StackAccess, open_stack


def stack_given(stack: str) -> str:
    """The stack that was named. Raises UsageError for none."""
    if not stack:
        raise UsageError("no stack is named", "clusters belong to a stack", "name it: --stack STACK")
    return stack


def chosen_clusters(
    names: list[str], every: bool, there: list[str], stack: str, older_than: str | None = None
) -> list[str]:
    """The clusters that are meant. Raises UsageError."""
    _names_or_all(names, every)
    if older_than is not None and not every:
        raise UsageError(
            "--older-than chooses among all clusters",
            "clusters are named as well",
            "say --all --older-than AGE, or name clusters only",
        )
    unknown = [name for name in names if name not in there]
    if unknown:
        raise UsageError(
            f"stack {stack} has no cluster {', '.join(unknown)}",
            f"its clusters are: {', '.join(there) or 'none'}",
            "name one of these",
        )
    return there if every else list(dict.fromkeys(names))


def open_for(stack: str, names: Sequence[str], every: bool) -> StackAccess:
    """The stack with these clusters, or all; only the control plane has to have a usable kubeconfig.
    Raises UsageError for wrong use."""
    stack_given(stack)
    _names_or_all(names, every)
    return open_stack(stack, None if every else [CONTROL_PLANE, *names], required=[CONTROL_PLANE])


def administrator(access: StackAccess, name: str) -> Kubernetes | None:
    """The compute cluster by its kubeconfig, None where that cannot be used: what is registered can be proven
    without."""
    try:
        return access.client(name)
    except (ClientError, ToolkitError):
        return None


def unreachable_control_plane(error: ClientError, stack: str) -> ToolkitError:
    """The error that ends a command without a control plane to ask."""
    return ToolkitError(
        f"the control plane of stack {stack} cannot be asked",
        str(error),
        "see that its API server runs, and that controlPlane.kubeconfigContext or kubeconfigs.control-plane "
        "leads there",
    )


def _names_or_all(names: Sequence[str], every: bool) -> None:
    if bool(names) == every:
        raise UsageError(
            "which clusters?", "names or --all are needed, not both", "name clusters, or say --all"
        )
