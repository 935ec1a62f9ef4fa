"""Waiting for CustomResourceDefinitions that somebody else makes."""

from __future__ import annotations

import time
from collections.abc import Callable

from madeploy.clients.errors import ClientError

POLL_SECONDS = 1.0


def wait_for_definitions(
    find_missing: Callable[[], list[str]],
    limit_seconds: float,
    hint: str,
    poll_seconds: float = POLL_SECONDS,
) -> None:
    """Wait until nothing is missing. Raises TimeoutError naming what is, and `hint`: what to do (CP-8)."""
    deadline = time.monotonic() + limit_seconds
    while True:
        try:
            missing = find_missing()
            trouble = ", ".join(missing)
        except ClientError as error:
            missing, trouble = ["?"], f"unknown, the cluster does not say ({error})"
        if not missing:
            return
        if time.monotonic() >= deadline:
            raise TimeoutError(f"Definitions that are not established: {trouble}. {hint}")
        time.sleep(poll_seconds)
