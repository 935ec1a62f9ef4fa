"""Which clusters of a fleet answer, within a bounded time whatever the others do (REG-10)."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from madeploy.clients.errors import ClientError
from madeploy.clients.kubernetes import Kubernetes
from madeploy.errors import ToolkitError
from madeploy.findings import Finding, find
from madeploy.probes.causes import administrator_finding

SECONDS = 8.0
"""Time for one cluster: connection, credential (a login command included) and one question."""
WORKERS = 32

_QUESTION = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}


@dataclass(frozen=True)
class Preflight:
    """What a look at a fleet found; every cluster is in one of the two."""

    reachable: list[str]
    """Clusters that answered and accepted the credential, in the order given."""

    aside: dict[str, Finding]
    """The others, each with its reason, in the order given."""


def preflight(
    clients: Mapping[str, Callable[[], Kubernetes]],
    seconds: float = SECONDS,
    workers: int = WORKERS,
) -> Preflight:
    """Ask each cluster who its credential stands for; `clients` makes the connection and may itself raise
    ClientError or ToolkitError, or take long.

    No cluster gets more than `seconds`; one that has not answered by then is set aside and its thread left
    behind (nothing can interrupt a name resolution, or a server that sends a byte a second).
    """
    waiting = dict(clients)
    answers: queue.Queue[tuple[str, Finding | None]] = queue.Queue()
    outcome: dict[str, Finding | None] = {}
    running: dict[str, float] = {}
    names = iter(list(waiting))

    def start_next() -> None:
        name = next(names, None)
        if name is not None:
            running[name] = time.monotonic() + seconds
            # Daemons: the command ends whether they do or not.
            threading.Thread(
                target=lambda: answers.put((name, _ask(name, clients[name]))), daemon=True
            ).start()

    for _ in range(min(workers, len(waiting))):
        start_next()
    while running:
        patience = max(min(running.values()) - time.monotonic(), 0)
        try:
            name, finding = answers.get(timeout=patience)
        except queue.Empty:
            late = [name for name, deadline in running.items() if deadline <= time.monotonic()]
            for name in late:
                outcome[name] = find("MA432", name, f"no answer within {seconds:g} s")
                del running[name]
                start_next()
            continue
        if running.pop(name, None) is not None:
            outcome[name] = finding
            start_next()
    return Preflight(
        [name for name in clients if outcome[name] is None],
        {name: finding for name in clients if (finding := outcome[name]) is not None},
    )


def _ask(name: str, connect: Callable[[], Kubernetes]) -> Finding | None:
    try:
        connect().review("/apis/authentication.k8s.io/v1/selfsubjectreviews", _QUESTION)
    except ClientError as error:
        return administrator_finding(error, name)
    except ToolkitError as error:
        return find("MA402", name, f"{error.what}: {error.why}", fix=error.fix)
    except Exception as error:
        # One cluster's oddity must not end the look at the others.
        return find("MA402", name, f"its kubeconfig cannot be used ({type(error).__name__})")
    return None
