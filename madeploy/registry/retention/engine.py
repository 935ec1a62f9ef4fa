"""What retention removes, in which order, and what it leaves alone.

One listing of all models divides them by age; every minute it is looked for new ones. Then each expired
model, one after the other: read again, its objects deleted, and last the `Model`, under the condition that
it is still the one that was read. A run that ends anywhere in between leaves no object without a `Model`
that names it, and the next run goes on from there: objects that are gone already are no failure.

Left alone, and said so:

- Objects that a model which stays refers to as well. The expired `Model` is removed all the same: nothing
  is lost sight of, for the other one names the objects.
- Models with a URI that is no place in one of the environment's buckets, that is a whole bucket, or in
  which artifacts of a model that stays lie. Nothing of such a model is deleted, whatever its other URIs.
- Models that a `Deployment` names, for they are or may come to be served (facts 3.5), and what serving
  reads of them.

Objects are deleted as anybody deletes them: where the bucket keeps versions, what was current becomes a
noncurrent version, which the bucket's lifecycle rule removes some days later. Until then a mistake can be
undone, and the right to delete versions is nobody's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from .terms import BATCH, Action, ObjectStore, Outcome, Policy, Registry, StoreError, Summary
from .uris import Location, Needed, UriError, parse

SERVED_BUCKET = "deploy-models"
"""Where serving reads a deployed model, below its name (facts 0.4, 3.5)."""

_ATTEMPTS = 3
"""How often the deletion of a `Model` is tried that somebody relabels meanwhile."""

_SHOWN = 3


@dataclass(frozen=True)
class _Record:
    """What is held of an expired model."""

    namespace: str
    name: str
    created: str
    uid: str
    uris: tuple[str, ...]

    @property
    def owner(self) -> str:
        return f"{self.namespace}/{self.name}"


def uris(model: Mapping[str, Any]) -> tuple[str, ...]:
    """Every artifact URI of a `Model`, raw ones first."""
    spec = model.get("spec") or {}
    found = [*(spec.get("modelArtifactUri") or ()), *(spec.get("deployableArtifactUri") or ())]
    return tuple(dict.fromkeys(str(uri) for uri in found))


def created_before(model: Mapping[str, Any], cutoff: datetime) -> bool:
    """Whether a `Model` is older than `cutoff`. One that does not say is young."""
    stamp = str(model["metadata"].get("creationTimestamp") or "")
    try:
        made = datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    except ValueError:
        return False
    return made < cutoff


def run(
    registry: Registry,
    store: ObjectStore,
    policy: Policy,
    summary: Summary,
    surveyed: Callable[[Summary], None] = lambda _: None,
) -> Iterator[Outcome]:
    """Remove what is expired; yields each expired model's outcome when it is known, and counts it.

    `surveyed` is called once every model has been read. Raises StoreError when the registry cannot be
    read, or when nothing further can be done; what is done by then stays done.
    """
    used = _deployed(registry)
    needed = Needed()
    for namespace, name in used:
        needed.add(Location(SERVED_BUCKET, name), f"Deployment in {namespace}")
    expired, in_use = _survey(registry, policy, used, needed, summary)
    blocked = _blocked(expired, policy, needed)
    surveyed(summary)
    for record in in_use:
        yield _counted(summary, _outcome(record, "inUse", "a Deployment names it"))
    looked = time.monotonic()
    for record in expired:
        if time.monotonic() - looked >= policy.look_again_seconds:
            for model in registry.models():
                if not created_before(model, policy.cutoff):
                    _need(needed, _record(model))
            looked = time.monotonic()
        reason = blocked.get((record.namespace, record.name)) or _obstacle(record, policy, needed)
        if reason:
            _need(needed, record)
            yield _counted(summary, _outcome(record, "blocked", reason))
        else:
            yield _counted(summary, _Removal(registry, store, policy, needed, record).outcome())


def _counted(summary: Summary, outcome: Outcome) -> Outcome:
    summary.count(outcome)
    return outcome


def _outcome(record: _Record, action: Action, reason: str = "", **counts: int) -> Outcome:
    return Outcome(record.namespace, record.name, record.created, action, reason=reason, **counts)


def _deployed(registry: Registry) -> set[tuple[str, str]]:
    """Namespace and name of every model that is served or about to be."""
    found = set()
    for deployment in registry.deployments():
        spec, status = deployment.get("spec") or {}, deployment.get("status") or {}
        for ref in (
            spec.get("desiredRevision"),
            status.get("currentRevision"),
            status.get("candidateRevision"),
        ):
            if ref and ref.get("name"):
                found.add(
                    (str(ref.get("namespace") or deployment["metadata"]["namespace"]), str(ref["name"]))
                )
    return found


def _survey(
    registry: Registry, policy: Policy, used: set[tuple[str, str]], needed: Needed, summary: Summary
) -> tuple[list[_Record], list[_Record]]:
    """Expired models that may be removed, and those in use. Locations of all models that stay are added to
    `needed`; of models themselves no more is held than it takes."""
    expired: list[_Record] = []
    in_use: list[_Record] = []
    for model in registry.models():
        summary.models += 1
        record = _record(model)
        if (policy.namespaces and record.namespace not in policy.namespaces) or not created_before(
            model, policy.cutoff
        ):
            _need(needed, record)
        elif (record.namespace, record.name) in used:
            summary.expired += 1
            in_use.append(record)
            _need(needed, record)
        else:
            summary.expired += 1
            expired.append(record)
    return expired, in_use


def _record(model: Mapping[str, Any]) -> _Record:
    meta = model["metadata"]
    return _Record(
        meta["namespace"],
        meta["name"],
        str(meta.get("creationTimestamp") or ""),
        str(meta.get("uid") or ""),
        uris(model),
    )


def _need(needed: Needed, record: _Record) -> None:
    for uri in record.uris:
        try:
            needed.add(parse(uri), record.owner)
        except UriError:
            continue  # It covers nothing that could be deleted.


def _blocked(expired: Sequence[_Record], policy: Policy, needed: Needed) -> dict[tuple[str, str], str]:
    """Why models cannot be removed. They stay, so others may not take what these refer to: it is gone over
    again until nothing changes."""
    found: dict[tuple[str, str], str] = {}
    changed = True
    while changed:
        changed = False
        for record in expired:
            key = (record.namespace, record.name)
            if key not in found and (reason := _obstacle(record, policy, needed)):
                found[key] = reason
                _need(needed, record)
                changed = True
    return found


def _obstacle(record: _Record, policy: Policy, needed: Needed) -> str:
    for uri in record.uris:
        try:
            location = parse(uri)
        except UriError as error:
            return str(error)
        if location.bucket not in policy.buckets:
            return f"{location} is in none of this environment's buckets"
        inside = needed.below(location)
        if inside is not None:
            return f"{location} holds {inside[0]}, which {inside[1]} needs"
    return ""


class _Removal:
    """One expired model on its way out."""

    def __init__(
        self, registry: Registry, store: ObjectStore, policy: Policy, needed: Needed, record: _Record
    ) -> None:
        self._registry = registry
        self._store = store
        self._policy = policy
        self._needed = needed
        self._record = record
        self._deleted = 0
        self._size = 0
        self._kept: dict[str, None] = {}
        self._owner = ""
        self._failures: dict[str, str] = {}

    def outcome(self) -> Outcome:
        try:
            return self._remove()
        except StoreError as error:
            if error.is_fatal:
                raise
            return self._end("failed", str(error))

    def _remove(self) -> Outcome:
        record, policy = self._record, self._policy
        # Other models were removed since the survey: this one may have changed meanwhile.
        version = self._version()
        if version is None:
            return self._end("changed", "it was removed or changed meanwhile")
        for uri in record.uris:
            self._delete_objects(parse(uri))
        if self._failures:
            shown = [f"{key}: {why}" for key, why in list(self._failures.items())[:_SHOWN]]
            more = len(self._failures) - len(shown)
            return self._end("failed", "; ".join(shown) + (f"; and {more} more" if more > 0 else ""))
        if policy.is_dry_run:
            return self._end("wouldRemove")
        for _ in range(_ATTEMPTS):
            if self._registry.delete_model(record.namespace, record.name, record.uid, version):
                return self._end("removed")
            version = self._version()
            if version is None:
                return self._end("changed", "it was removed or changed meanwhile")
        return self._end("failed", "somebody else keeps changing it")

    def _version(self) -> str | None:
        """resourceVersion of the model while it is the one that was surveyed; None when it is another, which
        stays, with what it refers to."""
        record = self._record
        model = self._registry.model(record.namespace, record.name)
        if model is None:
            return None
        now = _record(model)
        if (now.uid, now.uris) != (record.uid, record.uris):
            _need(self._needed, now)
            return None
        return str(model["metadata"].get("resourceVersion") or "")

    def _delete_objects(self, location: Location) -> None:
        # Listed, never guessed: on a bucket with versions, deleting what is not there leaves a marker.
        first = next(iter(self._store.pages(location.bucket, location.key, 1)), [])
        exact = [item for item in first if item[0] == location.key]
        self._delete(location.bucket, exact)
        for page in self._store.pages(location.bucket, location.key + "/", BATCH):
            self._delete(location.bucket, page)

    def _delete(self, bucket: str, page: Sequence[tuple[str, int]]) -> None:
        sizes = {}
        for key, size in page:
            owner = self._needed.owner_of(bucket, key)
            if owner is None:
                sizes[key] = size
            else:
                self._kept[f"{bucket}/{key}"] = None
                self._owner = owner
        if not sizes:
            return
        failures = {} if self._policy.is_dry_run else self._store.delete(bucket, list(sizes))
        self._failures |= failures
        for key, size in sizes.items():
            if key not in failures:
                self._deleted += 1
                self._size += size

    def _end(self, action: Action, reason: str = "") -> Outcome:
        if not reason and self._kept:
            reason = f"objects are kept that {self._owner} needs"
        return _outcome(
            self._record,
            action,
            reason,
            objects=self._deleted,
            size=self._size,
            kept=len(self._kept),
        )
