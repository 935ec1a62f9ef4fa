"""Rules about what buckets do with their objects as these age."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, get_args

from madeploy.settings.buckets import LifecycleRule, Purpose
from madeploy.settings.checks import SecretNames, Violation, rule
from madeploy.settings.environment import Environment
from madeploy.settings.source import Path
from madeploy.settings.storage import AwsStorage

_INFREQUENT_ACCESS: Final = frozenset({"STANDARD_IA", "ONEZONE_IA"})
_INFREQUENT_ACCESS_DAYS: Final = 30
"""Days that S3 asks for before these classes (Amazon S3 User Guide, lifecycle transition considerations)."""


def _rules(storage: AwsStorage) -> Iterator[tuple[Purpose, Path, LifecycleRule]]:
    for purpose in get_args(Purpose):
        for number, stated in enumerate(getattr(storage.lifecycle, purpose)):
            yield purpose, ("storage", "lifecycle", purpose, number), stated


@rule("MA320", "MA321", "MA330", reads=("storage", "platform"))
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


@rule("MA322", reads=("storage", "model_registry"))
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


@rule("MA323", "MA324", reads=("storage",))
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
        yield from _refused(stated, path)
        noncurrent = stated.noncurrent_days
        if noncurrent is not None and noncurrent > storage.noncurrent_days:
            evidence = f"is {noncurrent}; noncurrentDays of every bucket is {storage.noncurrent_days}"
            yield Violation("MA324", (*path, "noncurrentDays"), evidence)


def _refused(stated: LifecycleRule, path: Path) -> Iterator[Violation]:
    if stated.expire_days is None and stated.noncurrent_days is None and not stated.transitions:
        yield Violation("MA323", path, "does nothing")
    for number, step in enumerate(stated.transitions):
        where = (*path, "transitions", number, "days")
        if step.storage_class in _INFREQUENT_ACCESS and step.days < _INFREQUENT_ACCESS_DAYS:
            evidence = f"is {step.days}; {step.storage_class} takes objects after {_INFREQUENT_ACCESS_DAYS}"
            yield Violation("MA323", where, evidence)
        if stated.expire_days is not None and stated.expire_days <= step.days:
            yield Violation("MA323", where, f"is {step.days}; objects are gone after {stated.expire_days}")


@rule("MA325", reads=("storage",))
def access_logs_have_a_bucket_of_their_own(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """MR-1: a log of its own delivery never ends."""
    storage = env.storage
    if not isinstance(storage, AwsStorage) or storage.access_logs is None:
        return
    target = storage.access_logs.bucket
    for purpose, name in storage.buckets.model_dump(exclude_none=True).items():
        if name == target:
            evidence = f"{target} is the bucket for {purpose}, which is logged"
            yield Violation("MA325", ("storage", "accessLogs", "bucket"), evidence)
