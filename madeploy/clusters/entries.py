"""The entry of a cluster in a stack file: made, checked with everything else in the file, and written."""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from madeploy.documents.merges import unresolved_merge
from madeploy.errors import ToolkitError, UsageError
from madeploy.findings import Finding
from madeploy.findings.text import report
from madeploy.kubeconfigs import Endpoint
from madeploy.names.kubernetes import CREDENTIALS_NAMESPACE
from madeploy.plan.changes import Identity
from madeploy.settings import CONTROL_PLANE, Environment
from madeploy.stackfile.edit import StackEditError, set_value, value_at
from madeploy.stackfile.loader import label, load_environment
from madeploy.stacks.files import read_text
from manifests import catalog, registration
from manifests.inputs import Inputs
from manifests.objects import Object

_PLACEHOLDER = {"secure": "v1:placeholder"}
"""Stands for a secret while the text is checked; it is never written."""


def existing(text: str, name: str) -> Mapping[str, Any] | None:
    """The entry a stack file has for a cluster; None for none. Raises UsageError."""
    try:
        found = value_at(text, ("clusters", name))
    except StackEditError as error:
        raise _uneditable(error) from None
    return found if isinstance(found, dict) else None


def with_entry(text: str, name: str, entry: Mapping[str, Any]) -> str:
    """The stack file's text with the entry. Raises UsageError where it cannot be put in safely."""
    try:
        return set_value(text, ("clusters", name), dict(entry))
    except StackEditError as error:
        raise _uneditable(error) from None


def _uneditable(error: StackEditError) -> ToolkitError:
    return UsageError(
        "the stack file cannot be changed", str(error), "correct it, or write the entry by hand"
    )


def checked(text: str, path: Path, name: str, *, stored: bool) -> tuple[Environment | None, list[Finding]]:
    """The environment that a stack file's text with the new entry gives, and what is wrong with that.

    `stored`: the cluster's kubeconfig is going to be among the encrypted ones.
    """
    if stored:
        text = set_value(text, ("kubeconfigs", name), _PLACEHOLDER)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / path.name
        copy.write_bytes(text.encode("utf-8"))
        loaded = load_environment(copy, label(path))
    return loaded.environment, [item for item in loaded.findings if item.severity == "error"]


def refused(name: str, path: Path, findings: list[Finding]) -> ToolkitError:
    """The error for an entry with which the stack could not be used."""
    return UsageError(
        f"cluster {name} cannot be added as it is",
        report(label(path), findings),
        "give the command what is missing, or correct the stack file; nothing was written",
    )


def objects(environment: Environment, name: str, endpoint: Endpoint) -> list[Identity]:
    """What registering a cluster makes on both sides, by name only."""
    address = {name: (endpoint.host, endpoint.port)}
    found: list[Identity] = []
    for target in catalog.targets(Inputs(environment), address):
        if target.cluster == name:
            found += [_named(name, item) for bundle in target.bundles for item in bundle.objects]
    for secret in registration.secret_names(name).values():
        found.append(Identity(CONTROL_PLANE, "Secret", CREDENTIALS_NAMESPACE, secret))
    found.append(_named(CONTROL_PLANE, registration.cluster(environment, name, endpoint.host, endpoint.port)))
    return found


def _named(cluster: str, item: Object) -> Identity:
    metadata = item["metadata"]
    return Identity(cluster, item["kind"], metadata.get("namespace", ""), metadata["name"])


def authority_data(path: Path) -> str:
    """`certificateAuthorityData` of a file with PEM certificates. Raises UsageError."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"the authority {path} cannot be read", error.strerror or "", "name a PEM file"
        ) from None
    if (merge := unresolved_merge(content)) is not None:
        raise UsageError(
            f"the authority {path} cannot be used", f"line {merge.line + 1}: {merge.evidence}", merge.fix
        )
    return base64.b64encode(content).decode("ascii")


def as_kept(entry: dict[str, Any], path: Path, name: str) -> dict[str, Any]:
    """The entry with the parts that an earlier run of this command kept, so that it is recognised."""
    there = existing(read_text(path), name) or {}
    return {**entry, "adopted": there["adopted"]} if "adopted" in there else entry
