"""A document's text beside its values: places of paths, and lines fit to be shown."""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from madeploy.documents.nodes import Node
from madeploy.documents.paths import Path
from madeploy.documents.redaction import MASK, is_secret_key, kind_of_secret, masked_line
from madeploy.documents.words import printable
from madeploy.findings import Location

_SHOWN_WIDTH: Final = 100
_BEFORE_CARET: Final = 40
_BREAK: Final = re.compile(rb"\r\n|[\n\r]|\xc2\x85|\xe2\x80[\xa8\xa9]")
"""What libyaml counts as the end of a line."""


@dataclass
class Source:
    """The text of one file, the nodes read from it, and what its keys say of secrets."""

    file: str
    """Name of the file as it is shown."""

    content: bytes = b""
    """UTF-8 text."""

    root: Node | None = None
    """The mapping at which paths start; None when there is none."""

    root_key: Node | None = None
    """The key whose value `root` is; None when it is the whole document."""

    prefix: str = ""
    """How keys start in the text where paths start without it, such as `michelangelo:`."""

    known_keys: Callable[[], frozenset[str]] = frozenset
    """Keys that say themselves whether their values are secrets. Values of others are not shown where the
    file cannot be parsed."""

    secret_keys: frozenset[str] = frozenset()
    """Keys below `root` whose values are all secrets."""

    @cached_property
    def _starts(self) -> array[int]:
        """Byte position of the start of each line."""
        starts = array("L", [0])
        starts.extend(found.end() for found in _BREAK.finditer(self.content))
        return starts

    def _line(self, number: int) -> str | None:
        if not 0 <= number < len(self._starts):
            return None
        start = self._starts[number]
        end = _BREAK.search(self.content, start)
        line = self.content[start : end.start() if end else None]
        return line.decode("utf-8", "replace").removeprefix("\ufeff")

    def node(self, path: Path) -> tuple[Node | None, Node | None]:
        """Key node and value node at a path; None for what the file does not hold. For a path that is
        not there, the nearest one above it that is."""
        key: Node | None = None
        value = self.root
        for position, step in enumerate(path):
            if value is None:
                break
            if value.kind == "mapping":
                name = f"{self.prefix}{step}" if position == 0 else str(step)
                entry = value.value.get(name) or (value.value.get(str(step)) if position == 0 else None)
                if entry is None:
                    break
                key, value = entry
            elif value.kind == "list" and isinstance(step, int) and step < len(value.value):
                key, value = None, value.value[step]
            else:
                break
        return key, value

    def at(self, path: Path, *, key: bool = False) -> Location:
        """Place of a path's value, or of its key."""
        name, value = self.node(path)
        if name is None and value is self.root:
            return (
                self.place(self.root_key.line, self.root_key.column) if self.root_key else Location(self.file)
            )
        node = name if key and name is not None else value
        if node is None or (name is not None and (node.kind != "scalar" or node.value is None)):
            node = name or node
        if node is None:
            return Location(self.file)
        return self.place(node.line, node.column)

    def place(self, line: int, column: int, *, parsed: bool = True) -> Location:
        """Place by line and column counted from 0, with the line masked and shortened. `parsed` is
        False when the file has no nodes to tell secrets by."""
        text = self._line(line)
        if text is None:
            return Location(self.file, line + 1, column + 1)
        caret = min(column, len(text))
        if parsed:
            shown, caret = self._masked(line, text, caret)
        elif self._inside_secret(line):
            shown, caret = MASK, 0
        else:
            shown = masked_line(text, self.known_keys())
            caret = min(caret, len(shown))
        start = max(0, caret - _BEFORE_CARET) if len(shown) > _SHOWN_WIDTH else 0
        clipped = shown[start : start + _SHOWN_WIDTH]
        before = printable("…" * bool(start) + clipped[: caret - start])
        after = printable(clipped[caret - start :]) + "…" * (len(shown) > start + _SHOWN_WIDTH)
        return Location(self.file, line + 1, column + 1, before + after, len(before) + 1)

    def hide(self, value: Node) -> None:
        """Mask the text below a key that nobody knows: it may be a misspelt key for a secret."""
        for _, node in value.scalars():
            if isinstance(node.value, str):
                self._hidden.setdefault(node.line, []).append(node)

    def hide_at(self, path: Path) -> None:
        """The same by path, where the file holds it. Keys that stand elsewhere say what they are."""
        _, value = self.node(path)
        if value is not None and path and path[-1] not in self.known_keys():
            self.hide(value)

    @cached_property
    def _hidden(self) -> dict[int, list[Node]]:
        return {}

    @cached_property
    def _secrets(self) -> tuple[dict[int, list[Node]], list[Node]]:
        """Every scalar whose value may be a secret, by the names above it, its look, or because it is
        the value of one that is: by their first line, and those over several lines."""
        scalars = list(self.root.scalars()) if self.root is not None else []
        found, values = [], set()
        for path, node in scalars:
            names = [str(step).removeprefix(self.prefix) for step in path if isinstance(step, str)]
            by_name = not self.secret_keys.isdisjoint(names[:1]) or any(map(is_secret_key, names))
            if node.value is not None and (by_name or kind_of_secret(node.value)):
                found.append(node)
                values.add(node.value)
        found += [node for _, node in scalars if isinstance(node.value, str) and node.value in values]
        lines: dict[int, list[Node]] = {}
        for node in set(found):
            lines.setdefault(node.line, []).append(node)
        return lines, [node for node in set(found) if node.end_line > node.line]

    def _masked(self, line: int, text: str, caret: int) -> tuple[str, int]:
        """A line without its secrets, and where its column `caret` is then."""
        lines, long = self._secrets
        if any(node.line < line <= node.end_line for node in long):
            return MASK, 0
        here = {*lines.get(line, ()), *self._hidden.get(line, ())}
        for node in sorted(here, key=lambda item: -item.column):
            end = node.end_column if node.end_line == line else len(text)
            text = text[: node.column] + MASK + text[end:]
            if caret >= end:
                caret += node.column + len(MASK) - end
            elif caret > node.column:
                caret = node.column
        return text, caret

    def _inside_secret(self, line: int) -> bool:
        """Whether an unparsed line stands below a key that holds secrets, judged by indentation."""
        text = self._line(line) or ""
        indent = len(text) - len(text.lstrip())
        for number in range(line - 1, -1, -1):
            above = self._line(number) or ""
            stripped = above.strip()
            if not stripped or len(above) - len(above.lstrip()) >= indent:
                continue
            indent = len(above) - len(above.lstrip())
            name = stripped.rstrip("|>-+ ").rstrip(":").split(":")[-1].strip("\"'")
            if name in self.secret_keys or is_secret_key(name):
                return True
        return False
