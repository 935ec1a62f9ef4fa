"""Differences of two objects, field by field, configuration files opened."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import yaml

UNKNOWN: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""The engine's word for a value that only the update will know (Pulumi, `UnknownStringValue`)."""

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Difference:
    """One field in which two values differ; None stands for a field that is not there."""

    path: tuple[str | int, ...]
    before: Any
    after: Any

    @property
    def dotted(self) -> str:
        """The path as a person writes it: `spec.rules[0].host`, keys with dots in quotes."""
        text = ""
        for step in self.path:
            if isinstance(step, int):
                text += f"[{step}]"
            elif "." in step or "/" in step:
                text += f'["{step}"]'
            else:
                text += f".{step}"
        return text.removeprefix(".")

    def has(self, *steps: str) -> bool:
        """Whether the path goes through these keys, in this order."""
        rest = iter(self.path)
        return all(step in rest for step in steps)


def opened(value: Any) -> Any:
    """A file inside a ConfigMap or Secret as data, where it is YAML or JSON."""
    is_file = isinstance(value, str) and ("\n" in value or value.startswith("{"))
    return _parsed(value) if is_file else value


@lru_cache(maxsize=64)
def _parsed(text: str) -> Any:
    """Kept: one that changed is compared with many others, and nobody writes into what was read."""
    try:
        data = yaml.load(text, Loader=LOADER)
    except yaml.YAMLError:
        return text
    return data if isinstance(data, (dict, list)) else text


def differences(before: Any, after: Any, path: tuple[str | int, ...] = ()) -> Iterator[Difference]:
    """Every field in which two values differ. What the engine does not know yet differs from nothing."""
    if before == after or after == UNKNOWN:
        return
    before, after = opened(before), opened(after)
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys((*before, *after)):
            yield from differences(before.get(key), after.get(key), (*path, str(key)))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from differences(old, new, (*path, index))
    else:
        yield Difference(path, before, after)
