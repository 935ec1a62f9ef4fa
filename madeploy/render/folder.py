"""A tree on disk: written, compared, and cleaned of what an earlier one left, without touching anybody else's
files.

A folder is the toolkit's own where it holds the marker, which lists every file that was written. Only listed
files are ever removed. Symbolic links are neither followed nor replaced.
"""

from __future__ import annotations

import difflib
import json
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from madeploy.documents.merges import unresolved_merge
from madeploy.errors import ToolkitError, UsageError

MARKER: Final = ".madeploy-render.json"
_COMMENT: Final = (
    "Written by `madeploy render`: it replaces and removes the files listed here, and no others."
)

DIFF_LINES: Final = 20
"""Lines of one file's difference that are shown."""


@dataclass(frozen=True)
class Drift:
    """One file that is not as it would be written."""

    path: str
    kind: Literal["changed", "missing", "stale"]
    """`stale`: written earlier, and no longer part of the tree."""

    diff: tuple[str, ...] = ()
    """Lines of a unified difference, shortened."""


@dataclass
class Written:
    """Result of writing, by path."""

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    unchanged: int = 0


class Folder:
    """A folder that a tree is written to or compared with."""

    def __init__(self, root: Path, stack: str) -> None:
        self.root = root
        self.stack = stack

    def write(self, files: Mapping[str, str]) -> Written:
        """Make the folder hold the tree: text by path.

        Raises UsageError before anything is written when the folder is not empty and has no marker,
        belongs to another stack, or has a symbolic link or something else than a file in a place that is
        needed.
        """
        before = self._claimed()
        self._refuse_links([*files, *before])
        self.root.mkdir(parents=True, exist_ok=True)
        # Everything is listed before it is there: whatever interrupts this, the next run knows its own files.
        self._mark({*before, *files})
        result = Written()
        for folder in _folders(files):
            (self.root / folder).mkdir(exist_ok=True)
        for path, text in files.items():
            self._put(path, text, result)
        for path in sorted(before - files.keys()):
            self._remove(path, result)
        self._mark(files)
        return result

    def drift(self, files: Mapping[str, str]) -> list[Drift]:
        """Files that differ from the tree, by path. Raises UsageError as `write` does."""
        before = self._claimed()
        self._refuse_links(files)
        found = [drift for path, text in files.items() if (drift := self._compared(path, text))]
        stale = (path for path in before - files.keys() if os.path.lexists(self.root / path))
        found += [Drift(path, "stale") for path in stale]
        return sorted(found, key=lambda drift: drift.path)

    def _claimed(self) -> set[str]:
        """Paths that an earlier run listed; none for a folder that is new or empty."""
        marker = self.root / MARKER
        if marker.is_symlink() or (self.root.exists() and not self.root.is_dir()):
            raise self._refusal("is not a folder of files", "give another folder")
        try:
            text = marker.read_text(encoding="utf-8")
        except FileNotFoundError:
            if self.root.is_dir() and any(self.root.iterdir()):
                raise self._refusal(
                    f"is not empty and holds no {MARKER}, so its files are somebody else's",
                    "give an empty folder, or a new one",
                ) from None
            return set()
        if (merge := unresolved_merge(text.encode())) is not None:
            raise self._refusal(
                f"has a {MARKER} that cannot be read, line {merge.line + 1}: {merge.evidence}", merge.fix
            )
        try:
            data: Any = json.loads(text)
            stack, files = data["stack"], {str(path) for path in data["files"]}
        except (ValueError, KeyError, TypeError):
            raise self._refusal(
                f"has a {MARKER} that cannot be read",
                "restore it from version control, or give an empty folder",
            ) from None
        if stack != self.stack:
            raise self._refusal(f"holds the files of stack {stack}", "give each stack a folder of its own")
        if any(not _is_inside(path) for path in files):
            raise self._refusal(f"has a {MARKER} that lists files elsewhere", "restore it")
        return files

    def _refuse_links(self, paths: Iterable[str]) -> None:
        """Raise unless every place that is needed is free, a file, or a folder in the way to one."""
        for folder in _folders(paths):
            if not _is_a(self.root / folder, stat.S_ISDIR):
                raise self._refusal(f"has something else than a folder at {folder}", "remove it")

    def _put(self, path: str, text: str, result: Written) -> None:
        full = f"{self.root}/{path}"
        try:
            # Most are new; opened so, nothing that is there can be followed or harmed.
            descriptor = os.open(full, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        except FileExistsError:
            if self._read(path) == text:
                result.unchanged += 1
                return
            descriptor = os.open(full, os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW)
            result.changed.append(path)
        else:
            result.added.append(path)
        with open(descriptor, "wb", buffering=0) as file:
            file.write(text.encode())

    def _read(self, path: str) -> str | None:
        """Text of a file; None when there is none. What is no text differs from every text."""
        try:
            descriptor = os.open(self.root / path, os.O_RDONLY | os.O_NOFOLLOW)
        except FileNotFoundError:
            return None
        except OSError:
            raise self._refusal(f"has something else than a file at {path}", "remove it") from None
        with open(descriptor, encoding="utf-8", errors="replace", newline="") as file:
            return file.read()

    def _remove(self, path: str, result: Written) -> None:
        full = self.root / path
        if not _is_a(full, stat.S_ISREG):
            return
        try:
            full.unlink()
        except FileNotFoundError:
            return
        result.removed.append(path)
        for parent in full.parents:
            # Folders that are empty now go too; one with somebody's file in it stays.
            if parent == self.root or any(parent.iterdir()):
                break
            parent.rmdir()

    def _compared(self, path: str, text: str) -> Drift | None:
        there = self._read(path)
        if there == text:
            return None
        if there is None:
            return Drift(path, "missing")
        return Drift(path, "changed", tuple(_difference(path, there, text)))

    def _mark(self, files: Iterable[str]) -> None:
        data = {"comment": _COMMENT, "stack": self.stack, "files": sorted(files)}
        text = json.dumps(data, indent=1, ensure_ascii=False) + "\n"
        # Replaced in one step: half a list would make files nobody's.
        scratch = self.root / f"{MARKER}.new"
        scratch.write_text(text, encoding="utf-8")
        os.replace(scratch, self.root / MARKER)

    def _refusal(self, why: str, fix: str) -> ToolkitError:
        return UsageError(f"nothing was written to {self.root}", f"it {why}", fix)


def _folders(paths: Iterable[str]) -> list[str]:
    """Folders that files are in, those above them first."""
    found: set[str] = set()
    for path in paths:
        parent = path.rpartition("/")[0]
        while parent and parent not in found:
            found.add(parent)
            parent = parent.rpartition("/")[0]
    return sorted(found)


def _is_inside(path: str) -> bool:
    parts = path.split("/")
    return bool(path) and not path.startswith("/") and ".." not in parts and "" not in parts


def _is_a(path: Path, kind: Any) -> bool:
    """Whether nothing is at a path, or what is there is of this kind and no symbolic link."""
    try:
        return bool(kind(os.lstat(path).st_mode))
    except FileNotFoundError:
        return True


def _difference(path: str, there: str, wanted: str) -> Iterator[str]:
    """What writing would change in a file, as far as anybody reads."""
    lines = list(
        difflib.unified_diff(
            there.splitlines(), wanted.splitlines(), f"{path} (there)", f"{path} (rendered)", lineterm="", n=2
        )
    )
    yield from lines[:DIFF_LINES]
    if len(lines) > DIFF_LINES:
        yield f"… {len(lines) - DIFF_LINES} more lines"
