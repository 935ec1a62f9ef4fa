"""Validation errors as findings: the place in the file, what was written, what is accepted."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from madeploy.documents.paths import Path
from madeploy.documents.source import Source
from madeploy.documents.words import did_you_mean, near, printable, type_name
from madeploy.findings import Finding, find
from madeploy.names.configuration import subject
from madeploy.settings import shape
from madeploy.settings.base import Section
from madeploy.settings.shape import Shape

_TYPE_ERRORS = frozenset(
    {"model_type", "dict_type", "mapping_type", "tuple_type", "string_type", "int_type", "bool_type",
     "int_from_float", "model_attributes_type"}
)  # fmt: skip


@dataclass(frozen=True)
class _Place:
    path: Path
    shape: Shape | None
    """Shape of the value at the path; None for a key that is unknown."""

    parent: type[BaseModel] | None
    variants: Shape | None
    """The variants that `parent` is one of."""

    is_key: bool


def _resolve(root: type[BaseModel], loc: Sequence[int | str]) -> _Place:
    """A validator's location as a path in the file: the names of variants are no part of that."""
    here: Shape | None = Shape("section", (root,))  # type: ignore[arg-type]
    path: list[int | str] = []
    parent: type[BaseModel] | None = None
    variants: Shape | None = None
    pending: Shape | None = None
    keys: Shape | None = None
    is_key = False
    for step in loc:
        if here is None:
            path.append(step)
        elif step == "[key]" and keys is not None:
            is_key, here = True, keys
        elif here.kind == "variants":
            chosen = shape.variant(here, step)
            pending, here = here, Shape("section", (chosen,) if chosen else ())
        elif here.kind == "section":
            parent, variants, pending = here.sections[0], pending, None
            path.append(step)
            here = shape.field_shape(parent, str(step)) if step in shape.fields(parent) else None
        else:
            path.append(step)
            keys, here = here.key, here.item
    return _Place(tuple(path), here, parent, variants, is_key)


def _plain(text: str) -> str:
    """First sentence of a description, on one line."""
    return text.replace("\n", " ").split(". ")[0].rstrip(".")


def _unknown(place: _Place, source: Source) -> Finding:
    key = str(place.path[-1])
    assert place.parent is not None
    accepted = list(shape.fields(place.parent))
    where = source.at(place.path, key=True)
    parent = subject(place.path[:-1])
    if place.variants is not None:
        chooser = place.variants.discriminator
        chosen = shape.tag(place.parent, chooser)
        owners = [
            shape.tag(option, chooser) for option in place.variants.sections if key in shape.fields(option)
        ]
        if owners:
            return find(
                "MA116",
                subject(place.path),
                f"{printable(key)} belongs to {chooser} {' and '.join(owners)}; this is {chooser} {chosen}",
                accepted=", ".join(accepted),
                fix=f"Remove it, or set {chooser}: {owners[0]}.",
                location=where,
            )
    hint = place.parent.elsewhere.get(key, "") if issubclass(place.parent, Section) else ""
    described = f"`bin/madeploy explain {explain_key(place.path[:-1])}` describes them."
    return find(
        "MA110",
        subject(place.path),
        f"{printable(key)} is no setting of {parent}",
        accepted=", ".join(accepted),
        fix=hint or did_you_mean(key, _free(place, source)) + described,
        location=where,
    )


def _free(place: _Place, source: Source) -> list[str]:
    """Keys of the section that are not given yet: what a misspelt one may stand for."""
    assert place.parent is not None
    _, node = source.node(place.path[:-1])
    given = node.value if node is not None and node.kind == "mapping" else {}
    return [key for key in shape.fields(place.parent) if key not in given]


def explain_key(path: Path) -> str:
    """A path as `explain` takes it: list positions and cluster names have no place in it."""
    steps = [str(step) for step in path if isinstance(step, str)]
    if len(steps) > 1 and steps[0] == "clusters":
        steps[1] = "NAME"
    return ".".join(steps)


def _missing(place: _Place, source: Source) -> Finding:
    assert place.parent is not None
    key = str(place.path[-1])
    about = _plain(shape.meaning(place.parent, key))
    accepted = place.shape.accepts if place.shape is not None else ""
    named = key if len(place.path) > 1 else subject(place.path)
    return find(
        "MA111",
        subject(place.path),
        f"{key} is missing: {about}" if about else f"{key} is missing",
        accepted=accepted,
        fix=f"Add `{named}:`; `bin/madeploy explain {explain_key(place.path)}` describes it.",
        location=source.at(place.path[:-1]),
    )


def _wrong_type(place: _Place, value: Any, source: Source) -> Finding:
    here = place.shape
    assert here is not None
    accepted = here.accepts
    if here.kind in ("section", "variants"):
        keys = dict.fromkeys(key for section in here.sections for key in shape.fields(section))
        accepted = "a mapping with the keys " + ", ".join(keys)
    fix = ""
    if value is None:
        fix = "Write the value after the colon, or remove the key to get its default."
    elif here.annotation is str and isinstance(value, (bool, int, float)):
        fix = "Put it in quotes, so that it stays text."
    elif here.annotation is int and isinstance(value, str) and value.strip().isdigit():
        fix = "Write the number without quotes."
    elif here.annotation is bool:
        fix = "Write true or false, without quotes."
    elif here.kind == "list":
        fix = "Write a list: each item on a line of its own, after `- `."
    elif here.kind != "value":
        fix = "Write its keys below it, each on a line of its own and indented."
    return find(
        "MA112",
        subject(place.path),
        f"holds {type_name(value)}",
        accepted=accepted,
        fix=fix,
        location=source.at(place.path),
    )


def _misspelt_discriminator(here: Shape, given: Any) -> str | None:
    """The key of a mapping that stands for the discriminator it lacks: of those that no variant has."""
    if not isinstance(given, dict):
        return None
    known = {key for section in here.sections for key in shape.fields(section)}
    unknown = [str(key) for key in given if key not in known]
    tags = {shape.tag(option, here.discriminator) for option in here.sections}
    spelt = [key for key in unknown if near(key, (here.discriminator,)) is not None]
    if spelt:
        return max(spelt, key=lambda key: difflib.SequenceMatcher(None, key, here.discriminator).ratio())
    # One that is beyond recognition, but has what only the discriminator can have.
    chosen = [key for key in unknown if isinstance(given[key], str) and given[key] in tags]
    return chosen[0] if len(chosen) == 1 else None


def _variant(error: Any, place: _Place, source: Source) -> Finding:
    here = place.shape
    assert here is not None
    tags = [str(shape.tag(option, here.discriminator)) for option in here.sections]
    path = (*place.path, here.discriminator)
    if error["type"] == "union_tag_not_found":
        misspelt = _misspelt_discriminator(here, error["input"])
        if misspelt is not None:
            source.hide_at((*place.path, misspelt))
            return find(
                "MA115",
                subject((*place.path, misspelt)),
                f"{printable(misspelt)} is no setting of {subject(place.path)}, and {here.discriminator}, "
                "which chooses the variant, is missing",
                accepted=f"{here.discriminator}: {', '.join(tags)}",
                fix=f'Did you mean "{here.discriminator}"? Write `{here.discriminator}:` with one of them.',
                location=source.at((*place.path, misspelt), key=True),
            )
        return find(
            "MA115",
            subject(place.path),
            f"{here.discriminator} is missing, which chooses the variant",
            accepted=", ".join(tags),
            fix=f"Add `{here.discriminator}:` with one of them.",
            location=source.at(place.path),
        )
    return find(
        "MA115",
        subject(path),
        "is none of the accepted values",
        accepted=", ".join(tags),
        fix=(did_you_mean(str(error["ctx"]["tag"]), tags) + "Write one of the accepted values."),
        location=source.at(path),
    )


def _value(error: Any, place: _Place, source: Source) -> Finding:
    here = place.shape
    accepted = here.accepts if here is not None else ""
    kind, context = error["type"], error.get("ctx", {})
    value = error["input"]
    code, fix = "MA113", ""
    if kind == "value_error":
        evidence = printable(str(context["error"]))
    elif kind == "literal_error":
        options = [str(choice) for choice in shape.choices(here.annotation)] if here is not None else []
        code, evidence = "MA114", "is none of the accepted values"
        if not isinstance(value, str) and str(value) in options:
            fix = "Put it in quotes, so that it stays text. "
        else:
            fix = did_you_mean(str(value), options) if isinstance(value, str) else ""
        fix = fix + "Write one of the accepted values." if fix else ""
    elif kind == "string_too_long":
        evidence = f"is {len(value):,} characters long; at most {context['max_length']:,} are possible"
    elif kind == "string_too_short":
        evidence = "is empty" if not value else f"is {len(value)} characters long, which is too short"
    elif kind in ("greater_than_equal", "less_than_equal"):
        limit = context.get("ge", context.get("le"))
        evidence = f"is {'below' if kind.startswith('greater') else 'above'} the limit of {limit:,}"
    else:
        evidence = "the name is not accepted" if place.is_key else "is not of the accepted form"
    return find(
        code,
        subject(place.path),
        evidence,
        accepted=accepted,
        fix=fix,
        location=source.at(place.path, key=place.is_key),
    )


def paths(error: ValidationError, root: type[BaseModel]) -> Iterator[tuple[str, Path]]:
    """Kind and path of every error of a validation."""
    for item in error.errors(include_url=False, include_input=False, include_context=False):
        yield item["type"], _resolve(root, item["loc"]).path


def findings(
    error: ValidationError, root: type[BaseModel], source: Source, encrypted: Sequence[Path] = ()
) -> Iterator[Finding]:
    """Every error of a validation as a finding. Values at the `encrypted` paths are what no setting may
    hold; whatever else is wrong there follows from that."""
    for path in encrypted:
        yield find("MA117", subject(path), "holds an encrypted value", location=source.at(path))
    errors = [(item, _resolve(root, item["loc"])) for item in error.errors(include_url=False)]
    misspelt = {
        (*place.path[:-1], near(str(place.path[-1]), _free(place, source)))
        for item, place in errors
        if item["type"] == "extra_forbidden" and place.parent is not None
    }
    for item, place in errors:
        if item["type"] == "extra_forbidden":
            source.hide_at(place.path)
    for item, place in errors:
        if any(place.path[: len(path)] == path for path in encrypted):
            continue
        if item["type"] == "missing" and place.path in misspelt:
            continue  # It is there under a misspelt name, which is said already.
        kind = item["type"]
        if kind == "extra_forbidden":
            yield _unknown(place, source)
        elif kind == "missing":
            yield _missing(place, source)
        elif kind in ("union_tag_not_found", "union_tag_invalid"):
            yield _variant(item, place, source)
        elif kind in _TYPE_ERRORS or place.shape is None:
            yield _wrong_type(place, item["input"], source)
        else:
            yield _value(item, place, source)
