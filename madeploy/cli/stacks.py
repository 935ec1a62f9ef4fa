"""Which stack file a person means: a path, a stack's name, or every one there is."""

from __future__ import annotations

import os
from pathlib import Path

_FOLDER = "stacks"
_CHECKOUT = Path(__file__).resolve().parents[2]


def folder() -> Path:
    """Where stack files are: `stacks/` of the current directory, else of the checkout this command belongs
    to, so that it works from anywhere."""
    here = Path(_FOLDER)
    return here if here.is_dir() else _CHECKOUT / _FOLDER


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


def all_stacks() -> list[Path]:
    """Every stack file in the folder of stack files, by name."""
    return sorted(folder().glob("Pulumi.*.yaml"))


def known_stacks() -> str:
    """Names of the stacks there are, for a message."""
    names = [path.name.removeprefix("Pulumi.").removesuffix(".yaml") for path in all_stacks()]
    return ", ".join(names) or "none"
