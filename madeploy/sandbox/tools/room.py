"""How many builds run at once: as many as memory and cores allow, and never fewer than one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

_GIB = 1024**3
_SPARED_GIB = 1.0
"""Left to everything else on the machine."""


class Room:
    """Hands out memory and cores to builds. The first is always let in: slow is better than never."""

    def __init__(self, cores: int, gibibytes: float | None = None) -> None:
        self._free = available_gibibytes() - _SPARED_GIB if gibibytes is None else gibibytes
        self._cores = cores
        self._running = 0
        self._changed = threading.Condition()

    @contextmanager
    def for_build(self, gibibytes: float, cancel: threading.Event) -> Iterator[None]:
        """Wait for room; go on at once when `cancel` is set (the build then notices for itself)."""
        with self._changed:
            while not (self._fits(gibibytes) or cancel.is_set()):
                self._changed.wait(0.2)
            self._running += 1
            self._free -= gibibytes
        try:
            yield
        finally:
            with self._changed:
                self._running -= 1
                self._free += gibibytes
                self._changed.notify_all()

    def _fits(self, gibibytes: float) -> bool:
        return self._running == 0 or (self._running < self._cores and gibibytes <= self._free)


def available_gibibytes() -> float:
    """Memory that can be used without swapping."""
    return float(psutil.virtual_memory().available) / _GIB
