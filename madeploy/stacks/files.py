"""Stack files: found by a stack's name, read, replaced in one step."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from madeploy.errors import UsageError
from madeploy.findings.text import report
from madeploy.settings import Environment
from madeploy.stackfile.edit import StackEditError, remove, set_value
from madeploy.stackfile.loader import label, load_environment

Edit = tuple[tuple[str, ...], Any]
"""A path from the top of `config` and the plain data that is to stand there; None: nothing is."""

_FOLDER = "stacks"
_CHECKOUT = Path(__file__).resolve().parents[2]


def folder() -> Path:
    """Where stack files are: `stacks/` of the current directory, else of the checkout this command belongs
    to, so that it works from anywhere."""
    here = Path(_FOLDER)
    return here if here.is_dir() else _CHECKOUT / _FOLDER


def project() -> Path:
    """The folder of the Pulumi project that the stacks belong to, where Pulumi is started."""
    return folder().resolve().parent


def stack_path(given: str) -> Path:
    """The file of a path, or of a stack's name in the folder of stack files. It need not exist.

    Where the shell names another file for its stack, as Pulumi's CLI reads it (`PULUMI_STACK`,
    `PULUMI_OPTION_CONFIG_FILE`), that one is the stack's.
    """
    path = Path(given)
    if path.suffix in (".yaml", ".yml") or path.exists() or "/" in given:
        return path
    elsewhere = os.environ.get("PULUMI_OPTION_CONFIG_FILE")
    if elsewhere and given == os.environ.get("PULUMI_STACK"):
        return Path(elsewhere)
    return folder() / f"Pulumi.{given}.yaml"


def stack_name(path: Path) -> str:
    """Name of the stack that a file is of."""
    return path.name.removeprefix("Pulumi.").removesuffix(".yaml")


def all_stacks() -> list[Path]:
    """Every stack file in the folder of stack files, by name."""
    return sorted(folder().glob("Pulumi.*.yaml"))


def known_stacks() -> str:
    """Names of the stacks there are, for a message."""
    return ", ".join(map(stack_name, all_stacks())) or "none"


def open_environment(given: str, tolerated: Collection[str] = ()) -> tuple[str, Path, Environment]:
    """A stack's name, file and environment. `tolerated` are codes of errors in spite of which it is wanted.
    Raises UsageError with all findings when the file is missing or wrong."""
    path = stack_path(given)
    name = stack_name(path)
    if not path.exists():
        raise UsageError(
            f"there is no stack {given}",
            f"{path} does not exist; there are {known_stacks()}",
            "name one of these, or write it: bin/madeploy init ENV",
        )
    loaded = load_environment(path, label(path), tolerated)
    if loaded.environment is None:
        raise UsageError(
            f"stack {name} cannot be used",
            report(label(path), loaded.findings),
            f"correct the file; bin/madeploy validate {name} checks it",
        )
    return name, path, loaded.environment


def read_text(path: Path) -> str:
    """A stack file's text with its line ends as they are. Raises UsageError."""
    try:
        return path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{label(path)} cannot be read", str(error), "see that it exists and is UTF-8 text"
        ) from None


def edited(path: Path, edits: Sequence[Edit]) -> tuple[str, str]:
    """A stack file's text, and the same with settings changed. Raises UsageError."""
    before = after = read_text(path)
    try:
        for place, value in edits:
            after = remove(after, place) if value is None else set_value(after, place, value)
    except StackEditError as error:
        raise UsageError(
            f"{label(path)} cannot be changed",
            str(error),
            "change it by hand as docs/configuration.md says, then run the command again",
        ) from None
    return before, after


def edit(path: Path, edits: Sequence[Edit]) -> Environment | None:
    """Change settings in a stack file: all at once, and to something that can be used, or nothing. Returns
    what it says now; None where nothing had to change. Raises UsageError."""
    before, after = edited(path, edits)
    return None if after == before else write(path, before, after, checked=True)


def require_unchanged(path: Path, before: str) -> None:
    """Raises UsageError when somebody has written a stack file since its text was read."""
    if read_text(path) != before:
        raise UsageError(
            f"{label(path)} has changed meanwhile",
            "another program or person wrote it",
            "run the command again",
        )


def write(path: Path, before: str, after: str, *, checked: bool = False) -> Environment | None:
    """Replace a stack file's text in one step, if it still is what it was; `checked`: and if the new text can
    be used. Returns what it says then, None where it was not checked.

    Raises UsageError when it is not, or cannot be written.
    """
    require_unchanged(path, before)
    try:
        mode = path.stat().st_mode
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(after.encode("utf-8"))
            environment = _usable(Path(temporary), path) if checked else None
            os.chmod(temporary, mode & 0o7777)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise UsageError(
            f"{label(path)} cannot be written", error.strerror or "", "see its rights and its disk"
        ) from None
    return environment


def _usable(written: Path, path: Path) -> Environment:
    """What is written for a stack file says. Raises UsageError with all findings when it cannot be
    used."""
    loaded = load_environment(written, label(path))
    if loaded.environment is None:
        raise UsageError(
            f"{label(path)} is left as it is: changed, it could not be used",
            report(label(path), loaded.findings),
            "correct what these findings name, then run the command again",
        )
    return loaded.environment
