"""Folders that Kustomize makes objects of: what belongs to them, and what it makes (kustomize.config.k8s.io).

Building reads files and nothing else: Kustomize starts plug-ins and Helm only when it is told to, and folders
that name something that is not here, which it would fetch, are left alone.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from madeploy.documents.nodes import UnreadableError, compose_all
from madeploy.documents.text import dump

NAMES: Final = ("kustomization.yaml", "kustomization.yml", "Kustomization")
"""What the file may be called."""

ORIGIN: Final = "config.kubernetes.io/origin"
"""Annotation in which Kustomize says where an object comes from, where it is asked to."""

_SECONDS: Final = 60
_GROUP: Final = "kustomize.config.k8s.io/"
_ENTRIES: Final = ("resources", "bases", "components")
"""Fields that name files or folders."""

_PATHS: Final = (
    "patchesStrategicMerge",
    "configurations",
    "crds",
    "transformers",
    "generators",
    "validators",
)
"""Fields that name files, or hold them."""

_WITH_PATH: Final = ("patches", "patchesJson6902", "replacements")
_GENERATORS: Final = ("configMapGenerator", "secretGenerator")
_ORDER_ONLY: Final = frozenset(
    {"apiVersion", "kind", "metadata", "resources", "bases", "sortOptions", "buildMetadata"}
)
"""Fields that change nothing in what the files say."""


@dataclass(frozen=True)
class Kustomization:
    """One folder with such a file."""

    file: Path
    data: Mapping[str, Any] = field(repr=False)

    @property
    def folder(self) -> Path:
        return self.file.parent

    @property
    def plain(self) -> bool:
        """Whether it makes of its files what they say: it only lists them."""
        return all(set(each.data) <= _ORDER_ONLY for each in self.together())

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Everything it names, as it is written: files, folders, addresses."""
        found = [*_texts(self.data, *_ENTRIES), *_texts(self.data, *_PATHS)]
        for key in _WITH_PATH:
            found += [str(item["path"]) for item in _mappings(self.data.get(key)) if "path" in item]
        openapi = self.data.get("openapi")
        if isinstance(openapi, Mapping) and "path" in openapi:
            found.append(str(openapi["path"]))
        for key in _GENERATORS:
            for item in _mappings(self.data.get(key)):
                given = [*_texts(item, "files", "envs"), *([str(item["env"])] if item.get("env") else [])]
                found += [name.partition("=")[2] or name for name in given]
        return tuple(name for name in found if "\n" not in name)

    @property
    def files(self) -> set[Path]:
        """Files that are its input, or that of folders it names, resolved."""
        return {
            path
            for each in self.together()
            for path in (each.file.resolve(), *((each.folder / name).resolve() for name in each.names))
            if path.is_file()
        }

    @cached_property
    def inner(self) -> tuple[Kustomization, ...]:
        """Kustomizations of the folders it names."""
        folders = [self.folder / name for name in _texts(self.data, *_ENTRIES)]
        return tuple(found for folder in folders if folder.is_dir() and (found := of(folder)) is not None)

    def together(self) -> Iterator[Kustomization]:
        """It and the kustomizations of all folders it names, each once."""
        queue, seen = [self], set[Path]()
        while queue:
            each = queue.pop()
            if each.folder.resolve() not in seen:
                seen.add(each.folder.resolve())
                yield each
                queue += each.inner

    def elsewhere(self) -> str | None:
        """Something it, or a folder it names, takes from elsewhere or that is not there; None without."""
        for each in self.together():
            for name in each.names:
                path = each.folder / name
                if "://" in name or not path.exists():
                    return name
                if path.is_file() and name in _texts(each.data, *_PATHS) and b"://" in path.read_bytes():
                    return name
            for text in _texts(each.data, "transformers", "generators", "validators"):
                if "\n" in text and "://" in text:
                    return "an address in a generator or transformer"
        return None


def _texts(data: Mapping[str, Any], *keys: str) -> Iterator[str]:
    for key in keys:
        value = data.get(key)
        yield from (item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def _mappings(value: Any) -> Iterator[Mapping[str, Any]]:
    yield from (item for item in value if isinstance(item, Mapping)) if isinstance(value, list) else ()


def of(folder: Path) -> Kustomization | None:
    """The kustomization of a folder; None where it has none, or none that can be read."""
    for name in NAMES:
        file = folder / name
        if not file.is_file():
            continue
        try:
            roots, _ = compose_all(file.read_bytes())
        except (OSError, UnreadableError):
            return None
        data = roots[0].data() if roots else None
        # Both are optional in the file; objects of the same name are Flux' own.
        if isinstance(data, dict) and str(data.get("apiVersion", _GROUP)).startswith(_GROUP):
            return Kustomization(file, data)
    return None


def below(root: Path, rendered: str) -> list[Kustomization]:
    """Every kustomization of a folder and those below, in a fixed order. Hidden folders are left out, and
    those with a file called `rendered`, whose kustomizations only say who wrote the objects."""
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = [] if rendered in names else sorted(name for name in folders if name[0] != ".")
        if rendered in names:
            continue
        if not set(NAMES).isdisjoint(names) and (one := of(Path(folder))) is not None:
            found.append(one)
    return found


def outermost(kustomizations: Iterable[Kustomization]) -> list[Kustomization]:
    """Those that no other names."""
    given = list(kustomizations)
    named = {inner.folder.resolve() for each in given for inner in each.inner}
    return [each for each in given if each.folder.resolve() not in named]


class BuildError(Exception):
    """Why a folder cannot be built, as a sentence without its full stop."""


def build(kustomization: Kustomization) -> tuple[bytes, Path]:
    """Objects of a kustomization as YAML, each with the annotation that says where it comes from, and the
    folder that those places start at.

    Raises BuildError when nothing on this machine builds it, when it would fetch something, or when Kustomize
    refuses it.
    """
    if kustomization.data.get("kind") == "Component":
        raise BuildError("it is a Component, which is only part of others")
    missing = kustomization.elsewhere()
    if missing is not None:
        raise BuildError(f"{missing[:120]} is not in this folder, and nothing is fetched")
    command = _command()
    with tempfile.TemporaryDirectory(prefix="madeploy-kustomize-") as scratch:
        inside = Path(scratch).resolve()
        wrapper = {
            "resources": [os.path.relpath(kustomization.folder.resolve(), inside)],
            "buildMetadata": ["originAnnotations"],
        }
        (inside / NAMES[0]).write_text(dump(wrapper), encoding="utf-8")
        environment = {**os.environ, "HOME": scratch, "GIT_ALLOW_PROTOCOL": "none"}
        try:
            done = subprocess.run(
                [*command, str(inside)],
                capture_output=True,
                timeout=_SECONDS,
                check=False,
                stdin=subprocess.DEVNULL,
                env=environment,
            )
        except subprocess.TimeoutExpired:
            raise BuildError(f"{' '.join(command)} did not end within {_SECONDS} seconds") from None
        except OSError as error:
            raise BuildError(f"{command[0]} cannot be started: {error.strerror}") from None
    if done.returncode:
        raise BuildError(f"Kustomize refuses it: {_reason(done.stderr.decode(errors='replace'))}")
    return done.stdout, inside


def take_source(built: Mapping[str, Any], kustomization: Kustomization, start: Path) -> Path:
    """The file that a built object comes from, as seen from where the kustomization's is named: for what a
    generator makes, the kustomization that has it. Takes the annotation that says it away."""
    metadata = built["metadata"]
    annotations = metadata.get("annotations") or {}
    said = annotations.pop(ORIGIN, None)
    if not annotations:
        metadata.pop("annotations", None)
    if said is None:  # Kustomize before 4.3.
        return kustomization.file
    data = compose_all(str(said).encode())[0][0].data()
    file = (start / str(data.get("path") or data.get("configuredIn"))).resolve()
    return Path(
        os.path.normpath(kustomization.folder / os.path.relpath(file, kustomization.folder.resolve()))
    )


def _command() -> list[str]:
    for name, verb in (("kubectl", "kustomize"), ("kustomize", "build")):
        found = shutil.which(name)
        if found:
            return [found, verb]
    raise BuildError("neither kubectl nor kustomize is on PATH")


def _reason(said: str) -> str:
    """The last thing Kustomize said, without kubectl's log prefix, and without what it quotes of files."""
    said = re.sub(r"`[^`]*`", "…", said.replace('\\"', "'").replace("\\n", " "))
    lines = [line for line in said.splitlines() if re.search(r"\w", line)] or ["it does not say why"]
    text = re.sub(r'^E\d{4} .*?\] "command failed" err=', "", lines[-1]).strip('" \t')
    text = re.sub(r"^.*\bpath '[^']*': ", "", text)
    return text.removeprefix("error: ").removeprefix("Error: ")[:300]
