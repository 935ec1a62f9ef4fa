"""Manifests of `Model`, `InferenceServer` and `Revision` checked before anybody applies them (requirement
MR-9)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError

from madeploy.documents.nodes import Node, UnreadableError, compose_all
from madeploy.documents.paths import Path
from madeploy.documents.problems import Problem
from madeploy.documents.source import Source
from madeploy.documents.words import did_you_mean, printable, type_name
from madeploy.findings import Finding, Location, find
from madeploy.names.kubernetes import API_GROUP, API_VERSION, PLURALS
from madeploy.registry.document import Document, child, scalar
from madeploy.registry.kept import Kept
from madeploy.registry.retention.uris import UriError, parse
from madeploy.releases import DEFAULT, ReleaseName
from madeploy.schemas import platform
from madeploy.schemas.files import Schema

KINDS: Final = ("Model", "InferenceServer", "Revision")
"""Kinds that are checked."""

MAX_BYTES: Final = 10_000_000
"""Size of a file. etcd takes objects of 1.5 MB."""

_QUANTITY: Final = re.compile(r"[+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)(m|k|M|G|T|P|E|[KMGTPE]i|[eE][-+]?[0-9]+)?")
_FORMATS: Final = FormatChecker(formats=())


@_FORMATS.checks("int32")
def _is_int32(value: Any) -> bool:
    return not isinstance(value, (int, float)) or -(2**31) <= value < 2**31


@_FORMATS.checks("quantity")
def _is_quantity(value: Any) -> bool:
    """A quantity of Kubernetes (its API reference, Quantity)."""
    return not isinstance(value, str) or _QUANTITY.fullmatch(value) is not None


@_FORMATS.checks("object-uri", raises=UriError)
def _is_object_uri(value: Any) -> bool:
    """An address of an object or a folder in the object store."""
    if isinstance(value, str):
        parse(value)
    return True


def lint(file: str, content: bytes, release: ReleaseName = DEFAULT) -> list[Finding]:
    """Everything wrong with a file of manifests in YAML or JSON, in the order of its objects, for a release
    of the platform.

    `file` is its name in messages. Raises nothing for what the file holds.
    """
    empty = Source(file, content)
    if len(content) > MAX_BYTES:
        evidence = f"the file has {len(content):,} bytes; at most {MAX_BYTES:,} are read"
        return [find("MA105", file, evidence, location=Location(file))]
    try:
        content.decode("utf-8")
        roots, problems = compose_all(content)
    except UnicodeDecodeError:
        return [find("MA104", file, "the file is not text in UTF-8", location=Location(file))]
    except UnreadableError as error:
        return [_problem(file, error.problem, empty)]
    found = [_problem(file, problem, empty) for problem in problems]
    for root in roots:
        source = Source(file, content, root)
        found += _document(file, source, root, (), release)
    return found


def _problem(file: str, problem: Problem, source: Source) -> Finding:
    place = source.place(problem.line, problem.column, parsed=False)
    return find(problem.code, file, problem.evidence, fix=problem.fix, location=place)


def _document(
    file: str,
    source: Source,
    root: Node,
    base: Path,
    release: ReleaseName,
    listed: tuple[str, str] | None = None,
) -> Iterator[Finding]:
    """Everything wrong with an object or a list of objects. `listed` is version and kind of the items of the
    list it is in, where that says them."""
    if root.kind == "scalar" and root.value is None:
        return
    if root.kind != "mapping":
        evidence = f"holds {type_name(root.data())} where an object is expected"
        yield find("MA350", file, evidence, location=source.place(root.line, root.column))
        return
    kind, version = scalar(child(root, "kind")), scalar(child(root, "apiVersion"))
    if kind is None and version is None and listed is not None:
        # As kubectl reads a typed list: the items are of its version and kind.
        version, kind = listed
    if isinstance(kind, str) and _is_list(kind, version, root):
        yield from _items(file, source, root, base, release, kind, version)
        return
    if not isinstance(kind, str) or not kind:
        yield find("MA350", file, "an object has no kind", location=source.place(root.line, root.column))
        return
    document = Document(source, root, base, printable(kind))
    ours = isinstance(version, str) and version.partition("/")[0] == API_GROUP
    if kind not in KINDS:
        yield _other_kind(document, kind, ours)
        return
    if version != API_VERSION:
        shown = f"apiVersion is {printable(str(version))}" if version is not None else "apiVersion is missing"
        place = document.at(("apiVersion",))
        yield find("MA352", document.subject(), shown, accepted=API_VERSION, location=place)
    yield from _object(document, release)


def _is_list(kind: str, version: Any, root: Node) -> bool:
    """Whether an object is a list of others: `v1 List`, or the list of a kind, as the API answers one."""
    if kind == "List":
        return True
    if not kind.endswith("List"):
        return False
    ours = isinstance(version, str) and version.partition("/")[0] == API_GROUP
    return kind.removesuffix("List") in PLURALS if ours else child(root, "items") is not None


def _items(
    file: str, source: Source, root: Node, base: Path, release: ReleaseName, kind: str, version: Any
) -> Iterator[Finding]:
    items = child(root, "items")
    if items is None or (items.kind == "scalar" and items.value is None):
        return
    document = Document(source, root, base, printable(kind))
    if items.kind != "list":
        yield _wrong_type(document, items.data(), ("items",), "a list")
        return
    listed = (str(version), kind.removesuffix("List")) if version is not None and kind != "List" else None
    for index, item in enumerate(items.value):
        yield from _document(file, source, item, (*base, "items", index), release, listed)


def _other_kind(document: Document, kind: str, ours: bool) -> Finding:
    place = document.at(("kind",))
    if ours and kind not in PLURALS:
        evidence = f"{API_GROUP} has no kind {printable(kind)}"
        if kind == "ModelVersion":
            fix = "Write a Model with spec.revisionId: there is no kind for its versions."
        else:
            fix = did_you_mean(kind, list(PLURALS)) + "Write one of the platform's kinds."
        return find(
            "MA352", document.subject(), evidence, fix=fix, accepted=", ".join(PLURALS), location=place
        )
    return find("MA351", document.subject(), "was left out", location=place)


@cache
def _validators(kind: str, release: ReleaseName) -> tuple[Draft202012Validator, Draft202012Validator]:
    """What the API server refuses of a kind, and what services cannot work with."""
    shape, needs = platform.shape(kind, release), platform.needs(kind, release)
    return (
        Draft202012Validator(shape, format_checker=_FORMATS),
        Draft202012Validator(needs, format_checker=_FORMATS),
    )


def _object(document: Document, release: ReleaseName) -> Iterator[Finding]:
    kept = Kept(document)
    refused, unusable = _validators(document.kind, release)
    shape = platform.shape(document.kind, release)
    data = kept.read(document.root, shape)
    found = list(kept.findings)
    if not isinstance(data.get("metadata"), dict):
        data.pop("metadata", None)
        found.append(_lacks(document, "it has no metadata", ("kind",)))
    elif not data["metadata"].keys() & {"name", "generateName"}:
        found.append(_lacks(document, "it has no metadata.name", ("metadata",)))
    wrong: set[Path] = set()
    for error in refused.iter_errors(data):
        path = tuple(error.absolute_path)
        # A wrong type is said once: no value of that type is one of the names either.
        if path not in wrong:
            wrong.add(path)
            found.append(_refused(document, error, kept.written[path]))
    found += _without_choice(document, kept, data, shape, ())
    # What is not there is missing below it too.
    data.setdefault("spec", {})
    kept.written.setdefault(("spec",), ("spec",))
    for error in unusable.iter_errors(data):
        path = tuple(error.absolute_path)
        if path not in wrong:
            found += _unusable(document, error, kept.written[path])
    yield from sorted(
        found, key=lambda item: (item.location.line, item.location.column) if item.location else (0, 0)
    )


def _lacks(document: Document, evidence: str, path: Path) -> Finding:
    return find("MA350", document.subject(), evidence, location=document.at(path))


def _refused(document: Document, error: ValidationError, path: Path) -> Finding:
    """A value that the API server does not take."""
    schema: Any = error.schema
    value: Any = error.instance
    if path[:1] == ("metadata",) and path[1:] in (("name",), ("namespace",)):
        accepted = platform.needs(document.kind)["properties"]["metadata"]["properties"][path[1]]
        return _bad_name(document, path, value, accepted["description"])
    if error.validator == "format":
        why = "The API server takes it, and the platform's services can then not read the object at all."
        about, place = document.subject(path), document.at(path)
        return find("MA362", about, f"is {value}", why=why, accepted=_accepted(schema), location=place)
    if error.validator != "enum" or not isinstance(value, str):
        return _wrong_type(document, value, path, _accepted(schema), _quotes(schema, value))
    options = schema["enum"]
    prefix = options[0].rpartition("_")[0]
    meant = f"{prefix}_{value.upper().replace('-', '_')}"
    hint = f'Did you mean "{meant}"? ' if meant in options else did_you_mean(value, options)
    return find(
        "MA356",
        document.subject(path),
        f'"{printable(value)}" is none of the names',
        accepted=", ".join(options),
        fix=hint + "Write one of the accepted names, in capitals and in full.",
        location=document.at(path),
    )


def _unusable(document: Document, error: ValidationError, path: Path) -> Iterator[Finding]:
    """A value that the API server takes, and that nothing works with."""
    schema: Any = error.schema
    value: Any = error.instance
    about, place = document.subject(path), document.at(path)
    if error.validator == "required":
        (missing,) = re.findall(r"^'(.*)' is a required property$", error.message)
        inner = (*path, missing)
        place = document.at(inner if child(document.root, "spec") is not None else ("kind",))
        yield find("MA358", document.subject(inner), "is missing", location=place)
    elif error.validator == "minItems":
        yield find("MA358", about, "is empty", location=place)
    elif path[:1] == ("metadata",):
        yield _bad_name(document, path, value, schema["description"])
    elif error.validator == "enum" and not value.endswith("_INVALID"):
        accepted = ", ".join(schema["enum"])
        yield find("MA359", about, f"{value} is not registered", accepted=accepted, location=place)
    elif error.validator == "minimum":
        yield find("MA362", about, f"is {value}", accepted=f"{schema['minimum']} or more", location=place)
    elif error.validator == "format" and schema["format"] == "quantity":
        evidence = f'"{printable(value)}" is no quantity'
        yield find("MA360", about, evidence, accepted="4Gi, 512Mi, 2", location=place)
    elif error.validator == "format":
        yield find("MA363", about, str(error.cause), location=place)


def _without_choice(
    document: Document, kept: Kept, data: Any, schema: Schema, path: Path
) -> Iterator[Finding]:
    """Names that are accepted and choose nothing."""
    if isinstance(data, dict):
        fields, others = schema.get("properties", {}), schema.get("additionalProperties")
        for name, value in data.items():
            inner = fields.get(name, others)
            if isinstance(inner, dict):
                yield from _without_choice(document, kept, value, inner, (*path, name))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from _without_choice(document, kept, value, schema.get("items", {}), (*path, index))
    elif data in schema.get("enum", ()) and data.endswith("_INVALID"):
        own, accepted = kept.written[path], ", ".join(schema["enum"][1:])
        evidence, place = f"{data} chooses nothing", document.at(own)
        yield find("MA357", document.subject(own), evidence, accepted=accepted, location=place)


def _wrong_type(document: Document, value: Any, path: Path, accepted: str, fix: str = "") -> Finding:
    evidence, place = f"holds {type_name(value)}", document.at(path)
    return find("MA355", document.subject(path), evidence, accepted=accepted, fix=fix, location=place)


_TYPES: Final = {
    "string": "text",
    "array": "a list",
    "object": "a mapping",
    "integer": "a whole number of 32 bits",
    "number": "a number",
    "boolean": "true or false",
}


def _accepted(schema: Schema) -> str:
    """What a schema accepts, in words."""
    if "enum" in schema:
        return ", ".join(schema["enum"])
    if schema.get("format") == "int64":
        return 'a whole number in quotes, such as "1700000000"'
    if "properties" in schema:
        return f"a mapping with {', '.join(schema['properties'])}"
    return _TYPES[schema["type"]]


def _quotes(schema: Schema, value: Any) -> str:
    """What to do about quotes that are missing, or too many."""
    if schema["type"] == "string" and "enum" not in schema and not isinstance(value, (dict, list)):
        return "Put it in quotes, so that it stays text."
    if schema["type"] in ("integer", "number") and isinstance(value, str) and value.strip().isdigit():
        return "Write the number without quotes."
    return ""


def _bad_name(document: Document, path: Path, value: Any, accepted: str) -> Finding:
    text = printable(str(value))
    evidence = f'"{text}" is not accepted' if isinstance(value, str) else f"{text} is not text"
    return find("MA361", document.subject(path), evidence, accepted=accepted, location=document.at(path))
