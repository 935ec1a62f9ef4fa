"""Buckets that were to be replaced, which S3 refused to delete: back in the place of the new ones."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

BUCKET = "aws:s3/bucket:Bucket"

Document = dict[str, Any]


def take_back(document: Document, names: Collection[str]) -> list[str]:
    """Let buckets that wait for their deletion be the stack's own again.

    After a rename both buckets are in the state under one URN: the new one, and the old one, which every
    update tries to delete. Under the old name again the program would ask S3 for a bucket that exists. Here
    they change places: the old one is what the program speaks of, the new one waits for its deletion, with
    its settings. What stands beside them is set anew by the next update.

    Args:
        document: a stack's state, as exported; changed in place.
        names: buckets that the settings name.

    Returns:
        Names of the buckets that were taken back.
    """
    resources: list[Document] = (document.get("deployment") or {}).get("resources") or []
    back = []
    for old in [item for item in resources if item["type"] == BUCKET and item.get("delete")]:
        new = next((item for item in resources if item["urn"] == old["urn"] and not item.get("delete")), None)
        if new is None or new.get("protect") or old["id"] not in names or new["id"] in names:
            continue
        place, other = resources.index(new), resources.index(old)
        resources[place], resources[other] = old, new
        del old["delete"]
        new["delete"] = True
        back.append(str(old["id"]))
        _forget_beside(resources, str(new["urn"]))
    return back


def _forget_beside(resources: list[Document], bucket: str) -> None:
    """Take out what is set beside a bucket, and what depends on that: settings that can be set again.
    Whatever else there is depends on the bucket by its URN alone, which stays."""
    gone = {item["urn"] for item in resources if item.get("deletedWith") == bucket}
    while more := {item["urn"] for item in resources if not gone.isdisjoint(_needs(item))} - gone:
        gone |= more
    resources[:] = [item for item in resources if item["urn"] not in gone]


def _needs(resource: Document) -> set[str]:
    """URNs that a resource depends on."""
    by_property = (resource.get("propertyDependencies") or {}).values()
    return {*(resource.get("dependencies") or ()), *(urn for urns in by_property for urn in urns or ())}
