"""Changed copies of Go modules: files in Go's module cache can be neither changed nor overlaid.

What is changed is the content that `go.sum` vouches for, so a copy is the same on every machine.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


class EditError(Exception):
    """A module is not as its changes expect: the module was updated, and the changes were not."""


@dataclass(frozen=True)
class Substitution:
    """One text in place of another, which must occur exactly once in `file`."""

    file: str
    old: str
    new: str

    def apply(self, text: str) -> str:
        if (count := text.count(self.old)) != 1:
            raise EditError(f"{self.file} holds {self.old!r} {count} times, not once")
        return text.replace(self.old, self.new)


@dataclass(frozen=True)
class Registration:
    """A generated file that registers packages: all but those of `packages` are taken out.

    Args:
        file: path in the module. Of a package taken out go the import, each function whose signature names
            it, and each other line that does.
        prefix: import path before the packages' names.
        packages: the names of those that stay; each must be registered.
    """

    file: str
    prefix: str
    packages: tuple[str, ...]

    def apply(self, text: str) -> str:
        imports = re.compile(rf'^\t(?:(\w+) )?"{re.escape(self.prefix)}([^"]+)"\n', re.MULTILINE)
        registered = {package: alias or package for alias, package in imports.findall(text)}
        if missing := set(self.packages) - registered.keys():
            raise EditError(f"{self.file} does not register {', '.join(sorted(missing))}")
        unwanted = [name for package, name in registered.items() if package not in self.packages]
        if not unwanted:
            return text
        names = re.compile(rf"\b(?:{'|'.join(map(re.escape, unwanted))})\.")
        text = imports.sub(lambda found: found.group() if found.group(2) in self.packages else "", text)
        parts = re.split(r"(?m)^(?=func )", text)
        kept = [
            part for part in parts if not (part.startswith("func ") and names.search(part.partition("\n")[0]))
        ]
        return "".join(line for line in "".join(kept).splitlines(keepends=True) if not names.search(line))


@dataclass(frozen=True)
class EditedModule:
    """A module that is built from a changed copy.

    Args:
        module: its path.
        edits: the changes.
        directories: the subdirectories that are copied, by directory (the module's own is ""); all of a
            directory that is not named here.
        omitted: files that are not copied.
    """

    module: str
    edits: tuple[Substitution | Registration, ...]
    directories: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    omitted: tuple[str, ...] = ()

    def copy(self, source: Path, target: Path) -> None:
        """Put the changed copy of the module in `source` to `target`, without its tests.

        Raises:
            EditError: an edit does not fit the module.
            OSError: it cannot be read or written.
        """
        for path in self._files(source, source):
            copy = target / path.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            # Not its mode: the module cache is read-only.
            shutil.copyfile(path, copy)
        for edit in self.edits:
            path = target / edit.file
            path.write_text(edit.apply(path.read_text(encoding="utf-8")), encoding="utf-8")

    def _files(self, source: Path, directory: Path) -> list[Path]:
        wanted = self.directories.get("" if directory == source else str(directory.relative_to(source)))
        found: list[Path] = []
        for path in sorted(directory.iterdir()):
            if path.is_dir():
                if path.name != "testdata" and (wanted is None or path.name in wanted):
                    found += self._files(source, path)
            elif not path.name.endswith("_test.go") and str(path.relative_to(source)) not in self.omitted:
                found.append(path)
        return found
