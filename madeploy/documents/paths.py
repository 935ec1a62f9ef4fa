"""Paths of values in a document, and how they are written."""

from __future__ import annotations

import re
from typing import Final

from madeploy.documents.words import printable

Path = tuple[str | int, ...]
"""Keys and list positions from the top of a document, such as `("cors", "additionalOrigins", 0)`."""

_PLAIN_STEP: Final = re.compile(r"[^.\[\]\"]+")


def dotted(path: Path) -> str:
    """A path as people write it: `cors.additionalOrigins[0]`, a key with dots in it as `["a.b"]`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif _PLAIN_STEP.fullmatch(step):
            text += f".{printable(step)}" if text else printable(step)
        else:
            text += f'["{printable(step)}"]'
    return text
