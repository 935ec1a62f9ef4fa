"""Artifact URIs: what each covers, and which objects are still needed."""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterator
from dataclasses import dataclass

_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}")
_LONGEST_KEY = 1024
"""Bytes of an object key at most (S3 user guide, object keys)."""


class UriError(ValueError):
    """A URI of which nothing may be deleted; its text says why."""


@dataclass(frozen=True)
class Location:
    """What `s3://bucket/key` covers: the object `key`, and every object whose key starts with `key/`. Not
    `key-other`, which a listing by the prefix `key` would give too."""

    bucket: str
    key: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


def parse(uri: str) -> Location:
    """Location of an `s3://` or `s3a://` URI (Spark's spelling). One slash at its end says nothing.

    Raises UriError for any other form, and for a URI without a key: that would be the whole bucket.
    """
    scheme, _, rest = uri.partition("://")
    if scheme not in ("s3", "s3a"):
        raise UriError(f"{_shown(uri)} is no s3:// URI")
    bucket, _, key = rest.partition("/")
    if not _BUCKET.fullmatch(bucket):
        raise UriError(f"{_shown(uri)} names no bucket")
    key = key[:-1] if key.endswith("/") else key
    if not key.strip("/"):
        raise UriError(f"{_shown(uri)} is a whole bucket")
    if len(key.encode("utf-8", "surrogatepass")) > _LONGEST_KEY:
        raise UriError(f"{_shown(uri)} is longer than a key can be")
    if not key.isprintable():
        raise UriError(f"{_shown(uri)} has characters that cannot be seen")
    return Location(bucket, key)


def _shown(uri: str) -> str:
    text = ascii(uri)[1:-1] if not uri.isprintable() else uri
    return f'"{text if len(text) <= 120 else text[:117] + "..."}"'


class Needed:
    """Locations that somebody still refers to, each with whom. Holds about 200 bytes a location."""

    def __init__(self) -> None:
        self._owners: dict[str, dict[str, str]] = {}
        self._sorted: dict[str, list[str]] = {}

    def add(self, location: Location, owner: str) -> None:
        """Another location, needed by `owner`, such as `team-a/churn`."""
        owners = self._owners.setdefault(location.bucket, {})
        if location.key not in owners:
            owners[location.key] = owner
            if location.bucket in self._sorted:
                bisect.insort(self._sorted[location.bucket], location.key)

    def owner_of(self, bucket: str, key: str) -> str | None:
        """Who needs an object: the owner of a location that covers it. None when nobody does."""
        owners = self._owners.get(bucket, {})
        return next((owners[each] for each in _covering(key) if each in owners), None)

    def below(self, location: Location) -> tuple[Location, str] | None:
        """A location inside another one, neither the same nor around it, and its owner; None when nothing
        inside is needed."""
        owners = self._owners.get(location.bucket)
        if not owners:
            return None
        # Sorted when it is first asked for: most of it is known by then.
        keys = self._sorted.get(location.bucket) or self._sorted.setdefault(location.bucket, sorted(owners))
        start = location.key + "/"
        place = bisect.bisect_left(keys, start)
        if place < len(keys) and keys[place].startswith(start):
            return Location(location.bucket, keys[place]), owners[keys[place]]
        return None


def _covering(key: str) -> Iterator[str]:
    """Keys of all locations that cover an object, the narrowest first."""
    yield key
    place = key.rfind("/")
    while place > 0:
        yield key[:place]
        place = key.rfind("/", 0, place)
