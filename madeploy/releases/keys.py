"""Keys of the services' configuration files, and where a file leaves what a service reads.

A service reads the sections it knows strictly: a key inside them that it does not know stops it at
start-up (facts 2.1, V2). Sections that nobody reads are ignored, which is no better: what they say
never takes effect. Both are refused before anything is deployed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Type = Literal[
    "text", "whole number", "number", "true or false", "duration", "bind address", "encoding",
    "counts by kind", "durations by kind", "CRD versions", "texts by name",
]  # fmt: skip
"""Types of keys: `madeploy/schemas/service-keys.yaml` says what each accepts."""


@dataclass(frozen=True)
class Key:
    """One key of a service's configuration."""

    type: Type
    meaning: str
    owner: str = ""
    """The setting that decides it, where an override would contradict other places; empty when the
    override decides."""

    secret: str = ""
    """Where its value goes instead, because it is a secret."""


@dataclass(frozen=True)
class Entry:
    """One place in an override: its path, the key it is, if any, and its value."""

    path: tuple[str, ...]
    key: Key | None
    value: Any
    siblings: tuple[str, ...]
    """Names that are possible at this place."""


def entries(
    keys: Mapping[str, Key], config: Mapping[str, Any], path: tuple[str, ...] = ()
) -> Iterator[Entry]:
    """Every key an override gives, and every place where it leaves what the service reads. A place that
    should hold a mapping and does not is an entry without a key, its name among its own siblings."""
    prefix = "".join(f"{step}." for step in path)
    possible = tuple(
        dict.fromkeys(name[len(prefix) :].split(".")[0] for name in keys if name.startswith(prefix))
    )
    for name, value in config.items():
        here = (*path, name)
        dotted = ".".join(here)
        if dotted in keys:
            yield Entry(here, keys[dotted], value, possible)
        elif name in possible and isinstance(value, Mapping):
            yield from entries(keys, value, here)
        else:
            yield Entry(here, None, value, possible)
