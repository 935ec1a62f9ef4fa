"""What tests on the embedded environment share, and how it survives one that fails."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

import pytest

from madeploy.sandbox.environment import Environment as Embedded

FAILED = pytest.StashKey[bool]()
"""Of a test: whether one of its phases failed so far (`tests/sandbox/conftest.py`)."""


class _Removable(Protocol):
    def remove(self) -> None: ...


T = TypeVar("T", bound=_Removable)


class Shared(Generic[T]):
    """Something on the embedded environment that tests share: each leaves it as it found it. One that fails
    cannot be trusted with that: whatever it left, clusters are emptied and everything is made anew, so that
    one failure stays one.

    Args:
        embedded: the environment.
        make: makes it on clusters that hold nothing of it.
    """

    def __init__(self, embedded: Embedded, make: Callable[[Embedded], T]) -> None:
        self._embedded = embedded
        self._make = make
        self._made: T | None = None
        self._is_clean = True
        self._last: pytest.Item | None = None

    def get(self, item: pytest.Item) -> T:
        """For a test: as the one before it left it, or made now."""
        if self._last is not None and has_failed(self._last):
            self._made = None
        self._last = item
        if self._made is None:
            self._clean()
            self._is_clean = False
            self._made = self._make(self._embedded)
        return self._made

    def remove(self) -> None:
        """Take it away, for others on the same environment."""
        try:
            if self._made is not None and self._last is not None and not has_failed(self._last):
                self._made.remove()
                self._is_clean = True
        finally:
            self._clean()

    def _clean(self) -> None:
        if not self._is_clean:
            emptied(self._embedded)
            self._is_clean = True


def has_failed(item: pytest.Item) -> bool:
    """Whether a test has failed so far."""
    return item.stash.get(FAILED, False)


def emptied(embedded: Embedded) -> None:
    """Start the clusters of an environment anew: with nothing in them, under the same addresses and
    authorities. Processes that were stopped in their tracks end too."""
    embedded.stop()
    for name in embedded.names:
        shutil.rmtree(embedded.directory.cluster(name) / "etcd")
    embedded.start()
