"""Reachability of a fleet's clusters, within a bounded time whatever the others do (REG-10)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import partial

from madeploy.clients import reviews
from madeploy.clients.bounded import WORKERS, run_bounded
from madeploy.clients.errors import ClientError
from madeploy.clients.kubernetes import Kubernetes
from madeploy.clusters.failures import administrator_finding, unusable
from madeploy.errors import ToolkitError
from madeploy.findings import Finding, find
from madeploy.settings import CONTROL_PLANE
from madeploy.stacks.access import StackAccess, open_stack

SECONDS = 8.0
"""Time for one cluster: connection, credential (a login command included) and one question."""


@dataclass(frozen=True)
class Preflight:
    """Result of a reachability check; every cluster is in one of the two."""

    reachable: list[str]
    """Clusters that answered and accepted the credential, in the order given."""

    aside: dict[str, Finding]
    """The others, each with its reason, in the order given."""


def preflight(
    clients: Mapping[str, Callable[[], Kubernetes]],
    seconds: float = SECONDS,
    workers: int = WORKERS,
    note: Callable[[int], None] = lambda _: None,
) -> Preflight:
    """Ask each cluster whom its credential stands for.

    Args:
        clients: makes the connection to each cluster, as its administrator; may itself raise ClientError or
            ToolkitError, or take long.
        seconds: time limit for one cluster, see `run_bounded`.
        workers: clusters asked at the same time.
        note: told how many have been asked.
    """

    def task(name: str) -> Callable[[], Finding | None]:
        return lambda: _ask(name, clients[name])

    def late(name: str) -> Finding | None:
        return find("MA432", f"{name}: kubeconfig", f"no answer within {seconds:g} s")

    found = run_bounded({name: task(name) for name in clients}, late, seconds, workers, note)
    return Preflight(
        [name for name, finding in found.items() if finding is None],
        {name: finding for name, finding in found.items() if finding is not None},
    )


def unreachable(
    given: str, note: Callable[[str], None], only: Collection[str] | None = None
) -> Mapping[str, Finding]:
    """Compute clusters of a stack that do not answer or do not accept the credential, each with its reason;
    of `only` these, where some are named.

    Raises ToolkitError: 2 for a stack file that is wrong, 3 when the control plane itself is out of reach.
    """
    access = open_stack(given, required=[])
    clients: dict[str, Callable[[], Kubernetes]] = {
        name: partial(access.client, name)
        for name in (CONTROL_PLANE, *access.environment.clusters)
        if only is None or name in (CONTROL_PLANE, *only)
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


def _ask(name: str, connect: Callable[[], Kubernetes]) -> Finding | None:
    try:
        reviews.user(connect())
    except ClientError as error:
        return administrator_finding(error, name)
    except ToolkitError as error:
        return unusable(error, name)
    except Exception as error:
        # One cluster's oddity must not end the look at the others.
        return find("MA402", name, f"its kubeconfig cannot be used ({type(error).__name__})")
    return None
