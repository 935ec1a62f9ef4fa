"""The stack's own copy of its configuration, so that no command of the sandbox changes a committed file.

`pulumi stack init` writes a salt and `pulumi config set` a value into the stack's file. Both go to a copy in
the state directory, which `PULUMI_OPTION_CONFIG_FILE` names. Every `sandbox up` makes the copy anew from the
committed file; what was changed in the copy by hand since is found by comparing with what was written last,
and kept.
"""

from __future__ import annotations

import copy
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from madeploy.errors import UsageError
from madeploy.sandbox.state import StateDirectory, write_private

STACK = "sandbox"
_HEADER = (
    "# Made by `madeploy sandbox up` from the committed stack file, and made anew by each.\n"
    "# What `pulumi config set` changes here is kept.\n"
)
_CLUSTERS = "clusters"
_CONTROL_PLANE = "controlPlane"
_OWN = ("taskIdentity",)
"""What one cluster has for itself, and others made after its model do not."""


class StackFiles:
    """Files of the sandbox's stack.

    Args:
        directory: the sandbox's state directory.
        program: the program's directory, which holds `Pulumi.yaml`.

    Raises:
        UsageError: the program or its stack file for the sandbox is not there or cannot be read.
    """

    def __init__(self, directory: StateDirectory, program: Path) -> None:
        self.program = program
        self.directory = directory.root / "stack"
        self.copy = self.directory / f"Pulumi.{STACK}.yaml"
        self.backend = directory.root / "pulumi" / "backend"
        self.home = directory.root / "pulumi" / "home"
        self.passphrase = directory.root / "pulumi" / "passphrase"
        self._written = self.directory / "written.yaml"

    @property
    def project(self) -> dict[str, Any]:
        """Content of `Pulumi.yaml`."""
        return _load(self.program / "Pulumi.yaml")

    def variables(self) -> dict[str, str]:
        """What tells any Pulumi CLI to use this backend, this stack and this copy."""
        return {
            "PULUMI_BACKEND_URL": f"file://{self.backend}",
            "PULUMI_HOME": str(self.home),
            "PULUMI_CONFIG_PASSPHRASE_FILE": str(self.passphrase),
            "PULUMI_OPTION_CONFIG_FILE": str(self.copy),
            "PULUMI_STACK": STACK,
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }

    def write(self, compute: Mapping[str, str], control_plane: str) -> None:
        """Make the copy anew.

        Args:
            compute: kubeconfig context of each compute cluster, by cluster name.
            control_plane: kubeconfig context of the control plane.
        """
        project = self.project
        committed = self.program / str(project.pop("stackConfigDir", ".")) / f"Pulumi.{STACK}.yaml"
        wanted = _with_clusters(_load(committed), str(project["name"]), compute, control_plane)
        present = _load(self.copy) if self.copy.exists() else {}
        last = _load(self._written) if self._written.exists() else present
        merged = _merge(wanted, last, present)
        self.backend.mkdir(parents=True, exist_ok=True)
        self.home.mkdir(parents=True, exist_ok=True)
        if not self.passphrase.exists():
            write_private(self.passphrase, secrets.token_urlsafe(32))
        # The stack is created from here: the program's own Pulumi.yaml would put its file into the checkout.
        write_private(self.directory / "Pulumi.yaml", yaml.safe_dump(project, sort_keys=False))
        write_private(self.copy, _HEADER + yaml.safe_dump(merged, sort_keys=False))
        write_private(self._written, yaml.safe_dump(wanted, sort_keys=False))


def _merge(wanted: dict[str, Any], last: dict[str, Any], present: dict[str, Any]) -> dict[str, Any]:
    """`wanted`, with what differs between `last` and `present` done to it again."""
    config = dict(wanted.get("config") or {})
    before, after = last.get("config") or {}, present.get("config") or {}
    for key in {*before, *after}:
        if before.get(key) != after.get(key):
            config.pop(key, None)
            if key in after:
                config[key] = after[key]
    # Everything beside `config` is the engine's: the salt, a secrets provider.
    engine = {key: value for key, value in present.items() if key != "config"}
    return {**wanted, "config": config, **engine}


def _with_clusters(
    document: dict[str, Any], project: str, compute: Mapping[str, str], control_plane: str
) -> dict[str, Any]:
    """The stack's configuration for exactly these clusters; a program without any is left as it is."""
    made = copy.deepcopy(document)
    config = made.setdefault("config", {})
    clusters = config.get(f"{project}:{_CLUSTERS}")
    if isinstance(clusters, dict) and clusters:
        model = {key: value for key, value in next(iter(clusters.values())).items() if key not in _OWN}
        config[f"{project}:{_CLUSTERS}"] = {
            name: {**copy.deepcopy(clusters.get(name, model)), "kubeconfigContext": context}
            for name, context in compute.items()
        }
    if isinstance(section := config.get(f"{project}:{_CONTROL_PLANE}"), dict):
        section["kubeconfigContext"] = control_plane
    return made


def _load(path: Path) -> dict[str, Any]:
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(
            f"{path} cannot be read",
            error.strerror or "" if isinstance(error, OSError) else str(error),
            f"the sandbox deploys the stack `{STACK}` of the program there; restore the file",
        ) from None
    if not isinstance(document, dict):
        what = f"{path} cannot be read"
        raise UsageError(what, "it holds no mapping", "restore the file")
    return document
