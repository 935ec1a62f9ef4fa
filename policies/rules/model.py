"""What a rule is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Check = Callable[[str, Mapping[str, Any]], Iterator[str]]
"""From a resource's type token and properties to sentences, one for each violation: what is wrong and
what to do."""


@dataclass(frozen=True)
class Rule:
    """A rule: its constant name, what it demands and why, and the check."""

    name: str
    description: str
    check: Check
