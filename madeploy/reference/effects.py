"""Effects of a setting, found by changing it: objects of two environments that differ in that setting only,
compared field by field."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pydantic import ValidationError

from madeploy.plan.changes import Identity, Objects, indexed
from madeploy.plan.differences import differences
from madeploy.reference.example import everything
from madeploy.settings import shape
from madeploy.settings.environment import Environment
from madeploy.settings.shape import Shape

Data = dict[str, Any]
WHOLE = "the whole object"
"""Stands for a field where an object comes or goes."""


@dataclass(frozen=True, order=True)
class Effect:
    """One field of one object that follows a setting."""

    object: Identity
    field: str


def _environment(data: Mapping[str, Any]) -> Environment:
    return Environment.model_validate_json(json.dumps(data), strict=True, by_alias=True, by_name=False)


def rendered(environment: Environment) -> Objects:
    """Every object of every cluster by its identity."""
    from manifests.catalog import placed

    return indexed(placed(environment))


def between(old: Objects, new: Objects) -> set[Effect]:
    """Every field of every object in which two rendered environments differ."""
    found: set[Effect] = set()
    for identity in {*old, *new}:
        if identity not in old or identity not in new:
            found.add(Effect(identity, WHOLE))
            continue
        changed = differences(old[identity], new[identity])
        found |= {Effect(identity, difference.dotted or WHOLE) for difference in changed}
    return found


def _other_values(here: Shape, value: Any) -> Iterator[Any]:
    """Values that may be accepted in place of one, the likeliest first."""
    if here.kind == "list" and isinstance(value, list):
        yield value + [other for item in value[:1] for other in _other_values(here.item or here, item)][:1]
        yield []
    elif here.kind == "map" and isinstance(value, dict):
        yield {
            name: other
            for name, item in value.items()
            for other in list(_other_values(here.item or here, item))[:1]
        }
        yield {}
    elif isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield from (value + 1, value - 1)
    elif isinstance(value, str):
        yield from (choice for choice in shape.choices(here.annotation) if choice != value)
        yield from (here.example, f"other-{value}", f"{value}-other", value.replace("example", "other"))
        for old, new in (
            ("1", "3"),
            ("0", "1"),
            ("west", "north"),
            ("G", "T"),
            ("https://", "https://other."),
        ):
            yield value.replace(old, new, 1)


def _at(data: Any, path: tuple[str, ...]) -> Any:
    for step in path:
        data = data[0] if step == "[]" else next(iter(data.values())) if step == "<name>" else data[step]
    return data


def _put(data: Any, path: tuple[str, ...], value: Any) -> None:
    last = path[-1]
    holder = _at(data, path[:-1])
    if last == "[]":
        holder[0] = value
    else:
        holder[last] = value


def _contexts(choices: Mapping[str, str]) -> Iterator[tuple[str, Data]]:
    """Example environments to look from: the plain one, then one for each switch, choice and variant
    that is set otherwise, with the condition in words. What one setting does may depend on another."""
    base = everything(choices)
    yield "", base
    for path, section, key in shape.walk(Environment):
        here = shape.field_shape(section, key)
        dotted = ".".join(path)
        if here.kind == "variants" and not any(step.startswith("<") for step in path):
            for option in here.sections:
                tag = shape.tag(option, here.discriminator)
                if choices.get(dotted, shape.tag(here.sections[0], here.discriminator)) != tag:
                    yield f"{dotted} is {tag}", everything({**choices, dotted: tag})
        elif here.kind == "value" and (here.annotation is bool or len(shape.choices(here.annotation)) > 1):
            yield from _switched(base, path, here)


@lru_cache(maxsize=8)
def _rendered_contexts(choices: frozenset[tuple[str, str]]) -> list[tuple[str, Data, Objects]]:
    """Contexts that are accepted, each rendered once."""
    found = []
    for condition, base in _contexts(dict(choices)):
        try:
            found.append((condition, base, rendered(_environment(base))))
        except ValidationError:
            continue
    return found


def _switched(base: Data, path: tuple[str, ...], here: Shape) -> Iterator[tuple[str, Data]]:
    plain = tuple(step for step in path if "=" not in step)
    try:
        value = _at(base, plain)
    except (KeyError, TypeError):
        return  # It stands in a variant that is not chosen.
    for other in (True, False) if here.annotation is bool else shape.choices(here.annotation):
        if other != value:
            changed = copy.deepcopy(base)
            _put(changed, plain, other)
            shown = json.dumps(other) if isinstance(other, bool) else other
            yield f"{'.'.join(plain)} is {shown}", changed


def _changed(base: Data, path: tuple[str, ...], here: Shape) -> Iterator[Environment]:
    """The environment with other values of one key, those that are accepted."""
    value = _at(base, path)
    for other in (*_other_values(here, value), None):
        changed = copy.deepcopy(base)
        _put(changed, path, other)
        if other != value:
            try:
                yield _environment(changed)
            except ValidationError:
                continue


def of_value(path: tuple[str, ...], here: Shape, choices: Mapping[str, str]) -> dict[Effect, str]:
    """Fields that follow one key, each with the condition under which it does; empty when it always does.

    `path` steps into maps with `<name>`, into lists with `[]`; `choices` are the variants it stands in.
    """
    found: dict[Effect, str] = {}
    for condition, base, before in _rendered_contexts(frozenset(choices.items())):
        try:
            _at(base, path)
        except (KeyError, TypeError):
            continue
        if condition.startswith(f"{'.'.join(path)} is "):
            continue
        for after in _changed(base, path, here):
            effects = between(before, rendered(after))
            for effect in effects:
                found.setdefault(effect, condition)
            if effects:
                break
    return found
