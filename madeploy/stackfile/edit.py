"""Changes to a stack file's text that leave everything else as a person wrote it: comments, order, quotes.

Pure: text in, text out. Every result is read again and compared with what was asked for, so that a form of
YAML nobody thought of is refused instead of damaged.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from madeploy.documents.nodes import Node, UnreadableError, compose
from madeploy.documents.text import dump
from madeploy.names.configuration import subject
from madeploy.settings.environment import PROJECT

_BREAK: Final = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
"""What libyaml counts as the end of a line, as in `source`."""

Data = dict[str, Any]


class StackEditError(ValueError):
    """The text cannot be changed safely; says why and where, never a value."""


def set_value(text: str, path: tuple[str, ...], value: Any) -> str:
    """The text of a stack file with the setting at `path` being `value`.

    Args:
        text: the whole file.
        path: keys from the top of `config` without the project's prefix, such as
            `("clusters", "gpu-west", "credential", "generation")`. Mappings that are missing are made.
        value: plain data: mappings, lists, text, numbers, booleans. A mapping replaces what is there key by
            key, so that comments beside unchanged keys stay.

    Raises StackEditError when the file cannot be read or is written in a way that cannot be changed in place.
    """
    full = _full(path)
    return _checked(_set(text, full, value), _with(_data(text), full, value), path)


def remove(text: str, path: tuple[str, ...]) -> str:
    """The text without the setting at `path`, without the comment lines directly above it, and without
    mappings that it leaves empty; the same text when there is nothing at `path`.

    Raises StackEditError as `set_value` does.
    """
    full = _full(path)
    data = _data(text)
    while len(full) > 1 and set(_at(data, full[:-1]) or ()) == {full[-1]}:
        full = full[:-1]
    if full[-1] not in (_at(data, full[:-1]) or ()):
        return text
    return _checked(_remove(text, full), _without(data, full), path)


def value_at(text: str, path: tuple[str, ...]) -> Any:
    """The plain data at `path`; None where there is nothing. Raises StackEditError for an unreadable file."""
    return _at(_data(text), _full(path))


def _full(path: tuple[str, ...]) -> tuple[str, ...]:
    if not path:
        raise ValueError("a path names at least a section")
    return ("config", f"{PROJECT}:{path[0]}", *path[1:])


def _root(text: str) -> Node | None:
    try:
        root, problems = compose(text.encode())
    except UnreadableError as error:
        raise StackEditError(f"line {error.problem.line + 1}: {error.problem.evidence}") from None
    if problems:
        raise StackEditError(f"line {problems[0].line + 1}: {problems[0].evidence}")
    if root is not None and root.kind == "scalar" and root.value is None:
        return None
    if root is not None and root.kind != "mapping":
        raise StackEditError("the file is no mapping")
    return root


def _data(text: str) -> Data:
    root = _root(text)
    return {} if root is None else root.data()


def _at(data: Any, path: tuple[str, ...]) -> Any:
    for step in path:
        data = data.get(step) if isinstance(data, Mapping) else None
    return data


def _with(data: Any, path: tuple[str, ...], value: Any) -> Any:
    if not path:
        return value
    held = dict(data) if isinstance(data, Mapping) else {}
    return {**held, path[0]: _with(held.get(path[0]), path[1:], value)}


def _without(data: Data, path: tuple[str, ...]) -> Data:
    if len(path) == 1:
        return {key: value for key, value in data.items() if key != path[0]}
    return {**data, path[0]: _without(data[path[0]], path[1:])}


def _checked(after: str, wanted: Data, path: tuple[str, ...]) -> str:
    try:
        got: Data | None = _data(after)
    except StackEditError:
        got = None
    if got != wanted:
        place = subject(path)
        raise StackEditError(
            f"{place} stands in a form that cannot be changed in place (an alias, a mapping in braces over "
            "several lines); change it by hand"
        )
    return after


class _Text:
    """A text by lines, with the places of its nodes."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.starts = [0, *(found.end() for found in _BREAK.finditer(text))]
        self.newline = "\r\n" if "\r\n" in text else "\n"

    def offset(self, line: int, column: int) -> int:
        return self.starts[line] + column

    def line_end(self, line: int) -> int:
        """Where the line after `line` starts, or the text ends."""
        return self.starts[line + 1] if line + 1 < len(self.starts) else len(self.text)

    def line(self, number: int) -> str:
        return self.text[self.starts[number] : self.line_end(number)].rstrip("\r\n")

    def opens(self, node: Node) -> str:
        """The character a node starts with; "" at the end of the text."""
        start = self.offset(node.line, node.column)
        return self.text[start : start + 1]

    def is_block(self, node: Node) -> bool:
        """Whether a mapping or list is written over lines, by indentation, where it stands."""
        return node.kind != "scalar" and self.opens(node) not in ("{", "[", "*")

    def last_line(self, node: Node) -> int:
        """The last line a node has text on; a block's end as libyaml gives it is that of what follows."""
        if self.is_block(node):
            values = [v for _, v in node.value.values()] if node.kind == "mapping" else node.value
            return max((self.last_line(value) for value in values), default=node.line)
        if node.end_line == node.line or node.end_column > 0:
            return node.end_line
        line = node.end_line - 1
        while line > node.line and not self.line(line).strip():
            line -= 1
        return line

    def replaced(self, start: int, end: int, text: str) -> str:
        return self.text[:start] + text + self.text[end:]

    def with_lines(self, at: int, end: int, lines: list[str]) -> str:
        """The text with what is between two offsets, both at the start of a line, replaced by lines."""
        before = self.text[:at]
        if before and not _BREAK.search(before[-1]):
            before += self.newline
        return before + "".join(f"{line}{self.newline}" for line in lines) + self.text[end:]


def _rendered(key: str, value: Any, indent: int) -> list[str]:
    text = dump({key: value})
    return [f"{' ' * indent}{line}" if line else line for line in text.splitlines()]


def _set(text: str, path: tuple[str, ...], value: Any) -> str:
    root, here = _root(text), _Text(text)
    if root is None:
        return here.with_lines(len(text), len(text), _rendered(path[0], _with(None, path[1:], value), 0))
    parent, depth, entry = root, 0, root.value.get(path[0])
    while entry is not None and depth + 1 < len(path) and here.is_block(entry[1]):
        if entry[1].kind != "mapping":
            break
        parent, depth = entry[1], depth + 1
        entry = parent.value.get(path[depth])
    # `parent` is the deepest mapping in block form; what is set below it is `given`.
    given = _with(entry[1].data() if entry else None, path[depth + 1 :], value)
    if entry is None:
        return _inserted(here, parent, path[depth], given)
    return _changed(text, here, path[: depth + 1], entry, given)


def _inserted(here: _Text, parent: Node, key: str, value: Any) -> str:
    first = next(iter(parent.value.values()))[0]
    after = here.line_end(here.last_line(parent))
    return here.with_lines(after, after, _rendered(key, value, first.column))


def _changed(text: str, here: _Text, path: tuple[str, ...], entry: tuple[Node, Node], value: Any) -> str:
    key, node = entry
    if node.data() == value and type(node.data()) is type(value):
        return text
    if node.kind == "mapping" and here.is_block(node) and isinstance(value, Mapping) and value:
        for name, item in value.items():
            text = _set(text, (*path, name), item)
        for name in [name for name in node.value if name not in value]:
            text = _remove(text, (*path, name))
        return text
    one_line = node.kind == "scalar" and node.line == node.end_line == key.line and node.value is not None
    if one_line and not isinstance(value, (Mapping, list, tuple)):
        (line,) = _rendered("x", value, 0)
        start, end = here.offset(node.line, node.column), here.offset(node.end_line, node.end_column)
        return here.replaced(start, end, line.removeprefix("x: "))
    lines = _rendered(path[-1], value, key.column)
    if not here.is_block(node):
        comment = here.line(node.end_line)[node.end_column :].strip()
        lines[0] += f"  {comment}" if comment.startswith("#") else ""
    return here.with_lines(here.starts[key.line], here.line_end(here.last_line(node)), lines)


def _remove(text: str, path: tuple[str, ...]) -> str:
    root, here = _root(text), _Text(text)
    assert root is not None
    parent = root
    for depth, step in enumerate(path[:-1]):
        entry = parent.value.get(step)
        if entry is None:
            return text
        if not here.is_block(entry[1]):
            data = _without(entry[1].data(), path[depth + 1 :])
            return _changed(text, here, path[: depth + 1], entry, data)
        parent = entry[1]
    if path[-1] not in parent.value:
        return text
    key, node = parent.value[path[-1]]
    first = key.line
    while first > 0 and _is_comment(here.line(first - 1), key.column):
        first -= 1
    return here.with_lines(here.starts[first], here.line_end(here.last_line(node)), [])


def _is_comment(line: str, column: int) -> bool:
    return line.startswith(" " * column + "#")
