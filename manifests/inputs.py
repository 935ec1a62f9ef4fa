"""The one argument of every builder of the control plane's objects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from madeploy.names import aws
from madeploy.names.services import BY_NAME
from madeploy.settings import Environment
from madeploy.settings.identities import GivenRole, Irsa, PodIdentity
from madeploy.settings.storage import AwsStorage, ExistingStorage
from manifests import identities


@dataclass(frozen=True)
class Inputs:
    """Arguments of the builders."""

    environment: Environment

    stack: str | None = None
    """Name of the Pulumi stack, which is part of the names of IAM roles; without it ServiceAccounts get none
    of the roles that the stack makes."""

    object_store_secrets: Any = None
    """Text of the services' `secrets.yaml` with the object store's static keys, secret: the engine's output,
    because only an update reads them."""

    object_store_checksum: Any = None
    """Fingerprint of that text, so that a change rolls the pods: the engine's output, too."""

    @cached_property
    def _roles(self) -> Mapping[str, str]:
        return {} if self.stack is None else identities.predicted_roles(self.environment, self.stack)

    def role_arn(self, identity: str) -> str | None:
        """The role to put on an identity's ServiceAccount. None where it has none, or gets it from EKS Pod
        Identity, which knows ServiceAccounts by name."""
        storage = self.environment.storage
        source: Irsa | PodIdentity | GivenRole | None = None
        if identity not in BY_NAME:
            cluster = self.environment.clusters.get(identity.removeprefix(aws.tasks("")))
            source = cluster.task_identity if cluster is not None else None
        elif isinstance(storage, ExistingStorage):
            return {str(name): arn for name, arn in storage.role_arns.items()}.get(identity)
        elif isinstance(storage, AwsStorage):
            source = storage.identity
        if isinstance(source, GivenRole):
            return source.role_arn
        return self._roles.get(identity) if isinstance(source, Irsa) else None
