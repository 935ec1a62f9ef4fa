"""Clusters that cannot be reached, found before an engine starts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from madeploy.clients.kubernetes import Kubernetes
from madeploy.errors import ToolkitError
from madeploy.findings import Finding
from madeploy.probes.preflight import preflight
from madeploy.settings import CONTROL_PLANE
from madeploy.stacks.access import StackAccess, open_stack


def unreachable(given: str, note: Callable[[str], None]) -> Mapping[str, Finding]:
    """Compute clusters of a stack that do not answer or do not accept the credential, each with its reason.

    Raises ToolkitError: 2 for a stack file that is wrong, 3 when the control plane itself is out of reach.
    """
    access = open_stack(given, required=[])
    clients: dict[str, Callable[[], Kubernetes]] = {
        name: partial(access.client, name) for name in (CONTROL_PLANE, *access.environment.clusters)
    }
    found = preflight(clients, note=lambda done: note(f"{done} of {len(clients)} clusters asked"))
    # What was asked for is a cluster; the rest of the command names it so.
    aside = {name: replace(finding, subject=name) for name, finding in found.aside.items()}
    own = aside.pop(CONTROL_PLANE, None)
    if own is not None:
        raise _no_control_plane(access, own)
    return aside


def _no_control_plane(access: StackAccess, finding: Finding) -> ToolkitError:
    return ToolkitError(
        f"the control plane of stack {access.name} cannot be reached",
        f"{finding.code} {finding.evidence}. {finding.why}",
        finding.fix,
    )
