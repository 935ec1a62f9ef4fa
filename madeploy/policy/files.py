"""Reads folders and files of YAML and JSON into resources that know their place.

Files may be hostile: reading stops at fixed limits, nothing is executed, links to folders are not followed.
Lines are never shown in findings, because a file may hold secrets.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from madeploy.documents.nodes import Limits, Node, UnreadableError, compose_all, resolve
from madeploy.documents.problems import Problem
from madeploy.findings import Finding, Location, find
from madeploy.policy import kustomize
from madeploy.policy.kustomize import BuildError, Kustomization
from policies.rules.model import Path as ValuePath
from policies.rules.model import Resource, mapping, type_token
from policies.rules.secrets import encrypted

MAX_BYTES: Final = 32 * 1024 * 1024
"""Size of a file; rendered fleets of a thousand clusters in one file are about 5 MiB."""

RENDERED: Final = ".madeploy-render.json"
"""File that marks a tree as one that `madeploy render` wrote."""

MAX_FILES: Final = 20_000
LIMITS: Final = Limits(depth=128, nodes=1_000_000, items=100_000)
"""Custom resource definitions nest about sixty levels deep."""

_SUFFIXES: Final = (".yaml", ".yml", ".json")
_WORDS: Final = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "off", "Off", "OFF"), False),
}
"""What kubectl reads as true and false besides YAML 1.2's words (YAML 1.1)."""

_POLICY: Final = "aws:iam/policy:Policy"
_TRUST: Final = "aws:iam/role:Role"
_BUCKET_POLICY: Final = "aws:s3/bucketPolicy:BucketPolicy"


@dataclass
class Reading:
    """Result of reading files."""

    release: str = ""
    """Release of the platform they are for; empty where none was named."""

    resources: list[Resource] = field(default_factory=list)
    files: int = 0
    skipped: int = 0
    """Documents that are neither objects nor policy documents, such as a chart's values."""

    findings: list[Finding] = field(default_factory=list)
    places: dict[int, tuple[str, Node]] = field(default_factory=dict)
    """File and node of each resource, by its `id`."""

    _files: dict[int, Node | None] = field(default_factory=dict)

    def place(self, resource: Resource, path: ValuePath = ()) -> Location | None:
        """Where a resource's value stands, or the nearest value above it that is there; None for resources
        of no file."""
        if id(resource) not in self.places:
            return None
        file, node = self.places[id(resource)]
        line, column, end, rest = _descend(node, path)
        if rest and end.literal and (inner := self._inside(end)) is not None:
            line, column, _, _ = _descend(inner, rest)
            line, column = line + end.line + 1, column + _indentation(file, end)
        return Location(file, line + 1, column + 1)

    def _inside(self, node: Node) -> Node | None:
        """The file in a text after `|`, such as a configuration file in a ConfigMap."""
        if id(node) not in self._files:
            try:
                roots, _ = compose_all(str(node.value).encode(), LIMITS)
            except UnreadableError:
                roots = []
            self._files[id(node)] = roots[0] if roots else None
        return self._files[id(node)]


def _descend(node: Node, path: ValuePath) -> tuple[int, int, Node, ValuePath]:
    """Line and column of the value at a path, or of the nearest one above it; that one's node, and the steps
    that are left."""
    line, column = node.line, node.column
    for position, step in enumerate(path):
        if node.kind == "mapping" and str(step) in node.value:
            key, node = node.value[str(step)]
            line, column = key.line, key.column
        elif node.kind == "list" and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            line, column = node.line, node.column
        else:
            return line, column, node, path[position:]
    return line, column, node, ()


def _indentation(file: str, node: Node) -> int:
    """How far the lines of a text after `|` are indented in its file: as the first that is not empty."""
    for line in Path(file).read_bytes().splitlines()[node.line + 1 :]:
        if line.strip():
            return len(line) - len(line.lstrip(b" "))
    return 0


def _kubectl(text: str) -> Any:
    return _WORDS[text] if text in _WORDS else resolve(text)


def _walk(path: Path) -> Iterator[Path]:
    """Files below a folder in a fixed order, hidden ones left out."""
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if name.endswith(_SUFFIXES) and not name.startswith("."):
                yield Path(folder) / name


def read(paths: Iterable[Path], release: str = "") -> Reading:
    """Every object and policy document below these folders and in these files, for a release of the platform
    where one is named. What cannot be read is a finding; documents that are something else are counted."""
    reading = Reading(release)
    for path in paths:
        outermost = _kustomizations(path)
        # Where files say what is applied they are read as they stand.
        made = [one for one in outermost if not one.plain or path.is_file()]
        inputs = frozenset(file for one in made for file in one.files)
        for file in _walk(path) if path.is_dir() else (path,):
            if inputs and file.resolve() in inputs:
                continue
            if reading.files >= MAX_FILES:
                evidence = f"there are more than {MAX_FILES:,} files; the others were not read"
                reading.findings.append(find("MA380", str(path), evidence))
                return reading
            _read_file(reading, file, _cluster(path, file))
        for one in outermost:
            if one in made:
                _add_built(reading, one, str(one.folder.relative_to(path)) if len(made) > 1 else "")
            elif missing := one.elsewhere():
                evidence = f"{missing[:120]} is part of it and not in this folder; nothing is fetched"
                place = Location(str(one.file))
                reading.findings.append(find("MA383", str(one.file), evidence, location=place))
    return reading


def _kustomizations(path: Path) -> list[Kustomization]:
    """Kustomizations below a folder that no other names; or the one whose file it is."""
    if not path.is_dir():
        named = kustomize.of(path.parent) if path.name in kustomize.NAMES else None
        return [named] if named is not None else []
    return kustomize.outermost(kustomize.below(path, RENDERED))


def _add_built(reading: Reading, kustomization: Kustomization, cluster: str) -> None:
    """What Kustomize makes of a folder, each object with the place of the file it comes from; or the finding
    that says why it was not judged."""
    label, inputs = str(kustomization.file), kustomization.files
    reading.files += len(inputs)
    try:
        text, start = kustomize.build(kustomization)
        roots, _ = compose_all(text, LIMITS, _kubectl)
    except (BuildError, UnreadableError) as error:
        reason = error.problem.evidence if isinstance(error, UnreadableError) else str(error)
        evidence = f"left out, with its {len(inputs)} file(s): {reason}"
        reading.findings.append(find("MA383", label, evidence, location=Location(label)))
        return
    sources: dict[Path, list[Node]] = {kustomization.file: _compose_roots(kustomization.file)}
    for root in roots:
        known = len(reading.resources)
        _add(reading, label, root, cluster)
        for resource in reading.resources[known:]:
            file = kustomize.take_source(resource.properties, kustomization, start)
            if file not in sources:
                sources[file] = _compose_roots(file)
            if not sources[file]:
                file = kustomization.file
            reading.places[id(resource)] = (str(file), _same(resource, sources[file]))


def _compose_roots(file: Path) -> list[Node]:
    """Nodes of a file that Kustomize has read; none where our reader does not."""
    read = _compose(file, _kubectl)
    return [] if isinstance(read, Finding) else read[0]


def _same(resource: Resource, roots: list[Node]) -> Node:
    """The node of a file that a built object comes from; the first when none is like it."""
    for root in roots:
        data = mapping(root.data())
        name = str(mapping(data.get("metadata")).get("name"))
        # The build may have put something before and after the name.
        if data.get("kind") == resource.token.rpartition(":")[2] and name in str(resource.metadata["name"]):
            return root
    return roots[0]


def _cluster(root: Path, file: Path) -> str:
    """Which cluster a file of a rendered tree is for: its folders say it. Files of other trees are judged
    together, whatever their folders are."""
    if not (root / RENDERED).is_file():
        return ""
    first, *rest = file.relative_to(root).parts
    return rest[0] if first == "compute" and len(rest) > 1 else first


def _read_file(reading: Reading, path: Path, cluster: str) -> None:
    label = str(path)
    reading.files += 1
    read = _compose(path, _kubectl)
    if isinstance(read, Finding):
        reading.findings.append(read)
        return
    roots, problems = read
    if any(map(_is_template, problems)) and b"{{" in path.read_bytes():
        problems = [problem for problem in problems if not _is_template(problem)]
        evidence = "the file is a template, not YAML"
        reading.findings.append(find("MA380", label, evidence, location=Location(label)))
    reading.findings += [_problem("MA381", label, problem) for problem in problems]
    for root in roots:
        _add(reading, label, root, cluster)


def _is_template(problem: Problem) -> bool:
    """Whether a problem is what `{{ … }}` looks like to a YAML parser: a mapping as a key."""
    return problem.code == "MA106" and "key is a list, a mapping" in problem.evidence


def _problem(code: str, label: str, problem: Problem) -> Finding:
    where = Location(label, problem.line + 1, problem.column + 1)
    return find(code, label, problem.evidence, fix=problem.fix, location=where)


def _scalar(node: Node, key: str) -> Any:
    found = node.value.get(key)
    return found[1].value if found and found[1].kind == "scalar" else None


def _add(
    reading: Reading, label: str, node: Node, cluster: str, listed: tuple[str, str] | None = None
) -> None:
    """One document: an object, a list of them, a policy document, or something else. An item of a typed list
    that says neither version nor kind has the list's (`listed`), as kubectl reads it."""
    if node.kind == "scalar" and node.value is None:
        return
    if node.kind != "mapping":
        reading.skipped += 1
        return
    version, kind = _scalar(node, "apiVersion"), _scalar(node, "kind")
    if version is None and kind is None and listed and listed[1]:
        version, kind = listed
    if isinstance(version, str) and isinstance(kind, str):
        items = node.value.get("items")
        if kind.endswith("List") and items and items[1].kind == "list":
            for item in items[1].value:
                _add(reading, label, item, cluster, (version, kind.removesuffix("List")))
        elif encrypted(kind) or version.startswith("kustomize.config.k8s.io/"):
            # All of it is cipher text, or it is no object.
            reading.skipped += 1
        else:
            token = type_token(version, kind)
            resource = Resource(token, node.data(), cluster, "file", label, release=reading.release)
            reading.resources.append(resource)
            reading.places[id(resource)] = (label, node)
    elif {"Statement", "Effect"} & set(node.value):
        _add_document(reading, label, node)
    else:
        reading.skipped += 1


def _add_document(reading: Reading, label: str, node: Node) -> None:
    """An IAM policy document, or one statement of it as guides print them."""
    data: Mapping[str, Any] = node.data()
    document = data if "Statement" in data else {"Statement": [data]}
    text = str(document["Statement"])
    trusting = "sts:AssumeRole" in text
    token = _TRUST if trusting else _BUCKET_POLICY if "Principal" in text else _POLICY
    key = "assumeRolePolicy" if trusting else "policy"
    resource = Resource(token, {key: document}, origin="file", name=Path(label).name)
    reading.resources.append(resource)
    reading.places[id(resource)] = (label, node)


def _compose(path: Path, resolver: Callable[[str], Any]) -> tuple[list[Node], list[Problem]] | Finding:
    """Nodes of a file's documents and problems in them, or the finding that says why there are none."""
    label = str(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ValueError(f"the file is larger than {MAX_BYTES // 1024 // 1024} MiB")
        return compose_all(path.read_bytes(), LIMITS, resolver)
    except UnreadableError as error:
        return _problem("MA380", label, error.problem)
    except (OSError, ValueError) as error:
        evidence = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return find("MA380", label, evidence, location=Location(label))


def read_data(path: Path) -> Any:
    """Plain data of a file's first document, None when it has none; or the Finding that says why it cannot
    be read."""
    read = _compose(path, resolve)
    if isinstance(read, Finding):
        return read
    return read[0][0].data() if read[0] else None
