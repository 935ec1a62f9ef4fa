"""Description of a key of the settings: meaning, accepted values, default, effects."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from madeploy.reference.configuration import accepted_text, default_text
from madeploy.settings import shape
from madeploy.settings.environment import PROJECT, SECRET_KEYS, Environment
from madeploy.settings.shape import Shape


@dataclass(frozen=True)
class Match:
    """A key as it stands in one variant of its sections."""

    path: tuple[str, ...]
    """Steps from the top; `<name>` into a map, `[]` into a list."""

    section: type[BaseModel]
    choices: Mapping[str, str]
    """Variants on the way, by dotted path."""

    @property
    def shape(self) -> Shape:
        return shape.field_shape(self.section, self.path[-1])

    @property
    def dotted(self) -> str:
        return ".".join(self.path).replace(".[]", "[]")


_SLOW = 15
"""More keys than this take seconds to try."""


def steps_of(key: str) -> list[str]:
    """A key as a person writes it, as steps: `michelangelo:cors.additionalOrigins[0]`, quotes allowed."""
    bare = key.removeprefix(f"{PROJECT}:")
    return [step for step in re.split(r"\[\d*\]|\[\"|\"\]|\.", bare) if step]


def every(
    section: type[BaseModel] = Environment,
    path: tuple[str, ...] = (),
    choices: Mapping[str, str] | None = None,
) -> Iterator[Match]:
    """Every key there is, in every variant."""
    chosen = choices or {}
    for key in shape.fields(section):
        here = (*path, key)
        yield Match(here, section, chosen)
        yield from _below(shape.field_shape(section, key), here, chosen)


def _below(found: Shape, path: tuple[str, ...], choices: Mapping[str, str]) -> Iterator[Match]:
    if found.kind == "section":
        yield from every(found.sections[0], path, choices)
    elif found.kind == "variants":
        for option in found.sections:
            tag = shape.tag(option, found.discriminator)
            yield from every(option, path, {**choices, ".".join(path): tag})
    elif found.item is not None:
        yield from _below(found.item, (*path, "<name>" if found.kind == "map" else "[]"), choices)


def find_key(key: str) -> list[Match]:
    """Every place a key stands for: several when it stands in several variants. Names in a map match
    any name, positions in a list may be left out."""
    wanted = steps_of(key)

    def fits(match: Match) -> bool:
        steps = [step for step in match.path if step != "[]"]
        return len(steps) == len(wanted) and all(
            step in ("<name>", given) for step, given in zip(steps, wanted, strict=True)
        )

    return [match for match in every() if fits(match)]


def _inner(match: Match) -> list[Match]:
    """The values below a key, or the key itself when it is a value."""
    found = match.shape
    below = list(_below(found, match.path, match.choices))
    return [inner for inner in below if inner.shape.kind in ("value", "list", "map")] or [match]


def effects(matches: list[Match]) -> list[dict[str, str]]:
    """Objects and fields that follow a key, and the condition where there is one."""
    from madeploy.reference.effects import Value, of_values

    every = [inner for match in matches for inner in _inner(match)]
    if len(every) > _SLOW and sys.stderr.isatty():
        print(f"changing {len(every)} keys …", file=sys.stderr)  # noqa: T201
    by_choices: dict[tuple[tuple[str, str], ...], list[Value]] = {}
    for inner in every:
        if inner.shape.kind != "value" or len(shape.choices(inner.shape.annotation)) != 1:
            same = by_choices.setdefault(tuple(sorted(inner.choices.items())), [])
            same.append(Value(inner.path, inner.shape))
    found: dict[Any, str] = {}
    for choices, values in by_choices.items():
        for effect, condition in of_values(values, dict(choices)).items():
            if effect not in found or not condition:
                found[effect] = condition
    return [
        {"cluster": item.object.cluster, "object": str(item.object), "field": item.field, "when": found[item]}
        for item in sorted(found)
    ]


def _description(match: Match) -> str:
    return " ".join(shape.meaning(match.section, match.path[-1]).split())


def where(choices: Mapping[str, str]) -> str:
    return ", ".join(f"{path} is {tag}" for path, tag in choices.items())


def _told(matches: list[Match]) -> str:
    """What a key means; for each variant that has it, where they differ."""
    by_text: dict[str, list[str]] = {}
    for match in matches:
        by_text.setdefault(_description(match), []).append(where(match.choices))
    if len(by_text) == 1:
        return next(iter(by_text))
    return "\n".join(f"Where {' or '.join(where)}: {text}" for text, where in by_text.items())


def describe(matches: list[Match]) -> dict[str, Any]:
    first = matches[0]
    return {
        "key": f"{PROJECT}:{first.dotted}",
        "variants": [dict(match.choices) for match in matches if match.choices],
        "accepted": accepted_text(first.shape),
        "default": default_text(first.section, first.path[-1]).strip("`"),
        "description": _told(matches),
        "keys": sorted({key for section in first.shape.sections for key in shape.fields(section)}),
        "endsUpIn": effects(matches),
    }


def describe_secret(key: str) -> dict[str, Any]:
    name = steps_of(key)[0]
    return {
        "key": f"{PROJECT}:{name}",
        "variants": [],
        "accepted": "a mapping from names to encrypted values, as `pulumi config set --secret --path` writes",
        "default": "none",
        "description": SECRET_KEYS[name],
        "keys": [],
        "endsUpIn": [],
    }
