"""Objects as YAML text, each text made once."""

from __future__ import annotations

from typing import Any

from madeploy.documents.text import dump
from manifests.objects import key_of


class Texts:
    """YAML of plain data in the order it was built in; the same data gives the same text, emitted once: every
    compute cluster gets the same objects."""

    def __init__(self) -> None:
        self._known: dict[bytes, str] = {}

    def of(self, data: dict[str, Any]) -> str:
        """The text of one document, ending in a newline."""
        key = key_of(data)
        text = self._known.get(key)
        if text is None:
            text = self._known[key] = dump(data)
        return text
