"""Signals that end a process, heard like Ctrl-C, so that what was made for a check is taken away first."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

ENDING: Final = (signal.SIGTERM, signal.SIGHUP)
"""What CI systems and terminals that close send."""


@contextmanager
def heard() -> Iterator[None]:
    """Raise KeyboardInterrupt in the main thread for these signals within the block. Ctrl-C itself is heard
    even where the process was started in the background, which makes it deaf to it."""

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (*ENDING, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
