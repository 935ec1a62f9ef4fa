"""A stack file with every key, generated from the models: each with its description above it.

Keys with a default stand with it; keys that are absent by default are commented out, with a value that
would be accepted. Of a section with variants the first stands, the others are commented out below it.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel

from madeploy.documents.text import dump
from madeploy.names.configuration import OBJECT_STORE_KEYS, encrypt_command
from madeploy.settings import shape
from madeploy.settings.environment import CONTROL_PLANE, PROJECT, SECRET_KEYS, Environment
from madeploy.settings.shape import Shape

MODELINE: Final = "# yaml-language-server: $schema=schema.json"
"""First line of every stack file: how editors find the schema."""

Choices = Mapping[str, str]
"""Variant of each section that has some, by dotted path: `{"tls": "provided", "storage": "aws"}`. Where
none is given, the first."""

_WIDTH: Final = 104
_PLACEHOLDER: Final = "written-by-pulumi-config-set"
_SHOWN: Final = frozenset({"images.tag", "access.browser", "access.browser.editors.groups", "access.api"})
"""Keys that are absent by default and shown nevertheless: an image needs a version from somewhere, and
one tag for all is the usual place; production has to choose who may come in."""


@dataclass(frozen=True)
class _Place:
    """One key of a section, on its way to become lines."""

    section: type[BaseModel]
    key: str
    path: str
    given: BaseModel | None
    """The section as it is by default, where the section above says so."""

    @property
    def shape(self) -> Shape:
        return shape.field_shape(self.section, self.key)

    @property
    def default(self) -> Any:
        """The default as it is; None when there is none."""
        name, info = shape.fields(self.section)[self.key]
        if self.given is not None:
            return getattr(self.given, name)
        return None if info.is_required() else info.get_default(call_default_factory=True)

    @property
    def examples(self) -> list[Any]:
        return shape.fields(self.section)[self.key][1].examples or []

    @property
    def absent(self) -> bool:
        """Whether leaving the key out means that there is no such thing."""
        required = shape.fields(self.section)[self.key][1].is_required()
        is_map_of_sections = self.shape.item is not None and self.shape.item.kind == "section"
        if required or self.path in _SHOWN or (self.shape.kind == "map" and is_map_of_sections):
            return False
        return self.default in (None, (), {})


def _keys(section: type[BaseModel], path: str, given: BaseModel | None = None) -> Iterator[_Place]:
    for key in shape.fields(section):
        yield _Place(section, key, f"{path}.{key}" if path else key, given)


def chosen(here: Shape, choices: Choices, path: str) -> type[BaseModel]:
    """The section at a place, or the variant that is chosen for it."""
    picked = shape.variant(here, choices[path]) if here.kind == "variants" and path in choices else None
    return picked or here.sections[0]


def _value(place: _Place, choices: Choices) -> Any:
    """A value that is accepted for a key: its default, or an example, every key below it included."""
    default, here = place.default, place.shape
    if here.kind == "value":
        if default is not None:
            return default
        return place.examples[0] if place.examples else here.example
    below = default if isinstance(default, BaseModel) else None
    return place.examples[0] if place.examples else _of(here, choices, place.path, below)


def _of(here: Shape, choices: Choices, path: str, given: BaseModel | None = None) -> Any:
    if here.kind == "value":
        return here.example
    if here.kind == "list" and here.item is not None:
        return [_of(here.item, choices, path)]
    if here.kind == "map" and here.item is not None and here.key is not None:
        free_form = here.item.kind == "value" and here.item.annotation is Any
        return {} if free_form else {str(here.key.example): _of(here.item, choices, path)}
    section = chosen(here, choices, path)
    same = given if isinstance(given, section) else None
    return {place.key: _value(place, choices) for place in _keys(section, path, same)}


def everything(choices: Choices | None = None) -> dict[str, Any]:
    """Plain data of an environment that gives every key of the chosen variants a value."""
    return {place.key: _value(place, choices or {}) for place in _keys(Environment, "")}


def comment(text: str, indent: int) -> list[str]:
    """A description as comment lines."""
    lines = textwrap.wrap(" ".join(text.split()), _WIDTH - indent, break_on_hyphens=False)
    return [f"{' ' * indent}# {line}" for line in lines]


def _off(lines: list[str], indent: int) -> list[str]:
    """Lines commented out as a block."""
    return [f"{' ' * indent}# {line[indent:]}" for line in lines]


def _data_lines(name: str, value: Any, indent: int) -> list[str]:
    """A key with plain data as YAML."""
    text = dump({name: value})
    return [f"{' ' * indent}{line}" for line in text.splitlines()]


def _block(place: _Place, choices: Choices, indent: int, *, off: bool) -> list[str]:
    """A key and what is below it. `off`: the block is commented out as a whole later."""
    here, pad = place.shape, " " * indent
    name = f"{PROJECT}:{place.key}" if place.section is Environment else place.key
    if here.kind in ("section", "variants"):
        section = chosen(here, choices, place.path)
        same = place.default if isinstance(place.default, section) else None
        return [f"{pad}{name}:", *_lines(section, place.path, choices, indent + 2, same, off=off)]
    if here.kind == "map" and here.item is not None and here.item.kind == "section" and here.key is not None:
        below = _lines(here.item.sections[0], place.path, choices, indent + 4, None, off=off)
        return [f"{pad}{name}:", f"{pad}  {here.key.example}:", *below]
    return _data_lines(name, _value(place, choices), indent)


def _lines(
    section: type[BaseModel], path: str, choices: Choices, indent: int, given: BaseModel | None, *, off: bool
) -> Iterator[str]:
    """Every key of a section, description first."""
    for place in _keys(section, path, given):
        yield from comment(shape.meaning(section, place.key), indent)
        block = _block(place, choices, indent, off=off)
        empty = len(block) > 1 and all(line.lstrip().startswith("#") for line in block[1:])
        if not off and (place.absent or empty):
            block = _off(_block(place, choices, indent, off=True), indent)
        yield from block
        if place.shape.kind == "variants":
            yield from _other_variants(place, choices, indent, off=off)


def _other_variants(place: _Place, choices: Choices, indent: int, *, off: bool) -> Iterator[str]:
    here = place.shape
    for option in here.sections:
        if option is chosen(here, choices, place.path):
            continue
        tag = shape.tag(option, here.discriminator)
        yield from comment(f"Instead, with {here.discriminator} {tag}: {option.__doc__ or ''}", indent)
        block = _block(place, {**choices, place.path: tag}, indent, off=True)
        yield from block if off else _off(block, indent)


def _secrets() -> Iterator[str]:
    names = {
        "kubeconfigs": (CONTROL_PLANE, "example"),
        "clusterTokens": ("example",),
        "objectStore": OBJECT_STORE_KEYS,
    }
    for key, description in SECRET_KEYS.items():
        yield from comment(f"{description} Each is written by", 2)
        yield f"  # {encrypt_command((key, names[key][0]))}"
        block = [f"  {PROJECT}:{key}:"]
        for name in names[key]:
            block += [f"    {name}:", f"      secure: {_PLACEHOLDER}"]
        yield from block if key == "kubeconfigs" else _off(block, 2)


def example_stack() -> str:
    """Text of a stack file with every key."""
    head = [
        MODELINE,
        "# Every setting there is, generated by `bin/madeploy schema`. Copy from it; `bin/madeploy init`",
        "# writes a stack file with only what an environment needs.",
        "config:",
    ]
    lines = _lines(Environment, "", {}, 2, None, off=False)
    return "\n".join([*head, *lines, *_secrets()]) + "\n"
