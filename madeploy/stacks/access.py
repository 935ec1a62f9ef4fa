"""Clients of a stack's clusters, as their administrator."""

from __future__ import annotations

import threading
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from madeploy import kubeconfigs
from madeploy.clients.kubernetes import Kubernetes
from madeploy.errors import ToolkitError, UsageError
from madeploy.kubeconfigs import KubeconfigError
from madeploy.settings import CONTROL_PLANE, Environment
from madeploy.stackfile.edit import value_at
from madeploy.stacks.files import open_environment, read_text
from madeploy.stacks.secrets import secret_section


@dataclass(frozen=True)
class StackAccess:
    """One stack's environment, and its clusters' kubeconfigs as far as they were asked for."""

    name: str
    """The stack's name."""

    path: Path
    """Its file."""

    environment: Environment
    kubeconfigs: Mapping[str, Mapping[str, Any]]
    """Minified kubeconfig by cluster; the control plane's is `control-plane`. They hold credentials."""

    unusable: Mapping[str, str] = field(default_factory=dict)
    """What is wrong with the kubeconfigs of the other clusters asked for, as far as they could be missed."""

    def client(self, cluster: str) -> Kubernetes:
        """The API server of one of these clusters, as its administrator. Raises ClientError, and
        UsageError for an unusable one."""
        if cluster in self.unusable:
            raise _unusable(self.name, [self.unusable[cluster]])
        return Kubernetes.from_kubeconfig(self.kubeconfigs[cluster])


def open_stack(
    given: str, clusters: Iterable[str] | None = None, required: Iterable[str] | None = None
) -> StackAccess:
    """A stack with access to its clusters; `clusters` None means all, the control plane's included. Those not
    `required` (None: all are) may lack a usable kubeconfig.

    Kubeconfigs come from where the program takes them: the encrypted `kubeconfigs` of the stack file, else
    the named contexts of the kubeconfig at hand. Raises UsageError for a file, a name or a kubeconfig
    that cannot be used.
    """
    name, path, environment = open_environment(given)
    every = [CONTROL_PLANE, *environment.clusters]
    wanted = every if clusters is None else list(clusters)
    unknown = [cluster for cluster in wanted if cluster not in every]
    if unknown:
        there = ", ".join(sorted(environment.clusters)) or "none"
        raise UsageError(
            f"stack {name} has no cluster {', '.join(unknown)}",
            f"its clusters are: {there}",
            f"name one of these, or add it: bin/madeploy clusters add NAME --stack {name}",
        )
    kubeconfig_of = _reader(name, path, environment)
    found: dict[str, Mapping[str, Any]] = {}
    unusable: dict[str, str] = {}
    for cluster in wanted:
        try:
            found[cluster] = kubeconfig_of(cluster)
        except KubeconfigError as error:
            unusable[cluster] = _defects(error)
    needed = unusable.keys() & set(wanted if required is None else required)
    if needed:
        raise _unusable(name, [text for cluster, text in unusable.items() if cluster in needed])
    return StackAccess(name, path, environment, found, unusable)


def connector(stack: str, path: Path, environment: Environment) -> Callable[[str], Kubernetes]:
    """Makes the client of a cluster, as its administrator, when it is asked for: one whose kubeconfig, or a
    CLI that cannot decrypt it, stands in nobody else's way.

    It raises ClientError, and ToolkitError for a kubeconfig that cannot be used.
    """
    kubeconfig_of = _reader(stack, path, environment)

    def connect(cluster: str) -> Kubernetes:
        try:
            found = kubeconfig_of(cluster)
        except KubeconfigError as error:
            raise _unusable(stack, [_defects(error)]) from None
        return Kubernetes.from_kubeconfig(found)

    return connect


def _reader(stack: str, path: Path, environment: Environment) -> Callable[[str], Mapping[str, Any]]:
    """Reads the kubeconfig of a cluster as the program does: the encrypted one where the stack file has one.
    These are decrypted once, when the first is asked for.

    It raises KubeconfigError for one that cannot be used, and ToolkitError where none can be decrypted.
    """
    lock = threading.Lock()
    decrypted: list[Mapping[str, Any]] = []

    def stored(cluster: str) -> Any:
        with lock:
            if not decrypted:
                decrypted.append(secret_section(stack, "kubeconfigs"))
        return decrypted[0].get(cluster)

    @cache
    def named() -> Container[str]:
        return value_at(read_text(path), ("kubeconfigs",)) or ()

    def kubeconfig_of(cluster: str) -> Mapping[str, Any]:
        entry = environment.clusters.get(cluster)
        context = (entry or environment.control_plane).kubeconfig_context
        is_on_eks = entry is not None and entry.eks is not None
        # Without a context there is nothing but the encrypted one; with one the file is looked into.
        is_stored = not is_on_eks and (context is None or cluster in named())
        return kubeconfigs.of_entry(cluster, context, stored(cluster) if is_stored else None, entry)

    return kubeconfig_of


def _defects(error: KubeconfigError) -> str:
    return "\n".join(f"{error.subject}: {defect}" for defect in error.defects)


def _unusable(stack: str, defects: Iterable[str]) -> ToolkitError:
    return UsageError(
        f"clusters of stack {stack} cannot be reached as configured",
        "\n".join(defects),
        "correct the kubeconfig or its entry in the stack file",
    )
