"""Two states of an environment, and what happens to each object between them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from madeploy.names.tenants import TENANT_LABEL
from madeploy.plan.differences import Difference, differences

Operation = Literal["create", "update", "replace", "delete"]
AWS = "aws"
"""Stands where objects have their cluster's name."""


@dataclass(frozen=True, order=True)
class Identity:
    """An object: its cluster (`control-plane`, a compute cluster's name, or `aws`), kind, namespace (empty
    where there is none) and name."""

    cluster: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {f'{self.namespace}/' if self.namespace else ''}{self.name}"


Objects = Mapping[Identity, Mapping[str, Any]]


def of_a_tenant(item: Mapping[str, Any] | None) -> bool:
    """Whether an object is a tenant's: it stays on the cluster when it leaves the settings."""
    return TENANT_LABEL in ((item or {}).get("metadata", {}).get("labels") or {})


@dataclass(frozen=True)
class Change:
    """One object that does not stay as it is."""

    identity: Identity
    operation: Operation
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    kept: bool = False
    """Whether the thing itself outlives its deletion here (a bucket that is retained, a tenant's object)."""

    hidden: tuple[str, ...] = ()
    """Fields that differ in values which are not shown: secrets."""

    @cached_property
    def fields(self) -> tuple[Difference, ...]:
        """Fields that differ; none of an object that comes or goes."""
        if self.before is None or self.after is None:
            return ()
        return tuple(differences(self.before, self.after))


@dataclass(frozen=True)
class Comparison:
    """Two states of an environment and the changes from one to the other."""

    before: Objects
    after: Objects
    replaced: frozenset[Identity] = frozenset()
    """Objects that the engine deletes and makes anew."""

    hidden: Mapping[Identity, tuple[str, ...]] = field(default_factory=dict)
    """Objects that change, with fields whose values are not shown, by their dotted paths."""

    retained: frozenset[Identity] = frozenset()
    """Objects that are only forgotten when they go."""

    protected: frozenset[Identity] = frozenset()
    """Objects that the engine refuses to delete or replace."""

    waiting: frozenset[Identity] = frozenset()
    """Objects whose deletion an earlier update could not do, and each update tries again."""

    urns: Mapping[Identity, str] = field(default_factory=dict)
    """The engine's names of objects on AWS, which stay the same when an object gets another name."""

    renamed: Mapping[str, str] = field(default_factory=dict)
    """Clusters that settings reach in the same way under another name: former name by new name."""

    first: bool = field(default=False)
    """Whether nothing was deployed before."""

    @cached_property
    def changes(self) -> tuple[Change, ...]:
        """Every object that does not stay as it is, in order."""
        return tuple(self._changes())

    def _changes(self) -> Iterator[Change]:
        for identity in sorted({*self.before, *self.after}):
            old, new = self.before.get(identity), self.after.get(identity)
            if old is None:
                yield Change(identity, "create", None, new)
            elif new is None:
                kept = identity in self.retained or of_a_tenant(old)
                yield Change(identity, "delete", old, None, kept)
            elif identity in self.replaced:
                yield Change(identity, "replace", old, new, identity in self.retained)
            else:
                change = Change(identity, "update", old, new, hidden=self.hidden.get(identity, ()))
                if change.fields or identity in self.hidden:
                    yield change

    def urn(self, change: Change) -> str:
        """The engine's name of a changed object on AWS; "" of another."""
        return self.urns.get(change.identity, "")

    def of(self, *kinds: str) -> list[Change]:
        """Changes of objects of these kinds."""
        return [change for change in self.changes if change.identity.kind in kinds]

    def find(self, kind: str, name: str) -> Change | None:
        """The change of one object; None when it stays as it is."""
        wanted = (kind, name)
        return next((c for c in self.changes if (c.identity.kind, c.identity.name) == wanted), None)

    def counts(self) -> dict[Operation, int]:
        """Number of objects by what happens to them."""
        found: dict[Operation, int] = {}
        for change in self.changes:
            found[change.operation] = found.get(change.operation, 0) + 1
        return found


def indexed(objects: Iterable[tuple[str, Mapping[str, Any]]]) -> dict[Identity, Mapping[str, Any]]:
    """Kubernetes objects with their cluster's name, by identity."""
    found: dict[Identity, Mapping[str, Any]] = {}
    for cluster, item in objects:
        meta = item["metadata"]
        name = meta.get("name") or meta.get("generateName", "")
        found[Identity(cluster, item["kind"], meta.get("namespace", ""), name)] = item
    return found
