"""The generated part of `docs/configuration.md`: every key, what it accepts, its default, why."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from madeploy.names.configuration import OBJECT_STORE_KEYS, encrypt_command
from madeploy.releases import RELEASES
from madeploy.schemas import service_keys
from madeploy.settings import shape
from madeploy.settings.environment import PROJECT, SECRET_KEYS, Environment
from madeploy.settings.shape import Shape

_SECRETS_HEAD = """## Secrets

Encrypted values stand under keys of their own, written from standard input, never from an argument:
"""

_OVERRIDES_HEAD = """## Service configuration

`controlPlane.<service>.config` is merged over what the toolkit writes into the service's `base.yaml`. A
service stops at start-up on a key it does not know, so only these are accepted. Keys that another setting
decides are refused, with a pointer to it; secrets are refused everywhere.
"""


def default_text(section: type[BaseModel], key: str) -> str:
    """A field's default in words: `required`, `none`, or the value."""
    _, info = shape.fields(section)[key]
    if info.is_required():
        return "required"
    default: Any = info.get_default(call_default_factory=True)
    if default in (None, (), {}):
        return "none"
    if isinstance(default, BaseModel):
        data = default.model_dump(mode="json", by_alias=True, exclude_none=True)
        return "its keys' defaults" if not shape.fields(type(default)).keys() ^ data.keys() else _code(data)
    return _code(default)


def _code(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"`{text}`"


def _one_line(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def accepted_text(here: Shape) -> str:
    """What a key accepts, in words."""
    if here.kind == "section":
        return "a mapping"
    if here.kind == "variants":
        tags = ", ".join(f"`{shape.tag(option, here.discriminator)}`" for option in here.sections)
        return f"a mapping; `{here.discriminator}` is one of {tags}"
    if here.kind == "list" and here.item is not None:
        return f"a list of: {accepted_text(here.item)}"
    if here.kind == "map" and here.item is not None and here.item.annotation is not Any:
        return f"a mapping from names to: {accepted_text(here.item)}"
    return here.accepts


def _table(section: type[BaseModel]) -> Iterator[str]:
    yield "| Key | Accepted | Default | Meaning |"
    yield "|---|---|---|---|"
    for key in shape.fields(section):
        accepted = _one_line(accepted_text(shape.field_shape(section, key)))
        meaning = _one_line(shape.meaning(section, key))
        yield f"| `{key}` | {accepted} | {_one_line(default_text(section, key))} | {meaning} |"
    yield ""


def _section(path: str, section: type[BaseModel], note: str, depth: int) -> Iterator[str]:
    yield f"{'#' * min(depth, 6)} `{path}`{note}"
    yield ""
    yield " ".join((section.__doc__ or "").split())
    yield ""
    yield from _table(section)
    for key in shape.fields(section):
        yield from _below(f"{path}.{key}", shape.field_shape(section, key), depth + 1)


def _below(path: str, here: Shape, depth: int) -> Iterator[str]:
    if here.kind == "section":
        yield from _section(path, here.sections[0], "", depth)
    elif here.kind == "variants":
        for option in here.sections:
            note = f" with {here.discriminator} `{shape.tag(option, here.discriminator)}`"
            yield from _section(path, option, note, depth)
    elif here.item is not None:
        yield from _below(f"{path}.<name>" if here.kind == "map" else f"{path}[]", here.item, depth)


def _overrides() -> Iterator[str]:
    yield _OVERRIDES_HEAD
    for release in RELEASES.values():
        for service, keys in release.keys.items():
            yield f"### `controlPlane.{service}.config`, release `{release.name}`"
            yield ""
            yield "| Key | Accepted | Meaning |"
            yield "|---|---|---|"
            for name, key in keys.items():
                accepted = service_keys.accepted(key.type)
                if key.secret:
                    accepted = "refused: a secret"
                elif key.owner:
                    accepted = f"refused: decided by {key.owner}"
                yield f"| `{name}` | {_one_line(accepted)} | {_one_line(key.meaning)} |"
            yield ""


def configuration_reference() -> str:
    """What is generated of `docs/configuration.md`."""
    lines: list[str] = []
    for key, (_, _info) in shape.fields(Environment).items():
        lines += _below(f"{PROJECT}:{key}", shape.field_shape(Environment, key), 2)
    lines += _overrides()
    lines.append(_SECRETS_HEAD)
    examples = {
        "kubeconfigs": "control-plane",
        "clusterTokens": "gpu-west",
        "objectStore": OBJECT_STORE_KEYS[0],
    }
    for key, description in SECRET_KEYS.items():
        lines += [f"`{PROJECT}:{key}`: {description}", ""]
        lines += ["```sh", encrypt_command((key, examples[key])), "```", ""]
    return "\n".join(lines).rstrip() + "\n"
