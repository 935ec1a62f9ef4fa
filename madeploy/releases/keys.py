"""Keys of the services' configuration files: their types, and where a file leaves what a service reads.

A service reads the sections it knows strictly: a key inside them that it does not know stops it at
start-up (facts 2.1, V2). Sections that nobody reads are ignored, which is no better: what they say
never takes effect. Both are refused before anything is deployed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

Type = Literal[
    "text", "whole number", "number", "true or false", "duration", "bind address", "encoding",
    "counts by kind", "durations by kind", "CRD versions", "texts by name",
]  # fmt: skip


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


_DURATION: Final = re.compile(
    r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h)(([0-9]+(\.[0-9]*)?)(ns|us|µs|ms|s|m|h))*$"
)
_BIND: Final = re.compile(r"^[^\s:]*:[0-9]{1,5}$")

FORMS: Final[Mapping[Type, str]] = {
    "text": "text",
    "whole number": "a whole number",
    "number": "a number",
    "true or false": "true or false",
    "duration": "a duration with its unit, as text: 30s, 5m, 1h30m",
    "bind address": 'address and port as text, the address may be empty: ":8083"',
    "encoding": "json, console",
    "counts by kind": "a mapping from kinds to whole numbers: Pipeline: 3",
    "durations by kind": "a mapping from kinds to durations: Pipeline: 30s",
    "CRD versions": "a mapping from CRD names to {versions: [v2], storageVersion: v2}",
    "texts by name": "a mapping from names to text: team-a: queue-a",
}
"""What each type accepts, in words."""


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _duration(value: Any) -> bool:
    return isinstance(value, str) and _DURATION.match(value) is not None


def _bind(value: Any) -> bool:
    return isinstance(value, str) and _BIND.match(value) is not None and int(value.rpartition(":")[2]) < 65536


def _versions(value: Any) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(item, Mapping)
        and set(item) <= {"versions", "storageVersion"}
        and isinstance(item.get("versions", ()), (list, tuple))
        and all(isinstance(version, str) for version in item.get("versions", ()))
        and isinstance(item.get("storageVersion", ""), str)
        for item in value.values()
    )


def fits(kind: Type, value: Any) -> bool:
    """Whether a value is of a key's type, as the service would read it."""
    if kind in ("counts by kind", "durations by kind"):
        each = _whole if kind == "counts by kind" else _duration
        return isinstance(value, Mapping) and all(each(item) for item in value.values())
    if kind == "texts by name":
        return isinstance(value, Mapping) and all(isinstance(item, str) for item in value.values())
    checks = {
        "text": lambda: isinstance(value, str),
        "whole number": lambda: _whole(value),
        "number": lambda: isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0,
        "true or false": lambda: isinstance(value, bool),
        "duration": lambda: _duration(value),
        "bind address": lambda: _bind(value),
        "encoding": lambda: value in ("json", "console"),
        "CRD versions": lambda: _versions(value),
    }
    return checks[kind]()


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
