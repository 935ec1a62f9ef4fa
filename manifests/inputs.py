"""The one argument of every builder of the control plane's objects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from madeploy.settings import Environment
from madeploy.settings.identities import Irsa
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
    def _annotated(self) -> Mapping[str, str]:
        """Roles that ServiceAccounts name: given ones, and those made here that are taken by IRSA."""
        environment = self.environment
        made = {} if self.stack is None else identities.predicted_roles(environment, self.stack)
        by_irsa = {
            subject.identity: made[subject.identity]
            for subject in identities.subjects(environment)
            if isinstance(subject.source, Irsa) and subject.identity in made
        }
        return by_irsa | identities.given_roles(environment)

    def role_arn(self, identity: str) -> str | None:
        """The role to put on an identity's ServiceAccount. None where it has none, or gets it from EKS Pod
        Identity, which knows ServiceAccounts by name."""
        return self._annotated.get(identity)
