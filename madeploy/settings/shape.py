"""The shape of the settings, read from the models: what stands where, by the names in the file.

Explaining, checking, generating the schema and comparing environments all walk the same shape, so a
new field needs no line here.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from madeploy.settings.base import Accepts, Section

_BOUNDS = ("ge", "le")
Kind = Literal["section", "variants", "map", "list", "value"]


@dataclass(frozen=True)
class Shape:
    """What a place in the configuration may hold."""

    kind: Kind
    """`section`: fixed keys; `variants`: one of several sections; `map`: free keys; `list`; `value`."""

    sections: tuple[type[Section], ...] = ()
    """The section, or every variant."""

    discriminator: str = ""
    """Key in the file that chooses the variant."""

    item: Shape | None = None
    """Shape of a map's values or a list's items."""

    annotation: Any = None
    """Python type of a value."""

    key: Shape | None = None
    """Shape of a map's keys."""

    accepts: str = ""
    """What is accepted, in words."""

    example: Any = None
    """A value that is accepted."""


def _unwrap(annotation: Any, metadata: tuple[Any, ...] = ()) -> tuple[Any, tuple[Any, ...]]:
    """An annotation without Annotated and without `| None`, and the metadata found on the way."""
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation, *more = get_args(annotation)
            metadata = (*metadata, *more)
        elif origin in (Union, types.UnionType):
            options = [option for option in get_args(annotation) if option is not type(None)]
            if len(options) != 1:
                return annotation, metadata
            annotation = options[0]
        else:
            return annotation, metadata


def of(annotation: Any, metadata: tuple[Any, ...] = ()) -> Shape:
    """Shape of a type as it is written in a model."""
    annotation, metadata = _unwrap(annotation, metadata)
    origin = get_origin(annotation)
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return Shape("section", (annotation,))
    if origin in (Union, types.UnionType):
        variants = get_args(annotation)
        if all(isinstance(option, type) and issubclass(option, Section) for option in variants):
            return Shape("variants", variants, _discriminator(variants, metadata))
    if origin is tuple:
        item = of(get_args(annotation)[0])
        return Shape("list", item=item, accepts="a list, each item on a line of its own after `- `")
    if origin is Mapping or (isinstance(origin, type) and issubclass(origin, Mapping)):
        key, value = get_args(annotation)
        return Shape("map", item=of(value), key=of(key), accepts="a mapping: `key: value` lines")
    words, example = _accepts(annotation, metadata)
    return Shape("value", annotation=annotation, accepts=words, example=example)


def choices(annotation: Any) -> tuple[Any, ...]:
    """The values of a Literal; empty for any other type."""
    return get_args(annotation) if get_origin(annotation) is Literal else ()


def _accepts(annotation: Any, metadata: tuple[Any, ...]) -> tuple[str, Any]:
    """What a value may be, in words and as an example: said by the type, else read off its constraints."""
    flat = [part for item in metadata for part in (item.metadata if isinstance(item, FieldInfo) else [item])]
    said = [item for item in flat if isinstance(item, Accepts)]
    if said:
        return str(said[-1]), said[-1].example
    if choices(annotation):
        return ", ".join(str(choice) for choice in choices(annotation)), choices(annotation)[0]
    bounds = {
        name: getattr(item, name)
        for item in flat
        for name in _BOUNDS
        if getattr(item, name, None) is not None
    }
    if annotation is bool:
        return "true or false", True
    low, high = bounds.get("ge"), bounds.get("le")
    if annotation is int:
        if low is not None and high is not None:
            return f"a whole number from {low:,} to {high:,}", low
        return "a whole number" + (f", at least {low:,}" if low is not None else ""), low or 0
    return "text", "example"


def _discriminator(variants: tuple[type[Section], ...], metadata: tuple[Any, ...]) -> str:
    for item in metadata:
        name = getattr(item, "discriminator", None)
        if isinstance(name, str):
            return alias(variants[0], name)
    raise TypeError(f"a union of sections needs a discriminator: {variants}")


def alias(section: type[BaseModel], name: str) -> str:
    """Key in the file of a model's field."""
    return section.model_fields[name].alias or name


@cache
def fields(section: type[BaseModel]) -> dict[str, tuple[str, FieldInfo]]:
    """Fields of a section by their key in the file: Python name and field. What chooses a variant
    comes first, then the order of the class."""
    found = {info.alias or name: (name, info) for name, info in section.model_fields.items()}
    return dict(sorted(found.items(), key=lambda item: len(choices(item[1][1].annotation)) != 1))


def meaning(section: type[BaseModel], key: str) -> str:
    """What the docstring below a field says; empty if it has none.

    Read when it is asked for: read at import, as pydantic would, it is a quarter of what settings cost every
    command.
    """
    name, _ = fields(section)[key]
    return next((said[name] for owner in section.__mro__ if name in (said := _docstrings(owner))), "")


@cache
def _docstrings(owner: type) -> dict[str, str]:
    if not issubclass(owner, Section):
        return {}
    (body,) = ast.parse(textwrap.dedent(inspect.getsource(owner))).body
    assert isinstance(body, ast.ClassDef)
    return {
        field.target.id: inspect.cleandoc(text.value.value)
        for field, text in pairwise(body.body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }


@cache
def field_shape(section: type[BaseModel], key: str) -> Shape:
    """Shape of a section's field. The annotation's own metadata may have moved to the field."""
    _, info = fields(section)[key]
    metadata = list(info.metadata)
    if info.discriminator:
        metadata.append(info)
    return of(info.annotation, tuple(metadata))


def tag(section: type[BaseModel], discriminator: str) -> str:
    """The value of the discriminator that chooses a variant."""
    _, info = fields(section)[discriminator]
    value: str = get_args(info.annotation)[0]
    return value


def variant(shape: Shape, chosen: Any) -> type[Section] | None:
    """The variant that a value of the discriminator chooses; None when it chooses none."""
    for section in shape.sections:
        if tag(section, shape.discriminator) == chosen:
            return section
    return None


def walk(
    section: type[BaseModel], prefix: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], type, str]]:
    """Every field of a section and of those below: `(path, section it stands in, key)`. Steps into a
    map are written `<name>`, into a list `[]`, into a variant `<key=value>`."""
    for key in fields(section):
        path = (*prefix, key)
        yield path, section, key
        yield from _below(field_shape(section, key), path)


def _below(shape: Shape, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], type, str]]:
    if shape.kind == "section":
        yield from walk(shape.sections[0], path)
    elif shape.kind == "variants":
        for option in shape.sections:
            yield from walk(option, (*path, f"<{shape.discriminator}={tag(option, shape.discriminator)}>"))
    elif shape.kind in ("map", "list") and shape.item is not None:
        yield from _below(shape.item, (*path, "<name>" if shape.kind == "map" else "[]"))
