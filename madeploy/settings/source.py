"""A stack file's text beside its values: places of configuration paths, and lines fit to be shown."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import PurePath
from typing import Final

from madeploy.findings import Finding, Location
from madeploy.settings.secrecy import MASK, is_secret_key, kind_of_secret, masked_line
from madeploy.settings.yaml_nodes import Node

Path = tuple[str | int, ...]
"""Keys and list positions from the top of `config`, such as `("cors", "additionalOrigins", 0)`."""

_SHOWN_WIDTH: Final = 100
_BEFORE_CARET: Final = 40
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


def _printable(text: str) -> str:
    """Text without what a terminal would obey or hide; other scripts stay readable."""
    shown = "".join(c if c.isprintable() else f"<U+{ord(c):04X}>" for c in text[:200])
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

    prefix: str = "michelangelo:"
    """How keys of ours start below `config`."""

    @cached_property
    def _lines(self) -> list[bytes]:
        return re.split(rb"\r\n|\n|\r", self.content)

    @property
    def stack(self) -> str:
        """Name of the stack, from the file's; `STACK` when the file is called otherwise."""
        found = re.fullmatch(r"Pulumi\.([A-Za-z0-9_.-]+)\.ya?ml", PurePath(self.file).name)
        return found[1] if found else "STACK"

    def named(self, finding: Finding) -> Finding:
        """A finding with the stack's name in the commands of its fix."""
        return replace(finding, fix=finding.fix.replace("--stack STACK", f"--stack {self.stack}"))

    def _line(self, number: int) -> str | None:
        if not 0 <= number < len(self._lines):
            return None
        return self._lines[number].decode("utf-8", "replace").removeprefix("\ufeff")

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
        if path and name is None and value is self.config:
            return Location(self.file)
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
            shown = masked_line(text)
            caret = min(caret, len(shown))
        start = max(0, caret - _BEFORE_CARET) if len(shown) > _SHOWN_WIDTH else 0
        clipped = shown[start : start + _SHOWN_WIDTH]
        before = _printable("…" * bool(start) + clipped[: caret - start])
        after = _printable(clipped[caret - start :]) + "…" * (len(shown) > start + _SHOWN_WIDTH)
        return Location(self.file, line + 1, column + 1, before + after, len(before) + 1)

    @cached_property
    def secret_nodes(self) -> tuple[tuple[Path, Node], ...]:
        """Every scalar whose value may be a secret, with its path: by the names above it or its look.
        From the right, so that masking one leaves the columns of the next."""
        found = []
        for path, node in self.config.scalars() if self.config is not None else ():
            names = (str(step).removeprefix(self.prefix) for step in path if isinstance(step, str))
            if node.value is not None and (
                kind_of_secret(node.value) or any(is_secret_key(name) for name in names)
            ):
                found.append((path, node))
        return tuple(sorted(found, key=lambda item: -item[1].column))

    def _masked(self, line: int, text: str, caret: int) -> tuple[str, int]:
        """A line without its secrets, and where its column `caret` is then."""
        for _, node in self.secret_nodes:
            if node.line == line:
                end = node.end_column if node.end_line == line else len(text)
                text = text[: node.column] + MASK + text[end:]
                if caret >= end:
                    caret += node.column + len(MASK) - end
                elif caret > node.column:
                    caret = node.column
            elif node.line < line <= node.end_line:
                return MASK, 0
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
            if is_secret_key(stripped.rstrip("|>-+ ").rstrip(":").split(":")[-1].strip("\"'")):
                return True
        return False
