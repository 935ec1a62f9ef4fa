"""Interface of a stack session, for rotation and removal."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

from madeploy.clients.kubernetes import Kubernetes
from madeploy.findings import Finding
from madeploy.settings import Environment
from madeploy.stacks.files import Edit

Tell = Callable[[str], None]
"""Takes one line for a person."""

CREDENTIALS_REVISION = ("controlPlane", "controllermgr", "credentialsRevision")


class Session(Protocol):
    """One stack: its settings, its update, its clusters. Every method may raise ToolkitError."""

    @property
    def name(self) -> str:
        """The stack's name."""

    def settings(self) -> Environment:
        """What the stack file says now."""

    def edit(self, edits: Sequence[Edit]) -> None:
        """Change the stack file: all of it at once or nothing."""

    def apply(
        self, clusters: Sequence[str], what: str, *, may_drop: bool = False, registers: bool = True
    ) -> Mapping[str, Finding]:
        """Bring the control plane and these clusters to what the stack file says; other clusters stay as they
        are. Returns why clusters could not be, by name. `what` says to a person what it is for, `may_drop`
        whether something may have to be deleted, `registers` whether what the control plane holds of these
        clusters may be otherwise: where that is in a stack of its own, this one is left alone else."""

    def withdraw(self, secrets: Mapping[str, Collection[str]], what: str) -> Mapping[str, Finding]:
        """Delete Secrets on clusters, by the clusters' names, that the stack file says nothing of any more,
        and nothing else. Returns why clusters could not be reached, by name."""

    def client(self, cluster: str) -> Kubernetes:
        """A cluster as its administrator. Raises ClientError too."""

    def with_token(self, cluster: str, token: str) -> Kubernetes:
        """A cluster by the same way with a bearer token instead. Raises ClientError too."""

    def store_token(self, cluster: str, token: str) -> None:
        """Keep a bounded token, encrypted, where the program takes it from."""


def next_revision(settings: Environment) -> Edit:
    """The edit that makes the next update roll the controller manager."""
    return CREDENTIALS_REVISION, settings.control_plane.controllermgr.credentials_revision + 1
