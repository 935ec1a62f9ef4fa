"""The stacks of a fleet in the backend: which there are, and how one is made and taken away."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import yaml

from madeploy.settings.environment import PROJECT
from madeploy.stacks.updates import EnvironmentStacks

_ENCRYPTION = ("secretsprovider", "encryptedkey", "encryptionsalt")


def names(stacks: EnvironmentStacks) -> list[str]:
    """Every stack of the project, the environment's own and those of others among them."""
    listed = stacks.engine.ask("stack", "ls", "--json", f"--project={PROJECT}", where=stacks.where)
    # Pulumi Cloud puts the organisation before the name.
    return [str(entry["name"]).rpartition("/")[2] for entry in json.loads(listed)]


def create(stacks: EnvironmentStacks, name: str) -> None:
    """Make a stack that shares the environment's stack file, and so its encryption.

    `pulumi stack init` writes a stack file of its own with new encryption beside the others. It is made from
    a directory that goes away again, with the environment's encryption in it.
    """
    shared = yaml.safe_load(stacks.file.read_text(encoding="utf-8")) or {}
    encryption = {key: shared[key] for key in _ENCRYPTION if key in shared}
    provider = encryption.get("secretsprovider")
    given = (f"--secrets-provider={provider}",) if provider else ()
    with tempfile.TemporaryDirectory() as scratch:
        project = {"name": PROJECT, "runtime": "python"}
        (Path(scratch) / "Pulumi.yaml").write_text(yaml.safe_dump(project), encoding="utf-8")
        (Path(scratch) / f"Pulumi.{name}.yaml").write_text(yaml.safe_dump(encryption), encoding="utf-8")
        stacks.engine.ask("stack", "init", name, "--no-select", *given, where=Path(scratch))


def forget(stacks: EnvironmentStacks, name: str) -> None:
    """Take an empty stack out of the backend; the stack file it shares stays."""
    stacks.engine.ask("stack", "rm", "--yes", "--preserve-config", f"--stack={name}", where=stacks.where)
