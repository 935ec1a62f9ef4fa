"""JSON Schema of a whole stack file, generated from the models: what editors complete and check by.

Draft 7, which every YAML language server reads. It is less strict than `madeploy validate`: rules
between sections and checks in code (hosts, networks) cannot be said in it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from madeploy.names.configuration import OBJECT_STORE_KEYS
from madeploy.releases import RELEASES, SERVICES
from madeploy.releases.keys import Key
from madeploy.schemas import service_keys
from madeploy.settings import shape
from madeploy.settings.environment import PROJECT, SECRET_KEYS, Environment
from madeploy.settings.shape import Shape

Schema = dict[str, Any]

_ENCRYPTED: Schema = {
    "type": "object",
    "description": "An encrypted value. Written by `pulumi config set --secret --path`, never by hand.",
    "properties": {"secure": {"type": "string", "minLength": 1}},
    "required": ["secure"],
    "additionalProperties": False,
}

_PULUMI: Schema = {
    "encryptionsalt": {"type": "string", "description": "Pulumi's, for passphrase encryption."},
    "encryptedkey": {"type": "string", "description": "Pulumi's, the data key encrypted by a key service."},
    "secretsprovider": {
        "type": "string",
        "description": "Pulumi's, who encrypts: `awskms://…`, `passphrase`.",
    },
    "environment": {"description": "Pulumi's, imported ESC environments.", "type": ["array", "object"]},
}


def _sections(section: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """A section and every section below it."""
    yield section
    for key in shape.fields(section):
        yield from _below(shape.field_shape(section, key))


def _below(here: Shape) -> Iterator[type[BaseModel]]:
    for section in here.sections:
        yield from _sections(section)
    if here.item is not None:
        yield from _below(here.item)


def _describe(definitions: Mapping[str, Schema]) -> None:
    """Describe every property and what it accepts, and drop titles, which repeat the keys."""
    accepted = {section.__name__: section for section in _sections(Environment)}
    for name, definition in definitions.items():
        definition.pop("title", None)
        section = accepted.get(name)
        for key, value in definition.get("properties", {}).items():
            value.pop("title", None)
            _drop_discriminators(value)
            if section is None:
                continue
            here = shape.field_shape(section, key)
            for option in here.sections if here.kind == "variants" else ():
                required = definitions[option.__name__].setdefault("required", [])
                if here.discriminator not in required:
                    required.append(here.discriminator)
            words = here.accepts and f"Accepted: {here.accepts}"
            value["description"] = "\n\n".join(filter(None, (shape.meaning(section, key), words)))


def _drop_discriminators(value: Any) -> None:
    """Take out `discriminator`, which is OpenAPI's and unknown to JSON Schema."""
    if isinstance(value, dict):
        value.pop("discriminator", None)
        for item in value.values():
            _drop_discriminators(item)
    elif isinstance(value, list):
        for item in value:
            _drop_discriminators(item)


def _key(key: Key) -> Schema:
    described = f"{key.meaning[0].upper()}{key.meaning[1:]}.\n\nAccepted: {service_keys.accepted(key.type)}"
    return service_keys.shape(key.type) | {"description": described}


def _overrides(service: str) -> Schema:
    """Schema of one service's `config`: the keys of every release that an override may give."""
    root: Schema = {"type": "object", "additionalProperties": False, "properties": {}}
    for release in RELEASES.values():
        for dotted, key in release.keys[service].items():
            if key.owner or key.secret:
                continue
            *groups, last = dotted.split(".")
            level = root
            for group in groups:
                level = level["properties"].setdefault(
                    group, {"type": "object", "additionalProperties": False, "properties": {}}
                )
            level["properties"][last] = _key(key)
    return root


def _put_overrides(definitions: dict[str, Schema]) -> None:
    """Give each service's `config` its own schema; services that share a class get a class each."""
    control_plane = definitions["ControlPlane"]["properties"]
    replaced: set[str] = set()
    for service in SERVICES:
        reference = control_plane[service]["$ref"].rsplit("/", 1)[-1]
        copy = {**definitions[reference], "properties": dict(definitions[reference]["properties"])}
        config = copy["properties"]["config"]
        copy["properties"]["config"] = _overrides(service) | {"description": config["description"]}
        name = f"{reference}.{service}" if service.lower() not in reference.lower() else reference
        definitions[name] = copy
        control_plane[service] = {**control_plane[service], "$ref": f"#/$defs/{name}"}
        replaced.add(reference)
    for reference in replaced:
        if f'"#/$defs/{reference}"' not in json.dumps(definitions):
            del definitions[reference]


def _secrets() -> Schema:
    """Schemas of the keys that hold secrets, by section name."""
    stores = {key: {"$ref": "#/$defs/Encrypted"} for key in OBJECT_STORE_KEYS}
    return {
        "kubeconfigs": {"additionalProperties": {"$ref": "#/$defs/Encrypted"}},
        "clusterTokens": {"additionalProperties": {"$ref": "#/$defs/Encrypted"}},
        "objectStore": {"properties": stores, "additionalProperties": False, "required": [*stores]},
    }


def stack_schema() -> Schema:
    """JSON Schema (draft 7) of a stack file: Pulumi's keys, our sections, the keys for secrets."""
    model = Environment.model_json_schema(by_alias=True)
    definitions: dict[str, Schema] = model.pop("$defs")
    _describe({**definitions, "Environment": model})
    _put_overrides(definitions)
    definitions["Encrypted"] = _ENCRYPTED
    sections = {f"{PROJECT}:{name}": value for name, value in model["properties"].items()}
    secrets = {
        f"{PROJECT}:{name}": {"type": "object", "description": description, **_secrets()[name]}
        for name, description in SECRET_KEYS.items()
    }
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Stack file of a Michelangelo environment",
        "type": "object",
        "additionalProperties": False,
        "required": ["config"],
        "properties": {
            "config": {
                "type": "object",
                "description": "Configuration. Keys of other namespaces, such as `aws:region`, are Pulumi's.",
                "properties": {**sections, **secrets},
                "patternProperties": {f"^(?!{PROJECT}:)[^:]+:.+$": {}},
                "additionalProperties": False,
                "required": [f"{PROJECT}:{name}" for name in model["required"]],
            },
            **_PULUMI,
        },
        "$defs": dict(sorted(definitions.items())),
    }
