"""AWS partitions, which share neither accounts nor host names, as botocore knows them: its data say which
region is in which, and how the names of its services end."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path


@dataclass(frozen=True)
class Partition:
    """One partition."""

    name: str
    """Second part of every ARN in it, such as `aws` or `aws-cn`."""

    dns_suffix: str
    """End of its services' host names, such as `amazonaws.com`."""

    pattern: re.Pattern[str]
    """What the names of its regions look like, of those to come too."""

    regions: tuple[str, ...]
    """Regions that it has now."""


@cache
def partitions() -> tuple[Partition, ...]:
    """Every partition, `aws` first."""
    # Importing botocore takes longer than reading the one small file that is needed of it.
    package = find_spec("botocore")
    assert package is not None
    assert package.origin is not None
    text = (Path(package.origin).parent / "data" / "partitions.json").read_text(encoding="utf-8")
    return tuple(
        Partition(
            entry["id"],
            entry["outputs"]["dnsSuffix"],
            re.compile(entry["regionRegex"]),
            tuple(sorted(name for name in entry["regions"] if re.fullmatch(entry["regionRegex"], name))),
        )
        for entry in json.loads(text)["partitions"]
    )


@cache
def partition_of(region: str) -> Partition:
    """The partition a region is in; `aws` for a name that none claims, as AWS SDKs take it."""
    known = partitions()
    return next((one for one in known if region in one.regions or one.pattern.match(region)), known[0])


def regions() -> tuple[str, ...]:
    """Every region there is now, of all partitions."""
    return tuple(region for one in partitions() for region in one.regions)
