"""Manifests of `Model` and `InferenceServer` checked before anybody applies them (requirement MR-9)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from madeploy.findings import Finding, Location, find
from madeploy.models.document import Document, absent, child, respelt, scalar
from madeploy.models.retention.uris import UriError, parse
from madeploy.models.schema import BACKENDS, KINDS, REGISTERED_BACKENDS, Choice, Leaf, ListOf, MapOf, Shape
from madeploy.names.kubernetes import API_GROUP, API_VERSION, PLURALS
from madeploy.settings.source import Path, Source, printable
from madeploy.settings.translate import did_you_mean, near, type_name
from madeploy.settings.yaml_nodes import Node, Problem, UnreadableError, compose_all

MAX_BYTES: Final = 10_000_000
"""Size of a file. etcd takes objects of 1.5 MB."""

_LABEL: Final = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_NAME: Final = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_NAMESPACE: Final = re.compile(_LABEL)
_SERVER_NAME: Final = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_SERVER_NAME_LENGTH: Final = 63 - len("-inference-service")
"""The controller manager makes the Service `<name>-inference-service` (facts 3.5), whose name is an RFC 1035
label."""

_QUANTITY: Final = re.compile(r"[+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)(m|k|M|G|T|P|E|[KMGTPE]i|[eE][-+]?[0-9]+)?")
_INT64: Final = re.compile(r"-?[0-9]{1,19}")
_INT32: Final = range(-(2**31), 2**31)
_METADATA: Final = frozenset(
    {
        "annotations",
        "creationTimestamp",
        "deletionGracePeriodSeconds",
        "deletionTimestamp",
        "finalizers",
        "generateName",
        "generation",
        "labels",
        "managedFields",
        "name",
        "namespace",
        "ownerReferences",
        "resourceVersion",
        "selfLink",
        "uid",
    }
)
"""Fields of metadata (Kubernetes API reference, ObjectMeta)."""

_MISTAKEN: Final[Mapping[tuple[str, str], tuple[str, str]]] = {
    ("InferenceServer", "modelVersion"): (
        "An inference server names no model: a Deployment ties the two together.",
        "Remove it, and name the model in a Deployment's spec.desiredRevision.",
    ),
    ("InferenceServer", "model"): (
        "An inference server names no model: a Deployment ties the two together.",
        "Remove it, and name the model in a Deployment's spec.desiredRevision.",
    ),
    ("InferenceServer", "replicas"): (
        "The number of instances has another name and place, and this one would be dropped without a word.",
        "Write spec.initSpec.numInstances.",
    ),
}
"""Fields that people write by analogy, by kind: why there are none, and what to do."""

_AT_LEAST: Final[Mapping[tuple[str, ...], int]] = {
    ("spec", "initSpec", "numInstances"): 0,
    ("spec", "initSpec", "resourceSpec", "cpu"): 0,
    ("spec", "initSpec", "resourceSpec", "gpu"): 0,
    ("spec", "initSpec", "resourceSpec", "fileDescriptors"): 0,
}
"""Smallest numbers of an inference server (facts 4.3)."""

_TEXT: Final[Mapping[Leaf, str]] = {
    "text": "text",
    "uri": "text",
    "quantity": "text with a quantity, such as 4Gi",
    "int32": "a whole number of 32 bits",
    "int64": 'a whole number in quotes, such as "1700000000"',
    "number": "a number",
    "switch": "true or false",
}


def lint(file: str, content: bytes) -> list[Finding]:
    """Everything wrong with a file of manifests in YAML or JSON, in the order of its objects.

    `file` is its name in messages. Raises nothing for what the file holds.
    """
    empty = Source(file, content, prefix="")
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
        source = Source(file, content, root, prefix="")
        found += _document(file, source, root, ())
    return found


def _problem(file: str, problem: Problem, source: Source) -> Finding:
    place = source.place(problem.line, problem.column, parsed=False)
    return find(problem.code, file, problem.evidence, fix=problem.fix, location=place)


def _document(
    file: str, source: Source, root: Node, base: Path, listed: tuple[str, str] | None = None
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
        yield from _items(file, source, root, base, kind, version)
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
    yield from _object(document)


def _is_list(kind: str, version: Any, root: Node) -> bool:
    """Whether an object is a list of others: `v1 List`, or the list of a kind, as the API answers one."""
    if kind == "List":
        return True
    if not kind.endswith("List"):
        return False
    ours = isinstance(version, str) and version.partition("/")[0] == API_GROUP
    return kind.removesuffix("List") in PLURALS if ours else child(root, "items") is not None


def _items(file: str, source: Source, root: Node, base: Path, kind: str, version: Any) -> Iterator[Finding]:
    items = child(root, "items")
    if items is None or (items.kind == "scalar" and items.value is None):
        return
    document = Document(source, root, base, printable(kind))
    if items.kind != "list":
        yield _wrong_type(document, items, ("items",), "a list")
        return
    listed = (str(version), kind.removesuffix("List")) if version is not None and kind != "List" else None
    for index, item in enumerate(items.value):
        yield from _document(file, source, item, (*base, "items", index), listed)


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


def _object(document: Document) -> Iterator[Finding]:
    kind, root = document.kind, document.root
    fields = {"apiVersion": "text", "kind": "text", "metadata": "free", **KINDS[kind]}
    yield from _fields(document, root, fields, ())
    yield from _metadata(document)
    if kind == "InferenceServer":
        yield from _inference_server(document)


def _fields(document: Document, node: Node, shapes: Mapping[str, Any], path: Path) -> Iterator[Finding]:
    for name, (_, value) in node.value.items():
        if name in shapes:
            yield from _value(document, value, shapes[name], (*path, name))
        else:
            yield _unknown(document, name, shapes, path)
            meant = respelt(name, shapes)
            if meant is not None:
                yield from _value(document, value, shapes[meant], (*path, name))


def _unknown(document: Document, name: str, shapes: Mapping[str, Any], path: Path) -> Finding:
    place, about = document.at((*path, name), key=True), document.subject((*path, name))
    accepted = ", ".join(shapes)
    known = respelt(name, shapes)
    if known is not None:
        evidence = f"the API server would drop it: the field is called {known}"
        return find("MA353", about, evidence, fix=f"Write {known}.", location=place)
    why, fix = _MISTAKEN.get((document.kind, name), ("", ""))
    if not fix:
        guess = near(name, shapes)
        fix = f'Did you mean "{guess}"? Else remove it.' if guess else "Remove it."
    evidence = "the API server would drop it: there is no such field"
    return find("MA354", about, evidence, accepted=accepted, why=why, fix=fix, location=place)


def _value(document: Document, node: Node, shape: Shape, path: Path) -> Iterator[Finding]:
    value = node.value
    if shape == "free" or (node.kind == "scalar" and value is None):
        # Null is dropped, as if the field were not there (Kubernetes documentation, custom resources).
        return
    if isinstance(shape, ListOf):
        if node.kind != "list":
            yield _wrong_type(document, node, path, "a list")
            return
        for index, item in enumerate(value):
            yield from _value(document, item, shape.item, (*path, index))
    elif isinstance(shape, MapOf):
        if node.kind != "mapping":
            yield _wrong_type(document, node, path, "a mapping")
            return
        for name, (_, item) in value.items():
            yield from _value(document, item, shape.value, (*path, name))
    elif isinstance(shape, Mapping):
        if node.kind != "mapping":
            yield _wrong_type(document, node, path, f"a mapping with {', '.join(shape)}")
            return
        yield from _fields(document, node, shape, path)
    elif isinstance(shape, Choice):
        yield from _choice(document, node, shape, path)
    else:
        yield from _leaf(document, node, shape, path)


def _wrong_type(document: Document, node: Node, path: Path, accepted: str, fix: str = "") -> Finding:
    evidence = f"holds {type_name(node.data())}"
    return find(
        "MA355", document.subject(path), evidence, accepted=accepted, fix=fix, location=document.at(path)
    )


def _choice(document: Document, node: Node, shape: Choice, path: Path) -> Iterator[Finding]:
    options, value = shape.values, node.value
    if node.kind != "scalar" or not isinstance(value, str):
        yield _wrong_type(document, node, path, ", ".join(options))
    elif value not in options:
        meant = f"{shape.prefix}_{value.upper().replace('-', '_')}"
        hint = f'Did you mean "{meant}"? ' if meant in options else did_you_mean(value, options)
        yield find(
            "MA356",
            document.subject(path),
            f'"{printable(value)}" is none of the names',
            accepted=", ".join(options),
            fix=hint + "Write one of the accepted names, in capitals and in full.",
            location=document.at(path),
        )
    elif value.endswith("_INVALID"):
        evidence, accepted = f"{value} chooses nothing", ", ".join(options[1:])
        place = document.at(path)
        yield find("MA357", document.subject(path), evidence, accepted=accepted, location=place)


def _leaf(document: Document, node: Node, shape: Leaf, path: Path) -> Iterator[Finding]:
    value, accepted = node.value, _TEXT[shape]
    if not _is(shape, node):
        fix = ""
        if shape in ("text", "uri", "quantity", "int64") and node.kind == "scalar":
            fix = "Put it in quotes, so that it stays text."
        elif shape in ("int32", "number") and isinstance(value, str) and value.strip().isdigit():
            fix = "Write the number without quotes."
        yield _wrong_type(document, node, path, accepted, fix)
        return
    about, place = document.subject(path), document.at(path)
    if shape == "quantity" and not _QUANTITY.fullmatch(value):
        yield find(
            "MA360", about, f'"{printable(value)}" is no quantity', accepted="4Gi, 512Mi, 2", location=place
        )
    elif shape == "uri":
        try:
            parse(value)
        except UriError as error:
            yield find("MA363", about, str(error), location=place)
    elif shape == "int32" and value not in _INT32:
        why = "The API server takes it, and the platform's services can then not read the object at all."
        yield find("MA362", about, f"is {value}", why=why, accepted=_TEXT["int32"], location=place)
    elif shape == "int32":
        lowest = _AT_LEAST.get(tuple(str(step) for step in path))
        if document.kind == "InferenceServer" and lowest is not None and value < lowest:
            yield find("MA362", about, f"is {value}", accepted=f"{lowest} or more", location=place)


def _is(shape: Leaf, node: Node) -> bool:
    value = node.value
    if node.kind != "scalar":
        return False
    if shape == "switch":
        return isinstance(value, bool)
    if shape == "int32":
        return isinstance(value, int) and not isinstance(value, bool)
    if shape == "number":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if shape == "int64":
        return isinstance(value, str) and _INT64.fullmatch(value) is not None
    return isinstance(value, str)


def _metadata(document: Document) -> Iterator[Finding]:
    meta = child(document.root, "metadata")
    if meta is None or meta.kind != "mapping":
        yield find("MA350", document.subject(), "it has no metadata", location=document.at(("kind",)))
        return
    for name in meta.value:
        if name not in _METADATA:
            yield _unknown(document, name, dict.fromkeys(sorted(_METADATA)), ("metadata",))
    for field in ("labels", "annotations"):
        pairs = child(meta, field)
        if pairs is not None and pairs.kind == "mapping":
            for name, (_, value) in pairs.value.items():
                yield from _value(document, value, "text", ("metadata", field, name))
        elif pairs is not None and scalar(pairs) is not None:
            yield _wrong_type(document, pairs, ("metadata", field), "a mapping")
    name, generated = child(meta, "name"), child(meta, "generateName")
    if scalar(name) is None and generated is None:
        yield find(
            "MA350", document.subject(), "it has no metadata.name", location=document.at(("metadata",))
        )
    elif scalar(name) is not None:
        yield from _name(document, name)
    space = scalar(child(meta, "namespace"))
    if space is not None and not (
        isinstance(space, str) and len(space) <= 63 and _NAMESPACE.fullmatch(space)
    ):
        yield _bad_name(document, "namespace", space, "1 to 63 lower-case letters, digits and inner hyphens")


def _name(document: Document, node: Node | None) -> Iterator[Finding]:
    value = scalar(node)
    if document.kind == "InferenceServer":
        length, pattern = _SERVER_NAME_LENGTH, _SERVER_NAME
        accepted = f"1 to {length} lower-case letters, digits and inner hyphens, a letter first: its Service "
        accepted += "is called <name>-inference-service"
    else:
        length, pattern = 253, _NAME
        accepted = (
            "at most 253 lower-case letters, digits, hyphens and dots, a letter or digit first and last"
        )
    if not isinstance(value, str) or len(value) > length or not pattern.fullmatch(value):
        yield _bad_name(document, "name", value, accepted)


def _bad_name(document: Document, field: str, value: object, accepted: str) -> Finding:
    path = ("metadata", field)
    text = printable(str(value))
    evidence = f'"{text}" is not accepted' if isinstance(value, str) else f"{text} is not text"
    return find("MA361", document.subject(path), evidence, accepted=accepted, location=document.at(path))


def _inference_server(document: Document) -> Iterator[Finding]:
    """What the controller manager takes for granted (facts 3.5) and the API server does not check."""
    spec = child(document.root, "spec")
    init = child(spec, "initSpec")
    missing: list[Path] = []
    if absent(spec, "initSpec"):
        missing.append(("spec", "initSpec"))
    elif init is not None and absent(init, "resourceSpec"):
        missing.append(("spec", "initSpec", "resourceSpec"))
    if absent(spec, "backendType"):
        missing.append(("spec", "backendType"))
    for path in missing:
        place = document.at(path if child(document.root, "spec") is not None else ("kind",))
        yield find("MA358", document.subject(path), "is missing", location=place)
    backend = scalar(child(spec, "backendType"))
    if backend in BACKENDS.values[1:] and backend not in REGISTERED_BACKENDS:
        path = ("spec", "backendType")
        place, accepted = document.at(path), ", ".join(REGISTERED_BACKENDS)
        evidence = f"{backend} is not registered"
        yield find("MA359", document.subject(path), evidence, accepted=accepted, location=place)
