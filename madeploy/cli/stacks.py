"""Which stack file a person means: a path, a stack's name, or every one there is."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path("stacks")


def stack_path(given: str) -> Path:
    """The file of a path, or of a stack's name in `stacks/`. It need not exist."""
    path = Path(given)
    if path.suffix in (".yaml", ".yml") or path.exists() or "/" in given:
        return path
    return FOLDER / f"Pulumi.{given}.yaml"


def all_stacks() -> list[Path]:
    """Every stack file in `stacks/`, by name."""
    return sorted(FOLDER.glob("Pulumi.*.yaml"))


def known_stacks() -> str:
    """Names of the stacks there are, for a message."""
    names = [path.name.removeprefix("Pulumi.").removesuffix(".yaml") for path in all_stacks()]
    return ", ".join(names) or "none"
