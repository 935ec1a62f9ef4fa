"""Rules about what buckets do with their objects as these age."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Final, get_args

from madeploy.documents.paths import Path
from madeploy.findings.codes.code import Code
from madeploy.rules.model import SecretNames, Violation, rule
from madeploy.settings.buckets import LifecycleRule, Purpose, StorageClass, Transition
from madeploy.settings.environment import Environment
from madeploy.settings.storage import ENVIRONMENT_TAG, MANAGED_BY_TAG, AwsStorage

_INFREQUENT_ACCESS: Final = frozenset({"STANDARD_IA", "ONEZONE_IA"})
_INFREQUENT_ACCESS_DAYS: Final = 30
"""Days that S3 asks for before these classes, and again before what follows them (Amazon S3 User Guide,
lifecycle transition considerations)."""

_NEXT: Final[dict[StorageClass, tuple[StorageClass, ...]]] = {
    "STANDARD_IA": ("INTELLIGENT_TIERING", "ONEZONE_IA", "GLACIER_IR"),
    "INTELLIGENT_TIERING": ("ONEZONE_IA", "GLACIER_IR"),
    "ONEZONE_IA": (),
    "GLACIER_IR": (),
}
"""Where S3 moves objects on from a class, of the classes there are in the settings (the same page)."""

_PAID_DAYS: Final[dict[StorageClass, int]] = {"STANDARD_IA": 30, "ONEZONE_IA": 30, "GLACIER_IR": 90}
"""Minimum storage durations: shorter stays are paid as if they were as long (Amazon S3 pricing)."""


def _rules(storage: AwsStorage) -> Iterator[tuple[Purpose, Path, LifecycleRule]]:
    for purpose in get_args(Purpose):
        for number, stated in enumerate(getattr(storage.lifecycle, purpose)):
            yield purpose, ("storage", "lifecycle", purpose, number), stated


@rule(
    {
        "MA320": Code(
            "Two keys for one store",
            "storage.kmsKeyArn names a key that exists, storage.kmsKey makes one; buckets have one key.",
            "Remove one of the two.",
        ),
        "MA321": Code(
            "Forced deletion of protected buckets",
            "The one setting says that buckets are never deleted, the other that their objects go with them.",
            "Remove storage.forceDestroy; to give the data up for good, set storage.protect to false.",
        ),
        "MA330": Code(
            "Production buckets that are emptied with their stack",
            "`pulumi destroy`, or renaming a bucket, deletes every model and version without another "
            "question.",
            "Set storage.forceDestroy for the one run that gives the data up, and remove it again.",
            "warning",
        ),
    },
    reads=("storage", "platform"),
)
def what_is_said_of_a_store_fits_together(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """MR-1, UX-6: one key; data is destroyed only when nothing says that it must not be."""
    storage, tier = env.storage, env.platform.tier
    if not isinstance(storage, AwsStorage):
        return
    if storage.kms_key is not None and storage.kms_key_arn is not None:
        yield Violation("MA320", ("storage", "kmsKey"), "is set beside kmsKeyArn", key=True)
    if storage.force_destroy and storage.protect:
        yield Violation("MA321", ("storage", "forceDestroy"), "is true while storage.protect is true")
    elif storage.force_destroy and tier == "production":
        yield Violation("MA330", ("storage", "forceDestroy"), "is true in production")


@rule(
    {
        "MA333": Code(
            "Buckets that lose their data when they are renamed",
            "A new name, or another region, makes a new, empty bucket: nothing is copied. Protected, the "
            "old one is neither replaced nor deleted; unprotected, it is deleted once it is empty, and "
            "with forceDestroy at once, with every object in it.",
            "Set storage.protect to true for as long as the data counts. `bin/madeploy plan STACK` says "
            "what a rename does, and docs/object-store.md how one is done.",
            "info",
        ),
    },
    reads=("storage",),
)
def renames_move_no_data(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """UX-6: a changed name looks harmless in a diff."""
    storage = env.storage
    if isinstance(storage, AwsStorage) and not storage.protect:
        names = ", ".join(storage.buckets.model_dump(exclude_none=True).values())
        yield Violation(
            "MA333", ("storage", "protect"), f"is false; a rename does not move the data of {names}"
        )


@rule(
    {
        "MA332": Code(
            "Tag that is both set and ignored",
            "The provider leaves ignored tags alone: the tag would never be written, or never be found "
            "again.",
            "Take it out of storage.ignoreTags, or out of storage.tags.",
        ),
    },
    reads=("storage",),
)
def tags_are_not_ignored(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """MR-1: one tag cannot be both set and left alone."""
    storage = env.storage
    if not isinstance(storage, AwsStorage):
        return
    ours = (*storage.tags, ENVIRONMENT_TAG, MANAGED_BY_TAG)
    for number, key in enumerate(storage.ignore_tags.keys):
        if key in ours:
            yield Violation("MA332", ("storage", "ignoreTags", "keys", number), f"is {key}, which is set")
    for number, start in enumerate(storage.ignore_tags.key_prefixes):
        hit = [key for key in ours if key.startswith(start)]
        if hit:
            evidence = f"is {start}, which ignores {', '.join(hit)}"
            yield Violation("MA332", ("storage", "ignoreTags", "keyPrefixes", number), evidence)


@rule(
    {
        "MA322": Code(
            "Deletion that Object Lock holds up",
            "A locked version stays until its lock ends: what removes it earlier has no effect, silently, "
            "and the storage is paid for.",
            "Make the lock no longer than the time objects are kept, or expect them to stay as long as it.",
            "warning",
        ),
    },
    reads=("storage", "model_registry"),
)
def locks_end_before_objects_are_removed(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """MR-1, MR-8: retention and Object Lock fight each other, and the lock wins."""
    storage = env.storage
    if not isinstance(storage, AwsStorage) or storage.object_lock is None:
        return
    lock = storage.object_lock
    held = f"new versions are locked for {lock.days} days"
    path: Path = ("storage", "objectLock", "days")
    retention = env.model_registry.retention_days
    if "models" in lock.buckets and retention is not None and retention < lock.days:
        evidence = f"{held}; modelRegistry.retentionDays removes models after {retention}"
        yield Violation("MA322", path, evidence)
    if storage.noncurrent_days < lock.days:
        evidence = f"{held}; noncurrentDays removes replaced ones after {storage.noncurrent_days}"
        yield Violation("MA322", path, evidence)
    for purpose, where, stated in _rules(storage):
        if purpose in lock.buckets and stated.expire_days is not None and stated.expire_days < lock.days:
            yield Violation("MA322", (*where, "expireDays"), f"is {stated.expire_days}; {held}")


@rule(
    {
        "MA323": Code(
            "Lifecycle rule that S3 refuses",
            "S3 refuses the whole configuration of the bucket, after part of the deployment.",
            "Give each prefix one rule with an action, and each storage class one transition: infrequent "
            "access after 30 days at the earliest and for 30 days at least, STANDARD_IA before the "
            "others, ONEZONE_IA or GLACIER_IR last; expiry after the last transition.",
        ),
        "MA324": Code(
            "Lifecycle rule without effect",
            "Where rules overlap the shortest time wins, and versions of the whole bucket go earlier.",
            "Raise storage.noncurrentDays, or leave noncurrentDays out of the rule.",
            "warning",
        ),
        "MA331": Code(
            "Storage that is paid for longer than it is used",
            "A storage class has a minimum storage duration, 30 days for infrequent access and 90 for "
            "Glacier Instant Retrieval: what leaves earlier is paid to its end, which can cost more than "
            "no transition.",
            "Move objects later or to INTELLIGENT_TIERING, keep them longer, or leave the transition out.",
            "warning",
        ),
    },
    reads=("storage",),
)
def lifecycle_rules_are_ones_s3_takes(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """MR-1: refused here rather than by S3; and none that looks as if it did something."""
    storage = env.storage
    if not isinstance(storage, AwsStorage):
        return
    seen: set[tuple[Purpose, str]] = set()
    for purpose, path, stated in _rules(storage):
        if (purpose, stated.prefix) in seen:
            yield Violation("MA323", (*path, "prefix"), f"has another rule above: {stated.prefix!r}")
        seen.add((purpose, stated.prefix))
        yield from list(_refused(stated, path)) or _overpaid(stated, storage.noncurrent_days, path)
        noncurrent = stated.noncurrent_days
        if noncurrent is not None and noncurrent > storage.noncurrent_days:
            evidence = f"is {noncurrent}; noncurrentDays of every bucket is {storage.noncurrent_days}"
            yield Violation("MA324", (*path, "noncurrentDays"), evidence)


def _refused(stated: LifecycleRule, path: Path) -> Iterator[Violation]:
    if stated.expire_days is None and stated.noncurrent_days is None and not stated.transitions:
        yield Violation("MA323", path, "does nothing")
    for where, step in _in_time(stated, path):
        if step.storage_class in _INFREQUENT_ACCESS and step.days < _INFREQUENT_ACCESS_DAYS:
            evidence = f"is {step.days}; {step.storage_class} takes objects after {_INFREQUENT_ACCESS_DAYS}"
            yield Violation("MA323", (*where, "days"), evidence)
        if stated.expire_days is not None and stated.expire_days <= step.days:
            evidence = f"is {step.days}; objects are gone after {stated.expire_days}"
            yield Violation("MA323", (*where, "days"), evidence)
    classes: set[StorageClass] = set()
    for where, step in _in_time(stated, path):
        if step.storage_class in classes:
            evidence = f"is {step.storage_class} a second time; a rule moves objects to a class once"
            yield Violation("MA323", (*where, "storageClass"), evidence)
        classes.add(step.storage_class)
    for (_, before), (where, step) in itertools.pairwise(_in_time(stated, path)):
        if step.storage_class == before.storage_class:
            continue
        if step.storage_class not in _NEXT[before.storage_class]:
            onward = " or ".join(_NEXT[before.storage_class])
            evidence = (
                f"is {step.storage_class}; objects are in {before.storage_class} from day {before.days} on, "
                f"and S3 moves them on to {f'{onward} only' if onward else 'none of these classes'}"
            )
            yield Violation("MA323", (*where, "storageClass"), evidence)
            continue
        distance = _INFREQUENT_ACCESS_DAYS if before.storage_class in _INFREQUENT_ACCESS else 1
        if step.days - before.days < distance:
            evidence = (
                f"is {step.days}; objects come into {before.storage_class} on day {before.days}, and leave "
                f"it {distance} {'day' if distance == 1 else 'days'} later at the earliest"
            )
            yield Violation("MA323", (*where, "days"), evidence)


def _overpaid(stated: LifecycleRule, noncurrent_days: int, path: Path) -> Iterator[Violation]:
    """Stays that end before what is paid for. Expired objects stay on as versions for a while."""
    kept = min(noncurrent_days, stated.noncurrent_days or noncurrent_days)
    steps = _in_time(stated, path)
    ends = [step.days for _, step in steps[1:]]
    ends += [] if stated.expire_days is None else [stated.expire_days + kept]
    for (where, step), end in zip(steps, ends, strict=False):
        paid = _PAID_DAYS.get(step.storage_class, 0)
        if end - step.days < paid:
            evidence = (
                f"is {step.days}; objects leave {step.storage_class} on day {end}, and {paid} days there are "
                "paid for"
            )
            yield Violation("MA331", (*where, "days"), evidence)


def _in_time(stated: LifecycleRule, path: Path) -> list[tuple[Path, Transition]]:
    """A rule's transitions with their places, in the order in which objects meet them."""
    steps: list[tuple[Path, Transition]] = [
        ((*path, "transitions", number), step) for number, step in enumerate(stated.transitions)
    ]
    return sorted(steps, key=lambda item: item[1].days)


@rule(
    {
        "MA325": Code(
            "Logs in a bucket that is for something else",
            "Access logs in a bucket they tell of would be logged again, without end; locked ones take none.",
            "Give storage.accessLogs and storage.auditLogs buckets of their own.",
        ),
    },
    reads=("storage",),
)
def logs_have_a_bucket_of_their_own(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """MR-1: a log of its own delivery never ends, and S3 delivers none to a locked bucket."""
    storage = env.storage
    if not isinstance(storage, AwsStorage):
        return
    logs = {"accessLogs": storage.access_logs, "auditLogs": storage.audit_logs}
    taken = {name: purpose for purpose, name in storage.buckets.model_dump(exclude_none=True).items()}
    for setting, stated in logs.items():
        if stated is None:
            continue
        if stated.bucket in taken:
            evidence = f"{stated.bucket} is the bucket for {taken[stated.bucket]}"
            yield Violation("MA325", ("storage", setting, "bucket"), evidence)
        taken[stated.bucket] = setting
