"""What retention talks about: its policy, the systems it needs, and what became of each model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

BATCH = 1000
"""Objects in one deletion at most (S3 API reference, DeleteObjects)."""

Action = Literal["removed", "wouldRemove", "inUse", "blocked", "changed", "failed"]
"""`removed`: objects and `Model` are gone. `wouldRemove`: they would be, in a dry run. `inUse`: a Deployment
names it. `blocked`: something about it has to be put right first. `changed`: not the one it was any more.
`failed`: some of it could not be deleted, so the `Model` stays."""

ATTENTION: frozenset[Action] = frozenset({"blocked", "failed"})
"""Actions that a person has to look into."""


class StoreError(Exception):
    """What a registry or an object store could not do. `is_fatal`: nothing else can be done there either."""

    def __init__(self, message: str, is_fatal: bool = False) -> None:
        super().__init__(message)
        self.is_fatal = is_fatal


class Registry(Protocol):
    """The Kubernetes API as far as retention needs it. Raises StoreError."""

    def models(self) -> Iterator[Mapping[str, Any]]:
        """Every `Model` of every namespace, page by page."""

    def deployments(self) -> Iterator[Mapping[str, Any]]:
        """Every `Deployment` of the platform; none where that kind is not defined."""

    def model(self, namespace: str, name: str) -> Mapping[str, Any] | None:
        """One `Model`; None when there is none."""

    def delete_model(self, namespace: str, name: str, uid: str, version: str) -> bool:
        """Delete a `Model` if it still has this uid and resourceVersion. False when it has not; true also
        when it is gone."""


class ObjectStore(Protocol):
    """The object store as far as retention needs it. Raises StoreError."""

    def pages(self, bucket: str, prefix: str, limit: int) -> Iterator[list[tuple[str, int]]]:
        """Keys that start with `prefix`, in order, with sizes in bytes; `limit` keys a page at most."""

    def delete(self, bucket: str, keys: Sequence[str]) -> dict[str, str]:
        """Delete up to `BATCH` objects. Returns the reason by key for those that could not be."""


@dataclass(frozen=True)
class Policy:
    """What to remove."""

    cutoff: datetime
    """Models created before are expired; with a time zone."""

    buckets: frozenset[str]
    """Buckets in which objects may be deleted."""

    namespaces: frozenset[str] = frozenset()
    """Namespaces whose models are removed; all of them when empty."""

    is_dry_run: bool = False
    look_again_seconds: float = 60.0
    """How long what is known of models that stay may be used: some are registered during a run."""


@dataclass(frozen=True)
class Outcome:
    """What became of one expired model."""

    namespace: str
    name: str
    created: str
    action: Action
    objects: int = 0
    """Objects deleted, or that would be."""

    size: int = 0
    """Their bytes."""

    kept: int = 0
    """Objects left because somebody else needs them."""

    reason: str = ""

    def to_data(self) -> dict[str, Any]:
        """Plain data for JSON; keys are constant."""
        return {
            "namespace": self.namespace,
            "name": self.name,
            "created": self.created,
            "action": self.action,
            "objects": self.objects,
            "bytes": self.size,
            "objectsKept": self.kept,
            "reason": self.reason,
        }


@dataclass
class Summary:
    """Counts of one run."""

    models: int = 0
    expired: int = 0
    objects: int = 0
    size: int = 0
    actions: dict[str, int] = field(default_factory=dict)
    """Models by what became of them."""

    def count(self, outcome: Outcome) -> None:
        """Add one outcome."""
        self.actions[outcome.action] = self.actions.get(outcome.action, 0) + 1
        self.objects += outcome.objects
        self.size += outcome.size

    @property
    def needs_attention(self) -> bool:
        """Whether something is left that a person has to look into."""
        return any(action in self.actions for action in ATTENTION)

    def to_data(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "models": self.models,
            "expired": self.expired,
            "objects": self.objects,
            "bytes": self.size,
            "actions": dict(sorted(self.actions.items())),
        }
