"""Effects of a setting, found by changing it: objects of two environments that differ in that setting only,
compared field by field."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping, Sequence
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


def _put_in_copy(data: Any, path: tuple[str, ...], value: Any) -> Any:
    """The data with another value at one place; what is not on the way there is shared."""
    if not path:
        return value
    step, *rest = path
    below = tuple(rest)
    if isinstance(data, list):
        return [_put_in_copy(data[0], below, value), *data[1:]]
    key = next(iter(data)) if step == "<name>" else step
    return {**data, key: _put_in_copy(data[key] if below else None, below, value)}


def _has(data: Any, path: tuple[str, ...]) -> bool:
    try:
        _at(data, path)
    except (KeyError, TypeError):
        return False
    return True


@dataclass(frozen=True)
class Value:
    """One key whose value is changed: `path` steps into maps with `<name>`, into lists with `[]`."""

    path: tuple[str, ...]
    shape: Shape

    def others(self, data: Data) -> list[Any]:
        """Values that may be accepted in place of the one that it has, the likeliest first."""
        now = _at(data, self.path)
        return [other for other in (*_other_values(self.shape, now), None) if other != now]

    @property
    def is_plain(self) -> bool:
        """Whether another text or number stands in the same places. Switches, lists and maps may bring
        others."""
        here = self.shape
        return here.kind == "value" and here.annotation is not bool and not shape.choices(here.annotation)

    @property
    def is_free_text(self) -> bool:
        """Whether one text means as much as another."""
        return self.shape.annotation is str


@dataclass
class _Search:
    """What is known of values' effects so far."""

    found: dict[Effect, str]
    trials: dict[tuple[str, ...], list[int]]
    """Of each key, which of its other values are worth a try in further contexts: the one with an effect,
    else those that are accepted; of free text the first of them, and none at all."""

    def look(self, value: Value, condition: str, base: Data, before: Objects) -> None:
        """Try other values of one key until one has an effect."""
        accepted = []
        for index, other in enumerate(value.others(base)):
            if index not in self.trials.get(value.path, (index,)):
                continue
            effects = _effects(_put_in_copy(base, value.path, other), before)
            if effects:
                for effect in effects:
                    self.found.setdefault(effect, condition)
                accepted = [index]
                break
            if effects is not None:
                accepted.append(index)
        if value.is_free_text:
            accepted = [*accepted[:1], *accepted[1:][-1:]]
        self.trials.setdefault(value.path, accepted)

    def look_at_all(self, values: Sequence[Value], condition: str, base: Data, before: Objects) -> None:
        """Change all keys at once, and go on with each half where that has an effect that is not known yet,
        or is not accepted."""
        if len(values) == 1:
            self.look(values[0], condition, base, before)
        elif values and self._is_news(values, base, before):
            half = len(values) // 2
            self.look_at_all(values[:half], condition, base, before)
            self.look_at_all(values[half:], condition, base, before)

    def _is_news(self, values: Sequence[Value], base: Data, before: Objects) -> bool:
        for number in range(max(len(self.trials[value.path]) for value in values)):
            changed = base
            for value in values:
                for index in self.trials[value.path][number : number + 1]:
                    changed = _put_in_copy(changed, value.path, value.others(base)[index])
            effects = _effects(changed, before)
            if effects is None or not effects <= self.found.keys():
                return True
        return False


def _effects(changed: Data, before: Objects) -> set[Effect] | None:
    """Effects of changed settings; None where they are not accepted."""
    try:
        return between(before, rendered(_environment(changed)))
    except ValidationError:
        return None


def of_values(values: Sequence[Value], choices: Mapping[str, str]) -> dict[Effect, str]:
    """Fields that follow any of these keys, each with the condition under which it does; empty when it always
    does. `choices` are the variants that the keys stand in.

    Where everything is as in the plain example they are changed one by one; elsewhere texts and numbers
    together first, as most of what other settings change adds nothing.
    """
    search = _Search({}, {})
    for condition, base, before in _rendered_contexts(frozenset(choices.items())):
        here = [
            value
            for value in values
            if _has(base, value.path) and not condition.startswith(f"{'.'.join(value.path)} is ")
        ]
        together = [value for value in here if value.path in search.trials and value.is_plain]
        for value in here:
            if value not in together:
                search.look(value, condition, base, before)
        search.look_at_all(together, condition, base, before)
    return search.found
