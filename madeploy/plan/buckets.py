"""Buckets and the key they are encrypted with: what is made or given up, and what an update cannot do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from madeploy.plan.changes import Change, Comparison, Identity
from madeploy.plan.text import Sentence, capital, is_or_are, listed

_SETTINGS: Final = {
    "BucketLifecycleConfiguration": "lifecycle",
    "BucketVersioning": "versioning",
    "BucketServerSideEncryptionConfiguration": "encryption",
    "BucketPolicy": "policy",
    "BucketPublicAccessBlock": "public access block",
    "BucketOwnershipControls": "ownership",
    "BucketLogging": "access logging",
    "BucketObjectLockConfiguration": "Object Lock",
}

_AGAIN: Final = "now and at every later update"


def about_buckets(comparison: Comparison) -> Iterator[Sentence]:
    """Buckets that are made, renamed, given up or changed."""
    buckets = comparison.of("Bucket")
    waiting = [identity for identity in sorted(comparison.waiting) if identity.kind == "Bucket"]
    for identity in waiting:
        yield _waiting(comparison, identity)
    buckets = [change for change in buckets if change.identity not in waiting]
    gone = {comparison.urn(change): change for change in buckets if change.operation == "delete"}
    new = {comparison.urn(change): change for change in buckets if change.operation == "create"}
    made = [change for urn, change in new.items() if not urn or urn not in gone]
    staying = {i.name for i in comparison.before if i.kind == "Bucket" and i in comparison.after}
    settings = [change.identity for change in comparison.changes if change.identity.kind in _SETTINGS]
    # In a preview the settings of a new bucket do not know its name yet.
    coming = tuple(identity for identity in settings if identity.name not in staying)
    for change in buckets:
        if change.operation == "replace":
            yield _elsewhere(change)
    for urn, change in gone.items():
        successor = new.get(urn) if urn else None
        yield _renamed(comparison, change, successor) if successor else _deleted(comparison, change)
    if made:
        names = listed(_name(change) for change in made)
        word = "Bucket" if len(made) == 1 else "Buckets"
        about = (*(change.identity for change in made), *coming)
        yield Sentence("notice", f"{word} {names} {is_or_are(made)} made, empty.", about)
    elif coming:
        about = tuple(change.identity for change in (*gone.values(), *new.values()))
        yield Sentence("quiet", f"Everything beside {listed(about)} goes with it.", coming)
    aside = tuple(identity for identity in settings if identity.name in staying)
    if aside:
        kinds = listed(_SETTINGS[identity.kind] for identity in aside)
        names = listed(identity.name for identity in aside)
        yield Sentence("quiet", f"{capital(kinds)} of bucket {names} changes; objects stay.", aside)


def about_keys(comparison: Comparison) -> Iterator[Sentence]:
    """The key that objects are encrypted with: whoever takes it away takes the objects."""
    for change in comparison.of("Key"):
        if change.operation == "replace":
            yield _other_key(comparison, change)
        if change.operation != "delete":
            continue
        about = (change.identity,)
        given = "its ARN as storage.kmsKeyArn in place of kmsKey where buckets go on with it"
        let_go = _let_go(comparison, change)
        if change.identity in comparison.protected:
            text = (
                "The KMS key of the buckets would be deleted, and is protected: the update is refused, "
                f"{_AGAIN}. What it encrypted needs it for good. To keep it: {given}; {let_go}. To delete "
                "it, two updates: first storage.protect: false with kmsKey still there, then without it."
            )
            yield Sentence("refused", text, about)
        elif change.kept:
            text = f"The KMS key of the buckets is given up: it stays, with what it encrypted ({given})."
            yield Sentence("notice", text, about)
        else:
            text = (
                f"The KMS key of the buckets is deleted in {_window(change)} days: nothing that it encrypted "
                "can be read from then on, in whatever bucket. To keep it, two updates: first "
                f"storage.protect: true with kmsKey still there; then {given}, and {let_go}. A deletion that "
                "waits is taken back by `aws kms cancel-key-deletion`."
            )
            yield Sentence("loss", text, about)


def _other_key(comparison: Comparison, change: Change) -> Sentence:
    """A key that is replaced: nothing but another region does that."""
    about, let_go = (change.identity,), _let_go(comparison, change)
    where = f"another one{_in(_regions(change)[1])}"
    if change.identity in comparison.protected:
        text = (
            f"The KMS key of the buckets would be replaced by {where}, and is protected: the update is "
            f"refused. What it encrypted needs it for good. To do it: {let_go}; the new one is made beside "
            "it."
        )
        return Sentence("refused", text, about)
    if change.kept:
        text = f"The KMS key of the buckets is replaced by {where}. It stays, with what it encrypted."
        return Sentence("notice", text, about)
    text = (
        f"The KMS key of the buckets is replaced by {where}, and deleted in {_window(change)} days: nothing "
        "that it encrypted can be read from then on, in whatever bucket. To keep it, two updates: "
        f"first storage.protect: true in the region as it was; then the new region, and {let_go}. A deletion "
        "that waits is taken back by `aws kms cancel-key-deletion`."
    )
    return Sentence("loss", text, about)


def _window(change: Change) -> int:
    """Days between the deletion of a key and its end."""
    return int((change.before or {}).get("deletionWindowInDays", 30))


def _regions(change: Change, successor: Change | None = None) -> list[str]:
    """Regions before and after, as far as they are told; earlier versions of the program told none."""
    sides = (change.before, (successor or change).after)
    return [str((side or {}).get("region") or "") for side in sides]


def _in(region: str) -> str:
    return f" in {region}" if region else ""


def _name(change: Change) -> str:
    return str((change.before or change.after or {}).get("bucket", change.identity.name))


def _is_forced(change: Change) -> bool:
    return bool((change.before or {}).get("forceDestroy"))


def _let_go(comparison: Comparison, change: Change) -> str:
    """How a protected resource is taken out of the state by the next update, and stays as it is."""
    return f"`pulumi state unprotect '{comparison.urn(change)}'`, and this update lets it go as it is"


def _deleted(comparison: Comparison, change: Change) -> Sentence:
    name, about, let_go = _name(change), (change.identity,), _let_go(comparison, change)
    keep = f"first storage.protect: true with the bucket still in the settings; then without it, and {let_go}"
    if change.identity in comparison.protected:
        text = (
            f"Bucket {name} would be deleted, and is protected: the update is refused, {_AGAIN}. To delete "
            "it with all that is in it, two updates: first storage.protect: false and storage.forceDestroy: "
            "true with the bucket still in the settings; then without it, and with both as they were. To "
            f"keep it: {let_go}."
        )
        return Sentence("refused", text, about)
    if change.kept:
        text = f"Bucket {name} is given up: it stays with all its objects, and nothing of it is copied."
        return Sentence("notice", text, about)
    if _is_forced(change):
        text = (
            f"Bucket {name} is deleted with every object and version in it. To keep it, two updates: {keep}."
        )
        return Sentence("loss", text, about)
    text = (
        f"Bucket {name} is deleted if it is empty; S3 refuses while it holds an object or a version "
        f"(BucketNotEmpty), {_AGAIN}. To delete it with all that is in it, two updates: first "
        "storage.forceDestroy: true with the bucket still in the settings; then without it. To keep it, two "
        f"updates: {keep}."
    )
    return Sentence("loss", text, about)


def _renamed(comparison: Comparison, change: Change, successor: Change) -> Sentence:
    name, new, let_go = _name(change), _name(successor), _let_go(comparison, change)
    about = (change.identity, successor.identity)
    old_region, region = _regions(change, successor)
    moves = old_region and region and old_region != region
    across = f"--source-region {old_region} --region {region} " if moves else ""
    copied = f"copy what is needed, `aws s3 sync {across}s3://{name} s3://{new}`"
    if change.identity in comparison.protected:
        text = (
            f"Bucket {name} would be replaced by {new}, and is protected: the update is refused. A rename "
            f"moves no data. To do it: {let_go}; {new} is made, empty, beside it; {copied}."
        )
        return Sentence("refused", text, about)
    if change.kept:
        text = (
            f"Bucket {new} is made, empty, and {name} is given up: it stays with all its objects; {copied}."
        )
        return Sentence("notice", text, about)
    keep = (
        "To keep it, two updates: first storage.protect: true under the old name; then the new name, and "
        f"{let_go}; {copied}"
    )
    if _is_forced(change):
        text = (
            f"Bucket {name} is deleted with every object and version in it as soon as {new} is made, empty: "
            f"nothing is copied from one to the other. {keep}."
        )
        return Sentence("loss", text, about)
    text = (
        f"Bucket {new} is made, empty, in place of {name}: nothing is copied. {name} is then deleted if it "
        "is empty; S3 refuses while it holds an object or a version (BucketNotEmpty), and leaves it as it "
        f"is, {_AGAIN}. {keep}."
    )
    return Sentence("loss", text, about)


def _waiting(comparison: Comparison, identity: Identity) -> Sentence:
    """A bucket that a rename left behind, because it was not empty when it was to go."""
    name = identity.name
    if identity in comparison.after:
        text = (
            f"Bucket {name} is there already, and waits for its deletion since an earlier update: S3 makes "
            "no second one (BucketAlreadyOwnedByYou), and the update fails. `bin/madeploy recover STACK` "
            "takes it back as it is; the bucket that took its place then goes if it is empty."
        )
        return Sentence("refused", text, (identity,))
    text = (
        f"Bucket {name} waits for its deletion since an earlier update: S3 refuses while it holds an object "
        f"or a version (BucketNotEmpty), and leaves it as it is, {_AGAIN}. Copy what is needed, and empty "
        "it; or give it back its name in the settings, and run `bin/madeploy recover STACK` before the "
        "update."
    )
    return Sentence("loss", text, (identity,))


def _elsewhere(change: Change) -> Sentence:
    """A bucket that is replaced under its own name: nothing but another region does that."""
    regions = _regions(change)
    way = f" from {regions[0]} to {regions[1]}" if all(regions) else " to another region"
    text = (
        f"Bucket {_name(change)} would move{way}, which no bucket can: its name cannot be had a second time. "
        "The update is refused, and nothing of the bucket is changed. Give the buckets of the new region "
        "other names; a rename moves no data."
    )
    return Sentence("refused", text, (change.identity,))
