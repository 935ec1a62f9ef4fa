"""Where a setting ends up, found out by changing it: the objects of two environments that differ in that
setting only are compared field by field."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import yaml
from pydantic import ValidationError

from madeploy.settings import shape
from madeploy.settings.environment import Environment
from madeploy.settings.example import everything
from madeploy.settings.shape import Shape

Data = dict[str, Any]
Identity = tuple[str, str, str, str]
"""Cluster, kind, namespace (empty when cluster-scoped) and name of an object."""


@dataclass(frozen=True, order=True)
class Effect:
    """One field of one object that follows a setting."""

    cluster: str
    kind: str
    namespace: str
    name: str
    field: str

    @property
    def object(self) -> str:
        """The object as `kind namespace/name`."""
        return f"{self.kind} {f'{self.namespace}/' if self.namespace else ''}{self.name}"


def _environment(data: Mapping[str, Any]) -> Environment:
    return Environment.model_validate_json(json.dumps(data), strict=True, by_alias=True, by_name=False)


def rendered(environment: Environment) -> dict[Identity, Data]:
    """Every object of every cluster by its identity."""
    from manifests.catalog import targets

    found: dict[Identity, Data] = {}
    for target in targets(environment):
        for bundle in target.bundles:
            for item in bundle.objects:
                meta = item["metadata"]
                name = meta.get("name") or meta.get("generateName", "")
                found[target.cluster, item["kind"], meta.get("namespace", ""), name] = item
    return found


def _opened(value: Any) -> Any:
    """A file inside a ConfigMap or Secret as data, where it is YAML or JSON."""
    if isinstance(value, str) and "\n" in value:
        try:
            data = yaml.load(value, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        except yaml.YAMLError:
            return value
        return data if isinstance(data, (dict, list)) else value
    return value


def differences(before: Any, after: Any, path: str = "") -> Iterator[str]:
    """Paths of the fields in which two values differ; a field that only one has is one of them."""
    before, after = _opened(before), _opened(after)
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys((*before, *after)):
            step = f'["{key}"]' if "." in str(key) or "/" in str(key) else f".{key}"
            yield from differences(before.get(key), after.get(key), f"{path}{step}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from differences(old, new, f"{path}[{index}]")
    else:
        yield path.lstrip(".") or "the whole object"


def between(old: Mapping[Identity, Data], new: Mapping[Identity, Data]) -> set[Effect]:
    """Every field of every object in which two rendered environments differ."""
    found: set[Effect] = set()
    for identity in {*old, *new}:
        if identity not in old or identity not in new:
            found.add(Effect(*identity, "the whole object"))
            continue
        found |= {Effect(*identity, path) for path in differences(old[identity], new[identity])}
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
def _rendered_contexts(choices: frozenset[tuple[str, str]]) -> list[tuple[str, Data, dict[Identity, Data]]]:
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
