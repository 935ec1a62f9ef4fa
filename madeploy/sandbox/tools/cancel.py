"""Ending what runs side by side: one that fails, or Ctrl-C, ends the others within a moment."""

from __future__ import annotations

import threading


class Cancelled(Exception):  # noqa: N818  not an error: somebody else's is being reported
    """This was stopped because another one failed or the user pressed Ctrl-C."""


class Cancel(threading.Event):
    """Set to end what looks at it."""

    def check(self, seconds: float = 0.0) -> None:
        """Wait so long for it to be set. Raises Cancelled when it is."""
        if self.wait(seconds):
            raise Cancelled
