"""YAML with places: a stack file as nodes that know their line and column, within fixed limits.

Reads events of libyaml one by one and stops at the first limit passed, so that a hostile file costs
little. Plain scalars are resolved as Pulumi's own reader does (YAML 1.2 core: `yes`, `on` and `12:30`
are text). Only what a stack file needs is accepted: mappings with text keys, lists, scalars, aliases.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, Literal, NamedTuple

import yaml

from madeploy.documents.merges import unresolved_merge
from madeploy.documents.problems import Problem, from_error

MAX_DEPTH: Final = 32
"""Levels of nesting; settings are at most a dozen deep."""

MAX_NODES: Final = 80_000
"""Nodes with aliases expanded. A thousand clusters with every setting are about 50,000."""

MAX_ITEMS: Final = 5_000
"""Items of one list and keys of one mapping; clusters, the longest, are at most thousands."""


class Limits(NamedTuple):
    """Limits of a parser."""

    depth: int
    nodes: int
    items: int


STACK_FILE: Final = Limits(MAX_DEPTH, MAX_NODES, MAX_ITEMS)
"""Limits of a stack file, and of any file whose reader names no others."""

MAX_PROBLEMS: Final = 200
"""Problems that are collected; further ones are dropped."""

_INT = re.compile(r"[-+]?(0|[1-9][0-9_]*)$")
_RADIX = re.compile(r"[-+]?0(o[0-7_]+|x[0-9a-fA-F_]+|b[01_]+|[0-7_]+)$")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$")
_MAX_DIGITS: Final = 40
_WORDS: Final[dict[str, Any]] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True,
    "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_STR_TAGS: Final = (None, "!", "tag:yaml.org,2002:str")
_CONTAINER_TAGS: Final = (None, "!", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")


class UnreadableError(Exception):
    """The text is not YAML, or passes a limit: nothing after `problem` was read."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.evidence)
        self.problem = problem


class Node:
    """A value and where it stands. Line and column count from 0."""

    __slots__ = ("column", "end_column", "end_line", "kind", "line", "literal", "size", "value")

    def __init__(self, kind: Literal["scalar", "mapping", "list"], value: Any, start: Any, end: Any) -> None:
        self.kind = kind
        self.value: Any = value
        """A scalar's value, a list's nodes, or a mapping's `(key node, value node)` by key."""
        self.line: int = start.line
        self.column: int = start.column
        self.end_line: int = end.line
        self.end_column: int = end.column
        self.size = 1
        """Nodes below and with this one, aliases expanded."""
        self.literal = False
        """Whether it is a text after `|`, whose lines are lines of the file."""

    def data(self) -> Any:
        """The node as plain dicts, lists and scalars."""
        if self.kind == "mapping":
            return {key: value.data() for key, (_, value) in self.value.items()}
        if self.kind == "list":
            return [item.data() for item in self.value]
        return self.value

    def scalars(self, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Node]]:
        """Every scalar below with its path."""
        if self.kind == "mapping":
            for key, (_, value) in self.value.items():
                yield from value.scalars((*path, key))
        elif self.kind == "list":
            for index, item in enumerate(self.value):
                yield from item.scalars((*path, index))
        else:
            yield path, self


def resolve(text: str) -> Any:
    """Value of a plain scalar: None, bool, int, float or the text itself."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in "+-.0123456789" and len(text) <= _MAX_DIGITS:
        digits = text.replace("_", "")
        if _INT.match(text):
            return int(digits)
        if _RADIX.match(text):
            sign, body = (-1, digits[1:]) if digits[0] == "-" else (1, digits.lstrip("+"))
            base = {"o": 8, "x": 16, "b": 2}.get(body[1], 8)
            return sign * int(body[2:] if body[1] in "oxb" else body, base)
        if _FLOAT.match(text):
            return float(text)
    return text


class _Composer:
    """Builds nodes from events. Problems that leave the rest readable are collected."""

    def __init__(self, content: bytes, limits: Limits, resolver: Callable[[str], Any]) -> None:
        self.limits = limits
        self.resolve = resolver
        merge = unresolved_merge(content)
        if merge is not None:
            raise UnreadableError(merge)
        self.loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(content)
        self.problems: list[Problem] = []
        self.anchors: dict[str, Node] = {}
        self.nodes = 0

    def _problem(self, code: str, event: Any, evidence: str, fix: str = "") -> None:
        if len(self.problems) < MAX_PROBLEMS:
            place = event.start_mark
            self.problems.append(Problem(code, place.line, place.column, evidence, fix))

    def _count(self, event: Any, amount: int, depth: int) -> None:
        self.nodes += amount
        where = event.start_mark
        if self.nodes > self.limits.nodes:
            evidence = f"the file has more than {self.limits.nodes:,} values, aliases expanded"
            raise UnreadableError(Problem("MA105", where.line, where.column, evidence))
        if depth > self.limits.depth:
            evidence = f"values are nested deeper than {self.limits.depth} levels"
            raise UnreadableError(Problem("MA105", where.line, where.column, evidence))

    def _check_length(self, event: Any, count: int, kind: str) -> None:
        if count > self.limits.items:
            where, evidence = event.start_mark, f"a {kind} has more than {self.limits.items:,} entries"
            raise UnreadableError(Problem("MA105", where.line, where.column, evidence))

    def document(self) -> Node | None:
        loader = self.loader
        loader.get_event()  # stream start
        if loader.check_event(yaml.StreamEndEvent):
            return None
        loader.get_event()  # document start
        root = self.node(0)
        loader.get_event()  # document end
        if not loader.check_event(yaml.StreamEndEvent):
            event = loader.get_event()
            self._problem(
                "MA106",
                event,
                "a second YAML document starts here; only the first is read",
                "Remove the `---` and what follows, or make it a file of its own.",
            )
        return root

    def documents(self) -> Iterator[Node]:
        """Every document of the text; anchors end with theirs."""
        loader = self.loader
        loader.get_event()  # stream start
        while not loader.check_event(yaml.StreamEndEvent):
            loader.get_event()  # document start
            self.anchors.clear()
            yield self.node(0)
            loader.get_event()  # document end

    def node(self, depth: int) -> Node:
        event = self.loader.get_event()
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, depth)
        self._count(event, 1, depth)
        if isinstance(event, yaml.ScalarEvent):
            node = self._scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = self._sequence(event, depth)
        else:
            node = self._mapping(event, depth)
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        return node

    def _alias(self, event: Any, depth: int) -> Node:
        target = self.anchors.get(event.anchor)
        if target is None:
            place = event.start_mark
            evidence = f"the alias *{event.anchor} names an anchor that is not defined above it"
            fix = "Define it above with &, or put text that starts with * in quotes."
            raise UnreadableError(Problem("MA104", place.line, place.column, evidence, fix))
        self._count(event, target.size, depth)
        copy = Node(target.kind, target.value, event.start_mark, event.end_mark)
        copy.size = target.size
        return copy

    def _scalar(self, event: Any) -> Node:
        if event.tag not in _STR_TAGS:
            self._tag(event)
        plain = event.implicit[0] and event.tag is None and event.style in (None, "")
        value = self.resolve(event.value) if plain else event.value
        node = Node("scalar", value, event.start_mark, event.end_mark)
        node.literal = event.style == "|"
        return node

    def _tag(self, event: Any) -> None:
        shown = event.tag.replace("tag:yaml.org,2002:", "!!")
        self._problem(
            "MA106",
            event,
            f"the tag {shown} asks the reader to build something other than plain data",
            "Remove the tag; text in quotes stays text.",
        )

    def _sequence(self, event: Any, depth: int) -> Node:
        if event.tag not in _CONTAINER_TAGS:
            self._tag(event)
        items: list[Node] = []
        while not self.loader.check_event(yaml.SequenceEndEvent):
            items.append(self.node(depth + 1))
            self._check_length(event, len(items), "list")
        end = self.loader.get_event()
        node = Node("list", items, event.start_mark, end.end_mark)
        node.size = 1 + sum(item.size for item in items)
        return node

    def _mapping(self, event: Any, depth: int) -> Node:
        if event.tag not in _CONTAINER_TAGS:
            self._tag(event)
        entries: dict[str, tuple[Node, Node]] = {}
        size, count = 1, 0
        while not self.loader.check_event(yaml.MappingEndEvent):
            key_event = self.loader.peek_event()
            key = self.node(depth + 1)
            value = self.node(depth + 1)
            size += key.size + value.size
            count += 1
            self._check_length(key_event, count, "mapping")
            if not isinstance(key_event, yaml.ScalarEvent):
                self._problem("MA106", key_event, "a key is a list, a mapping or an alias; keys are text")
                continue
            name = key_event.value
            if name == "<<" and key_event.style in (None, ""):
                self._problem(
                    "MA106",
                    key_event,
                    "`<<` merges another mapping into this one, which not every reader of the file does",
                    "Write the keys out, or use an alias for a whole value.",
                )
                continue
            if name in entries:
                first = entries[name][0].line + 1
                self._problem(
                    "MA107", key_event, f"{_shown(name)} is given again; it is on line {first} already"
                )
                continue
            key.value = name
            entries[name] = (key, value)
        end = self.loader.get_event()
        node = Node("mapping", entries, event.start_mark, end.end_mark)
        node.size = size
        return node


def _shown(name: str) -> str:
    """A key fit for a message."""
    return f'"{name}"' if len(name) <= 64 else f'"{name[:60]}…"'


def compose(content: bytes) -> tuple[Node | None, list[Problem]]:
    """The one document of a text in UTF-8, and what is wrong with it but leaves it readable.

    None when the text holds no document. Raises UnreadableError on a syntax error or a limit passed.
    """
    composer = _Composer(content, STACK_FILE, resolve)
    with _read(composer):
        root = composer.document()
    return root, composer.problems


def compose_all(
    content: bytes, limits: Limits = STACK_FILE, resolver: Callable[[str], Any] = resolve
) -> tuple[list[Node], list[Problem]]:
    """Every document of a text in UTF-8, empty ones as null, and what is wrong with it but leaves it
    readable. `limits` are those of the file; `resolver` gives plain scalars their value. Raises
    UnreadableError as `compose` does."""
    composer = _Composer(content, limits, resolver)
    with _read(composer):
        roots = list(composer.documents())
    return roots, composer.problems


@contextmanager
def _read(composer: _Composer) -> Iterator[None]:
    try:
        yield
    except yaml.YAMLError as error:
        raise UnreadableError(from_error(error)) from None
    finally:
        composer.loader.dispose()
