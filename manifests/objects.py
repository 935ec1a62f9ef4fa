"""The shapes every builder returns, and the few helpers all of them share."""

from __future__ import annotations

import hashlib
import marshal
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from madeploy.documents.text import dump
from madeploy.names.kubernetes import Workload, common_labels

Object = dict[str, Any]
"""One Kubernetes object as plain data. Values may be the engine's outputs where a component passes
some in; builders hand them through without looking at them."""

CHECKSUM_ANNOTATION = "michelangelo.infra/config-checksum"
"""Annotation of a pod template that changes with its configuration, so that pods roll."""


@dataclass(frozen=True)
class Bundle:
    """Objects that belong together: created after what they depend on, and what pods read before the pods."""

    name: str
    """Constant name, such as `apiserver`; the logical names of its resources start with it."""

    objects: tuple[Object, ...]

    def split(self, kinds: Collection[str]) -> tuple[Bundle, Bundle]:
        """Its objects of these kinds, and the others."""
        inside = tuple(item for item in self.objects if item["kind"] in kinds)
        others = tuple(item for item in self.objects if item["kind"] not in kinds)
        return Bundle(self.name, inside), Bundle(self.name, others)


def metadata(
    name: str,
    namespace: str | None,
    service: Workload | None = None,
    annotations: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Metadata with the common labels. `namespace` is None only for cluster-scoped objects: renderers
    cannot default it."""
    data: dict[str, Any] = {"name": name}
    if namespace is not None:
        data["namespace"] = namespace
    data["labels"] = common_labels(service)
    if annotations:
        data["annotations"] = dict(annotations)
    return data


def to_yaml(data: Mapping[str, Any]) -> str:
    """YAML text with sorted keys: the same data gives the same bytes."""
    return _yaml(key_of(dict(data)))


@lru_cache(maxsize=256)
def _yaml(key: bytes) -> str:
    """Kept, because writing YAML is most of a rendering and most files are alike in the next one."""
    return dump(marshal.loads(key), sort_keys=True)


def key_of(data: Any) -> bytes:
    """A key by which equal plain data is found again: the clusters of a fleet are given the same objects.
    Raises ValueError for what is no plain data."""
    # Version 2 has no references, which would make equal data look different.
    return marshal.dumps(data, 2)


def checksum(*texts: str) -> str:
    """Fingerprint of configuration files: 16 hexadecimal digits of SHA-256."""
    digest = hashlib.sha256()
    for text in texts:
        digest.update(text.encode())
        digest.update(b"\0")
    return digest.hexdigest()[:16]
