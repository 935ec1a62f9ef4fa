"""The text of a kubeconfig as data with places, within limits; or everything that is wrong with it.

What the fields are and of which type stands in `madeploy/schemas/kubeconfig.yaml`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from madeploy.documents.files import long_line, not_text
from madeploy.documents.nodes import Node, UnreadableError, compose
from madeploy.documents.paths import Path
from madeploy.documents.words import near, printable, type_name
from madeploy.findings import Finding, Location, find
from madeploy.findings.model import Severity
from madeploy.kubeconfigs import wrapping
from madeploy.kubeconfigs.errors import KubeconfigError
from madeploy.schemas.files import schema

LISTS: Final = {"contexts": "context", "clusters": "cluster", "users": "user"}
"""The three lists of a kubeconfig, and the key of an entry's body."""

_TYPES: Final[Mapping[str, tuple[type, str]]] = {
    "string": (str, "text"),
    "boolean": (bool, "true or false"),
    "array": (list, "a list"),
    "object": (dict, "a mapping"),
}
"""Types of JSON Schema: in Python, and in words."""

_SAVED_AS_UTF_8: Final = (
    "Save the file as UTF-8; PowerShell writes UTF-16 unless told: | Out-File -Encoding utf8 FILE"
)


@dataclass(frozen=True)
class Entry:
    """One context, cluster or user."""

    name: str
    path: Path
    """Where its body stands in the document."""

    body: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class Document:
    """A kubeconfig's data and, where it came from text, the places of its values."""

    name: str
    """What it is called in messages: a file, `kubeconfigs.<cluster>`, a context."""

    data: Mapping[str, Any] = field(repr=False)
    root: Node | None = field(default=None, repr=False)

    def at(self, path: Path) -> Location | None:
        """Place of the value at a path, of the nearest one above it that is there; None without a text.
        It shows no line: any line of a kubeconfig may hold a credential."""
        node = self.root
        if node is None:
            return None
        for step in path:
            if node.kind == "mapping" and step in node.value:
                node = node.value[step][1]
            elif node.kind == "list" and isinstance(step, int) and step < len(node.value):
                node = node.value[step]
            else:
                break
        return Location(self.name, node.line + 1, node.column + 1)

    def finding(
        self,
        code: str,
        path: Path,
        evidence: str,
        *,
        fix: str = "",
        accepted: str = "",
        severity: Severity | None = None,
    ) -> Finding:
        """A finding about the value at a path."""
        return find(
            code,
            self._subject(path),
            evidence,
            fix=fix,
            accepted=accepted,
            severity=severity,
            location=self.at(path),
        )

    def entries(self, kind: str) -> Iterator[Entry]:
        """Every entry of a list (`contexts`, `clusters`, `users`) that has a usable form; the first of each
        name."""
        seen: set[str] = set()
        listed = self.data.get(kind)
        for index, item in enumerate(listed if isinstance(listed, list) else ()):
            body = item.get(LISTS[kind]) if isinstance(item, dict) else None
            name = item.get("name") if isinstance(item, dict) else None
            if isinstance(name, str) and name not in seen and (body is None or isinstance(body, dict)):
                seen.add(name)
                yield Entry(name, (kind, index, LISTS[kind]), body or {})

    def _subject(self, path: Path) -> str:
        """A path as a person reads it: `clusters[east].server`."""
        if not path:
            return self.name
        text = printable(str(path[0]))
        rest = list(path[1:])
        if rest and isinstance(rest[0], int):
            listed = self.data.get(str(path[0]))
            item = listed[rest[0]] if isinstance(listed, list) and rest[0] < len(listed) else None
            name = item.get("name") if isinstance(item, dict) else None
            text += f"[{printable(name) if isinstance(name, str) and name else rest[0]}]"
            rest = rest[1:]
            if rest and rest[0] == LISTS.get(str(path[0])):
                rest = rest[1:]
        return text + "".join(
            f"[{step}]" if isinstance(step, int) else f".{printable(step)}" for step in rest
        )


def parse(content: bytes, name: str) -> tuple[Document | None, list[Finding]]:
    """The one document of a text, and every complaint about its form. None when it cannot be read.

    Costs little whatever the text is: sizes, depth and expanded aliases have limits, and reading stops at
    the first one passed.
    """
    problem = not_text(content, name) or long_line(content, name)
    if problem is not None:
        fix = _SAVED_AS_UTF_8 if problem.code == "MA102" else ""
        return None, [find("MA410", name, problem.evidence, fix=fix, location=problem.location)]
    if not content.strip():
        return None, [find("MA410", name, "is empty", location=Location(name))]
    packed = wrapping.whole(content, name)
    if packed is not None:
        return None, [find("MA412", name, packed.evidence, fix=_unwrap(packed), location=Location(name))]
    try:
        root, problems = compose(content)
    except UnreadableError as error:
        place = Location(name, error.problem.line + 1, error.problem.column + 1)
        fix = error.problem.fix
        return None, [find("MA411", name, printable(error.problem.evidence), fix=fix, location=place)]
    findings = [
        find(
            "MA411",
            name,
            printable(item.evidence),
            fix=item.fix,
            location=Location(name, item.line + 1, item.column + 1),
        )
        for item in problems
    ]
    if root is None or root.value is None:
        return None, [*findings, find("MA410", name, "holds nothing", location=Location(name))]
    if root.kind != "mapping":
        evidence = f"holds {type_name(root.data())} at its top, not a mapping"
        return None, [*findings, find("MA412", name, evidence, location=Location(name))]
    document = Document(name, root.data(), root)
    if not any(document.data.get(key) for key in LISTS):
        held = wrapping.inside(root, name)
        if held is not None:
            refusal = find("MA412", name, held.evidence, fix=_unwrap(held), location=document.at(held.path))
            return None, [*findings, refusal]
    return document, [*findings, *form(document)]


def _unwrap(found: wrapping.Wrapped) -> str:
    return f"Write it to a file of its own, and give that:\n{found.command}"


def load(text: str | bytes, subject: str) -> dict[str, Any]:
    """A kubeconfig's data. Raises KubeconfigError with everything that is wrong with its form."""
    content = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    document, findings = parse(content, subject)
    errors = [item for item in findings if item.severity == "error"]
    if document is None or errors:
        raise KubeconfigError(subject, errors)
    return dict(document.data)


def form(document: Document) -> Iterator[Finding]:
    """What kubectl itself would refuse of a document: kinds, types, and names given twice."""
    data = document.data
    if data.get("kind") not in (None, "", "Config") or data.get("apiVersion") not in (None, "", "v1"):
        yield document.finding(
            "MA412",
            ("kind",),
            "says that it is something else than a kubeconfig",
            accepted="apiVersion: v1, kind: Config",
        )
    elif not any(data.get(key) for key in LISTS):
        evidence = "has neither clusters nor users nor contexts"
        yield document.finding("MA412", (), evidence, accepted="a mapping with clusters, users and contexts")
    wanted = schema("kubeconfig")
    for path, value, expected in _unlike(_without_nulls(data), wanted, ()):
        yield _wrong(document, path, value, expected)
    fields = wanted["properties"]
    yield from _misspelt(document, (), data, fields)
    for kind, body in LISTS.items():
        known = fields[kind]["items"]["properties"][body]["properties"]
        seen: dict[str, int] = {}
        listed = data.get(kind)
        for index, item in enumerate(listed if isinstance(listed, list) else ()):
            name, inner = (item.get("name"), item.get(body)) if isinstance(item, dict) else (None, None)
            if isinstance(name, str) and name in seen:
                evidence = f"has the name of entry {seen[name] + 1} of {kind}"
                yield document.finding("MA413", (kind, index, "name"), evidence)
            elif isinstance(name, str) and name:
                seen[name] = index
            if isinstance(inner, dict):
                yield from _misspelt(document, (kind, index, body), inner, known)


def _without_nulls(data: Any) -> Any:
    """Data without the fields that say null, as its readers take it."""
    if isinstance(data, dict):
        return {key: _without_nulls(value) for key, value in data.items() if value is not None}
    return [_without_nulls(item) for item in data] if isinstance(data, list) else data


def _unlike(value: Any, wanted: Mapping[str, Any], path: Path) -> Iterator[tuple[Path, Any, str]]:
    """Values that are not as a schema has them, with their paths and the types they are to be of. Missing
    ones that are required are empty.

    It reads as much of JSON Schema as the schema of kubeconfigs uses. jsonschema reads all, and takes a
    twentieth of a program's time for its import alone, in every update and preview.
    """
    expected = wanted["type"]
    if not isinstance(value, _TYPES[expected][0]):
        yield path, value, expected
    elif isinstance(value, list):
        for index, item in enumerate(value if "items" in wanted else ()):
            yield from _unlike(item, wanted["items"], (*path, index))
    elif isinstance(value, dict):
        for key, inner in wanted.get("properties", {}).items():
            if key in value:
                yield from _unlike(value[key], inner, (*path, key))
            elif key in wanted.get("required", ()):
                yield (*path, key), "", str(inner["type"])
    elif value == "" and wanted.get("minLength"):
        yield path, value, expected


def _wrong(document: Document, path: Path, value: Any, expected: str) -> Finding:
    """What is said of a value that is not of the type it is to be."""
    if path[2:] == ("name",):
        said = f"has {type_name(value)} for a name; put it in quotes" if value != "" else "has no name"
        return document.finding("MA412", path[:2], said)
    if len(path) == 2:
        body = LISTS[str(path[0])]
        return document.finding("MA412", path, f"is {type_name(value)}, not a mapping with name and {body}")
    quotes = expected == "string" and not isinstance(value, (list, dict))
    said = f"is {type_name(value)}, not {_TYPES[expected][1]}"
    return document.finding("MA412", path, said, fix="Put it in quotes." if quotes else "")


def _misspelt(
    document: Document, path: Path, given: Mapping[str, Any], known: Mapping[str, Any]
) -> Iterator[Finding]:
    """Fields that nothing reads, and that are spelt almost like one that is."""
    for key in given:
        meant = near(key, tuple(known)) if key not in known else None
        if meant is not None and meant not in given:
            yield document.finding(
                "MA412",
                (*path, key),
                "is no field of a kubeconfig, so nothing reads it",
                fix=f'Did you mean "{meant}"?',
                severity="warning",
            )
