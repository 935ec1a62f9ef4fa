"""A stack file's text beside its values: places of configuration paths, and lines fit to be shown."""

from __future__ import annotations

import re
from array import array
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import PurePath
from typing import Final

from madeploy.findings import Finding, Location
from madeploy.settings import shape
from madeploy.settings.environment import SECRET_KEYS, Environment
from madeploy.settings.secrecy import MASK, is_secret_key, kind_of_secret, masked_line
from madeploy.settings.yaml_nodes import Node

Path = tuple[str | int, ...]
"""Keys and list positions from the top of `config`, such as `("cors", "additionalOrigins", 0)`."""

_SHOWN_WIDTH: Final = 100
_BEFORE_CARET: Final = 40
_BREAK: Final = re.compile(rb"\r\n|[\n\r]|\xc2\x85|\xe2\x80[\xa8\xa9]")
"""What libyaml counts as the end of a line."""

_PLAIN_STEP: Final = re.compile(r"[^.\[\]\"]+")


def subject(path: Path, prefix: str = "michelangelo:") -> str:
    """A path as `pulumi config set --path` takes it: `michelangelo:cors.additionalOrigins[0]`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif _PLAIN_STEP.fullmatch(step):
            text += f".{_printable(step)}" if text else _printable(step)
        else:
            text += f'["{_printable(step)}"]'
    return prefix + text


@cache
def _known_keys() -> frozenset[str]:
    """Keys of settings, which say themselves whether their values are secrets."""
    return frozenset({"config", *(key for _, _, key in shape.walk(Environment))})


_NAMED: Final = {"\t": "<tab>"}


def _printable(text: str) -> str:
    """Text without what a terminal would obey or hide; other scripts stay readable."""
    shown = "".join(c if c.isprintable() else _NAMED.get(c, f"<U+{ord(c):04X}>") for c in text[:200])
    return shown if len(text) <= 200 else shown + "…"


printable = _printable


@dataclass
class Source:
    """The text of one stack file and the nodes read from it."""

    file: str
    """Name of the file as it is shown."""

    content: bytes = b""
    """UTF-8 text."""

    config: Node | None = None
    """The mapping below `config`; None when there is none."""

    config_key: Node | None = None
    """The key `config` itself."""

    prefix: str = "michelangelo:"
    """How keys of ours start below `config`."""

    @cached_property
    def _starts(self) -> array[int]:
        """Byte position of the start of each line."""
        starts = array("L", [0])
        starts.extend(found.end() for found in _BREAK.finditer(self.content))
        return starts

    @property
    def stack(self) -> str:
        """Name of the stack, from the file's; `STACK` when the file is called otherwise."""
        found = re.fullmatch(r"Pulumi\.([A-Za-z0-9_.-]+)\.ya?ml", PurePath(self.file).name)
        return found[1] if found else "STACK"

    def named(self, finding: Finding) -> Finding:
        """A finding with the stack's name in the commands of its fix."""
        return replace(finding, fix=finding.fix.replace("--stack STACK", f"--stack {self.stack}"))

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
        value = self.config
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
        if name is None and value is self.config:
            return (
                self.place(self.config_key.line, self.config_key.column)
                if self.config_key
                else Location(self.file)
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
            shown = masked_line(text, _known_keys())
            caret = min(caret, len(shown))
        start = max(0, caret - _BEFORE_CARET) if len(shown) > _SHOWN_WIDTH else 0
        clipped = shown[start : start + _SHOWN_WIDTH]
        before = _printable("…" * bool(start) + clipped[: caret - start])
        after = _printable(clipped[caret - start :]) + "…" * (len(shown) > start + _SHOWN_WIDTH)
        return Location(self.file, line + 1, column + 1, before + after, len(before) + 1)

    def hide(self, value: Node) -> None:
        """Mask the text below a key that nobody knows: it may be a misspelt key for a secret."""
        for _, node in value.scalars():
            if isinstance(node.value, str):
                self._hidden.setdefault(node.line, []).append(node)

    def hide_at(self, path: Path) -> None:
        """The same by path, where the file holds it. Keys that stand elsewhere say what they are."""
        _, value = self.node(path)
        if value is not None and path and path[-1] not in _known_keys():
            self.hide(value)

    @cached_property
    def _hidden(self) -> dict[int, list[Node]]:
        return {}

    @cached_property
    def _secrets(self) -> tuple[dict[int, list[Node]], list[Node]]:
        """Every scalar whose value may be a secret, by the names above it, its look, or because it is
        the value of one that is: by their first line, and those over several lines."""
        scalars = list(self.config.scalars()) if self.config is not None else []
        found, values = [], set()
        for path, node in scalars:
            names = [str(step).removeprefix(self.prefix) for step in path if isinstance(step, str)]
            by_name = not SECRET_KEYS.keys().isdisjoint(names[:1]) or any(map(is_secret_key, names))
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
            if name in SECRET_KEYS or is_secret_key(name):
                return True
        return False
