"""Waiting in a test for what comes about elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait(until: Callable[[], T], seconds: float = 180, pause: float = 0.2) -> T:
    """Wait for a value that is true, and give it. After so many seconds it will not come: what was seen last
    is in the failure."""
    deadline = time.monotonic() + seconds
    while not (seen := until()):
        assert time.monotonic() < deadline, f"it never came about: {seen!r}"
        time.sleep(pause)
    return seen
