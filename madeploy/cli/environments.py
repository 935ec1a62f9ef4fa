"""A stack's environment, for commands that need no cluster: light to import."""

from __future__ import annotations

from pathlib import Path

from madeploy.cli.stacks import known_stacks, stack_path
from madeploy.errors import ToolkitError
from madeploy.findings.text import report
from madeploy.settings import Environment
from madeploy.settings.loader import label, load_environment


def open_environment(given: str) -> tuple[str, Path, Environment]:
    """A stack's name, file and environment. Raises ToolkitError (2) with all findings when the file is
    missing or wrong."""
    path = stack_path(given)
    name = path.name.removeprefix("Pulumi.").removesuffix(".yaml")
    if not path.exists():
        raise ToolkitError(
            f"there is no stack {given}",
            f"{path} does not exist; there are {known_stacks()}",
            "name one of these, or write it: bin/madeploy init ENV",
            exit_code=2,
        )
    loaded = load_environment(path, label(path))
    if loaded.environment is None:
        raise ToolkitError(
            f"stack {name} cannot be used",
            report(label(path), loaded.findings),
            f"correct the file; bin/madeploy validate {name} checks it",
            exit_code=2,
        )
    return name, path, loaded.environment
