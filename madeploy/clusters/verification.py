"""Verification of a registration: the checks that have to pass before the platform can dispatch to a cluster,
one after the other (REG-6).

They run on this machine, with the registered credential. What only the platform itself
can show, that its own pods reach the cluster, is the check `health`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from madeploy.clients.bounded import run_bounded
from madeploy.clients.errors import ClientError
from madeploy.clients.kubernetes import Kubernetes
from madeploy.clusters import serving_token
from madeploy.clusters.access import administrator, unreachable_control_plane
from madeploy.clusters.checks import connection, credential
from madeploy.clusters.checks.health import control_plane_clock, health, health_findings
from madeploy.clusters.checks.identity import same_cluster_findings
from madeploy.clusters.checks.kuberay import (
    missing_definitions,
    operator_findings,
    operator_version,
    queue_findings,
)
from madeploy.clusters.checks.ray_cluster import NoDryRunError
from madeploy.clusters.checks.ray_cluster import create_ray_cluster as try_ray_cluster
from madeploy.clusters.checks.registered_objects import registration_findings
from madeploy.clusters.checks.storage import storage_findings
from madeploy.clusters.failures import administrator_finding, finding_of
from madeploy.clusters.registration import Registered, read_registration, registered_client
from madeploy.clusters.remedies import Remedies, remedies
from madeploy.findings import Finding, find
from madeploy.settings import CONTROL_PLANE, Environment
from madeploy.stacks.access import StackAccess

State = Literal["passed", "failed", "notTried", "skipped"]

CHECKS = (
    "registration",
    "dns",
    "tcp",
    "tls",
    "credential",
    "rights",
    "storage",
    "kuberay",
    "queues",
    "health",
    "rayCluster",
    "serving",
)
"""Names of the checks, in the order they run; `checks_of` has those of one cluster."""


SECONDS = 90.0
"""Time limit for one cluster's checks."""


@dataclass(frozen=True)
class Check:
    """Result of one check."""

    name: str
    """One of `CHECKS`."""

    state: State
    """`passed`; `failed`, with the findings; `notTried`, because an earlier one failed; `skipped`, because
    it cannot be looked at from here."""

    detail: str
    """What was seen, or why it was not looked at."""

    findings: tuple[Finding, ...] = ()

    @property
    def finding(self) -> Finding | None:
        """The first finding of a failed check."""
        return self.findings[0] if self.findings else None

    def to_data(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "check": self.name,
            "state": self.state,
            "detail": self.detail,
            "findings": [finding.to_data() for finding in self.findings],
        }


class _SkippedError(Exception):
    """A check that cannot be looked at from here."""


@dataclass
class _Verification:
    """State of one registration's verification."""

    control_plane: Kubernetes
    compute: Kubernetes | None
    environment: Environment
    remedies: Remedies
    for_real: bool
    clock: Callable[[], float]
    registered: Registered
    client: Kubernetes | None = None

    def registration(self) -> str | Iterable[Finding]:
        found = registration_findings(
            self.control_plane, self.compute, self.registered, self.environment, self.remedies
        )
        if not found and self.compute is not None:
            with self._without_administrator():
                found = same_cluster_findings(
                    self.control_plane, self.compute, self.environment, self.remedies
                )
        return found or f"Cluster and both Secrets, for {self.registered.server}"

    def dns(self) -> str | Iterable[Finding]:
        return _one(connection.resolve(self.registered, self.remedies))

    def tcp(self) -> str | Iterable[Finding]:
        return _one(connection.connect(self.registered, self.remedies))

    def tls(self) -> str | Iterable[Finding]:
        return _one(connection.handshake(self.registered, self.remedies))

    def credential(self) -> str | Iterable[Finding]:
        return _one(
            credential.accept(
                self.registered, self._registered_client(), self.compute, self.remedies, self.clock
            )
        )

    def rights(self) -> str | Iterable[Finding]:
        return _one(
            credential.authorize(
                credential.rights(self.environment, self.remedies.name),
                self._registered_client(),
                self.remedies,
            )
        )

    def storage(self) -> str | Iterable[Finding]:
        compute = self._administrator()
        found = storage_findings(self.control_plane, compute, self.environment, self.remedies)
        return found or "the tasks' configuration is what the stack says"

    def kuberay(self) -> str | Iterable[Finding]:
        entry = self.environment.clusters.get(self.remedies.name)
        if entry is not None and entry.operators.kube_ray == "ignore":
            raise _SkippedError(f"clusters.{self.remedies.name}.operators.kubeRay is ignore")
        compute = self._administrator()
        found = missing_definitions(compute, self.remedies) or operator_findings(compute, self.remedies)
        return found or f"definitions served, operator {operator_version(compute) or 'available'}"

    def queues(self) -> str | Iterable[Finding]:
        compute = self._administrator()
        found = queue_findings(compute, self.environment, self.remedies)
        return found or "every project has a queue there, and Kueue calls none of them inactive"

    def health(self) -> str | Iterable[Finding]:
        now = control_plane_clock(self.control_plane)
        cluster = self.registered.cluster or {}
        found = health_findings(cluster, now, self.remedies)
        return found or f"the platform reached it {health(cluster).age(now) or 0:.0f} s ago"

    def ray_cluster(self) -> str | Iterable[Finding]:
        try:
            return _one(try_ray_cluster(self._registered_client(), self.remedies, for_real=self.for_real))
        except NoDryRunError as error:
            raise _SkippedError(str(error)) from None

    def serving(self) -> str | Iterable[Finding]:
        known = self.registered

        def client(token: str) -> Kubernetes:
            return Kubernetes.registered(known.server, known.certificate_authority, token)

        return _one(
            serving_token.prove(
                self.environment,
                serving_token.registered_token(self.control_plane, known),
                client,
                self.control_plane,
                self.compute,
                self.remedies,
                self.clock,
            )
        )

    def _registered_client(self) -> Kubernetes:
        if self.client is None:
            self.client = registered_client(self.registered)
        return self.client

    @contextmanager
    def _without_administrator(self) -> Iterator[None]:
        """Go on when the kubeconfig leads nowhere: the checks after this one show whether the registration
        does."""
        try:
            yield
        except ClientError as error:
            if self.compute is None or error.server != self.compute.server:
                raise

    def _administrator(self) -> Kubernetes:
        if self.compute is None:
            raise _SkippedError(
                "needs the cluster's kubeconfig: the registered credential may not look there"
            )
        return self.compute


def verify_registration(
    control_plane: Kubernetes,
    compute: Kubernetes | None,
    environment: Environment,
    name: str,
    *,
    stack: str = "STACK",
    create_ray_cluster: bool = False,
    clock: Callable[[], float] = time.time,
) -> list[Check]:
    """Run the checks until one fails; those after it are `notTried`.

    Args:
        control_plane: the control plane's cluster, as its administrator.
        compute: the compute cluster, as its administrator; None where there is no kubeconfig for it, and
            then what only an administrator may see is `skipped`.
        environment: what the stack says.
        name: the compute cluster.
        stack: name of the stack, for the commands that findings give.
        create_ray_cluster: create a RayCluster, suspended, and delete it; a dry run otherwise.
        clock: this machine's clock, seconds since 1970.

    Raises:
        ClientError: the control plane does not answer. A compute cluster that does not is a check.
    """
    known = remedies(environment, name, stack)
    verification = _Verification(
        control_plane,
        compute,
        environment,
        known,
        create_ray_cluster,
        clock,
        read_registration(control_plane, name),
    )
    checks: list[Check] = []
    failed = ""
    for check in checks_of(environment, name):
        if failed:
            checks.append(Check(check, "notTried", f"{failed} failed"))
            continue
        checks.append(_try(verification, check))
        if checks[-1].state == "failed":
            failed = check
    return checks


def checks_of(environment: Environment, name: str) -> tuple[str, ...]:
    """Those of `CHECKS` that a cluster has: of queues where jobs wait in some, of serving where it serves."""
    entry = environment.clusters.get(name)
    left_out = {
        "queues": entry is None or entry.queues is None,
        "serving": not serving_token.serves(environment, name),
    }
    return tuple(check for check in CHECKS if not left_out.get(check))


def _try(verification: _Verification, check: str) -> Check:
    step = getattr(verification, "ray_cluster" if check == "rayCluster" else check)
    try:
        outcome: str | Iterable[Finding] = step()
    except _SkippedError as skipped:
        return Check(check, "skipped", str(skipped))
    except ClientError as error:
        if (
            error.server == verification.control_plane.server
            and error.server != verification.registered.server
        ):
            raise
        if verification.compute is not None and check in ("storage", "kuberay", "queues"):
            outcome = [administrator_finding(error, verification.remedies.name)]
        else:
            outcome = [finding_of(error, verification.registered.server)]
    if isinstance(outcome, str):
        return Check(check, "passed", outcome)
    findings = tuple(outcome)
    return Check(check, "failed", findings[0].evidence, findings)


def _one(outcome: tuple[str, Finding | None]) -> str | Iterable[Finding]:
    detail, finding = outcome
    return detail if finding is None else [finding]


def verify_all(
    access: StackAccess, names: Sequence[str], *, create_ray_cluster: bool, note: Callable[[int], None]
) -> dict[str, list[Check]]:
    """Checks of each cluster by its name, side by side, each within `SECONDS`.

    Args:
        access: the stack.
        names: its clusters that are meant.
        create_ray_cluster: as in `verify_registration`.
        note: told how many are done.

    Raises ToolkitError (3) when the control plane does not answer.
    """
    control_plane = access.client(CONTROL_PLANE)
    tasks = {name: partial(_verified, access, control_plane, name, create_ray_cluster) for name in names}
    return run_bounded(tasks, partial(_late, access.environment), SECONDS, note=note)


def is_proven(checks: Sequence[Check]) -> bool:
    """Whether no check failed."""
    return all(check.state in ("passed", "skipped") for check in checks)


def _verified(access: StackAccess, control_plane: Kubernetes, name: str, create: bool) -> list[Check]:
    try:
        return verify_registration(
            control_plane,
            administrator(access, name),
            access.environment,
            name,
            stack=access.name,
            create_ray_cluster=create,
        )
    except ClientError as error:
        raise unreachable_control_plane(error, access.name) from None


def _late(environment: Environment, name: str) -> list[Check]:
    finding = find("MA432", name, f"its checks did not end within {SECONDS:g} s")
    first, *rest = checks_of(environment, name)
    return [
        Check(first, "failed", finding.evidence, (finding,)),
        *(Check(check, "notTried", f"{first} failed") for check in rest),
    ]
