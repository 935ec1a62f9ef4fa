"""A stack as the rotation and removal work on it: its file, its update, its clusters."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from madeploy.clients.kubernetes import Kubernetes
from madeploy.findings import Finding
from madeploy.fleet import urns
from madeploy.names.kubernetes import Workload
from madeploy.progress import phase, say
from madeploy.settings import CONTROL_PLANE, Environment
from madeploy.stacks import files
from madeploy.stacks.access import StackAccess, open_stack
from madeploy.stacks.apply import apply, withdraw
from madeploy.stacks.secrets import set_secret
from madeploy.stacks.updates import Applied, EnvironmentStacks, apply_services, environment_stacks

DELETE_UNREACHABLE = "PULUMI_K8S_DELETE_UNREACHABLE"
"""With it the provider plugin lets go, unseen, of what is on clusters that do not answer."""


class StackSession:
    """One stack that a command works on. Satisfies `madeploy.clusters.session.Session`.

    `clusters` are those whose kubeconfigs are needed; one that cannot be used is an error only where it is.
    """

    def __init__(self, given: str, clusters: Sequence[str]) -> None:
        self._access: StackAccess = open_stack(given, [CONTROL_PLANE, *clusters], required=[CONTROL_PLANE])
        self._settings = self._access.environment

    @property
    def name(self) -> str:
        """The stack's name."""
        return self._access.name

    def settings(self) -> Environment:
        """What the stack file says: read once, and again after an edit of this session."""
        return self._settings

    def edit(self, edits: Sequence[files.Edit]) -> None:
        """Change the stack file: all of it at once or nothing."""
        self._settings = files.edit(self._access.path, edits) or self._settings

    def apply(
        self, clusters: Sequence[str], what: str, *, may_drop: bool = False, registers: bool = True
    ) -> Mapping[str, Finding]:
        """Bring the control plane and these clusters to what the stack file says; without `registers` what
        the control plane holds of them is left alone where it is in stacks of its own. Returns why clusters
        could not be, by name. Raises ToolkitError for what concerns the stack as a whole."""
        with phase(f"pulumi up ({what})") as running:
            applied = apply(
                self._stacks(),
                list(clusters),
                tell=say,
                note=running.note,
                may_drop=may_drop,
                registers=registers,
            )
        return self._failed(applied, clusters)

    def withdraw(self, secrets: Mapping[str, Collection[str]], what: str) -> Mapping[str, Finding]:
        """Delete Secrets on clusters that the stack file says nothing of any more. Returns why clusters could
        not be reached, by name."""
        with phase(f"pulumi destroy ({what})") as running:
            applied = withdraw(self._stacks(), secrets, tell=say, note=running.note)
        return self._failed(applied, list(secrets))

    def _stacks(self) -> EnvironmentStacks:
        return environment_stacks(self.name, self._access.path, self._settings)

    @staticmethod
    def _failed(applied: Applied, clusters: Sequence[str]) -> Mapping[str, Finding]:
        failed = {item.subject: item for item in applied.findings if item.subject in clusters}
        applied.findings = [item for item in applied.findings if item.subject not in failed]
        applied.require_success()
        return failed

    def apply_services(self, held: Collection[str], what: str) -> None:
        """Bring the control plane to what the stack file says, but for the services `held` and for clusters.
        Raises ToolkitError."""
        with phase(f"pulumi up ({what})") as running:
            apply_services(self._stacks(), held, tell=say, note=running.note).require_success()

    def images(self, services: Iterable[Workload]) -> Mapping[str, str]:
        """Images of services as the last update left them, by service."""
        return urns.images_in(self._stacks().stack(self.name).resources(), services)

    def client(self, cluster: str) -> Kubernetes:
        """A cluster as its administrator."""
        return self._access.client(cluster)

    def with_token(self, cluster: str, token: str) -> Kubernetes:
        """A cluster by its kubeconfig's way (address, authority, proxy), with a bearer token for a login."""
        # Raises for a kubeconfig that cannot be used.
        self._access.client(cluster)
        minified = dict(self._access.kubeconfigs[cluster])
        (user,) = minified["users"]
        login: dict[str, Any] = {**minified, "users": [{**user, "user": {"token": token}}]}
        return Kubernetes.from_kubeconfig(login)

    def store_token(self, cluster: str, token: str) -> None:
        """Keep a bounded token, encrypted, in `clusterTokens`."""
        set_secret(self.name, ("clusterTokens", cluster), token)


@contextmanager
def forgetting(is_wanted: bool) -> Iterator[None]:
    """Let updates within the block let go of what is on clusters that do not answer."""
    before = os.environ.get(DELETE_UNREACHABLE)
    if is_wanted:
        os.environ[DELETE_UNREACHABLE] = "true"
    try:
        yield
    finally:
        if is_wanted:
            os.environ.pop(DELETE_UNREACHABLE)
            if before is not None:
                os.environ[DELETE_UNREACHABLE] = before
