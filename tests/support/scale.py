"""How much of a heavy proof runs: a little in CI, all of it where somebody asks for it."""

from __future__ import annotations

import os


def scale(small: int, full: int) -> int:
    """`full` where MADEPLOY_TEST_FULL is set, else `small`."""
    return full if os.environ.get("MADEPLOY_TEST_FULL") else small
