"""Clients of a stack's clusters, as their administrator."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from madeploy import kubeconfigs
from madeploy.clients.kubernetes import Kubernetes
from madeploy.errors import ToolkitError, UsageError
from madeploy.kubeconfigs import KubeconfigError
from madeploy.settings import CONTROL_PLANE, Environment
from madeploy.stacks.files import open_environment
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
    contexts = {CONTROL_PLANE: environment.control_plane.kubeconfig_context}
    contexts |= {cluster: entry.kubeconfig_context for cluster, entry in environment.clusters.items()}
    wanted = list(contexts) if clusters is None else list(clusters)
    unknown = [cluster for cluster in wanted if cluster not in contexts]
    if unknown:
        there = ", ".join(sorted(environment.clusters)) or "none"
        raise UsageError(
            f"stack {name} has no cluster {', '.join(unknown)}",
            f"its clusters are: {there}",
            f"name one of these, or add it: bin/madeploy clusters add NAME --stack {name}",
        )
    on_eks = {cluster for cluster, entry in environment.clusters.items() if entry.eks is not None}
    stored = [cluster for cluster in wanted if contexts[cluster] is None and cluster not in on_eks]
    secrets = secret_section(name, "kubeconfigs") if stored else {}
    found: dict[str, Mapping[str, Any]] = {}
    unusable: dict[str, str] = {}
    for cluster in wanted:
        try:
            entry = environment.clusters.get(cluster)
            found[cluster] = kubeconfigs.of_entry(cluster, contexts[cluster], secrets.get(cluster), entry)
        except KubeconfigError as error:
            unusable[cluster] = "\n".join(f"{error.subject}: {defect}" for defect in error.defects)
    needed = unusable.keys() & set(wanted if required is None else required)
    if needed:
        raise _unusable(name, [text for cluster, text in unusable.items() if cluster in needed])
    return StackAccess(name, path, environment, found, unusable)


def connector(stack: str, environment: Environment) -> Callable[[str], Kubernetes]:
    """Makes the client of a cluster, as its administrator, when it is asked for: one whose kubeconfig, or a
    CLI that cannot decrypt it, stands in nobody else's way.

    It raises ClientError, and ToolkitError for a kubeconfig that cannot be used.
    """
    lock = threading.Lock()
    decrypted: list[Mapping[str, Any]] = []

    def stored(cluster: str) -> Any:
        with lock:
            if not decrypted:
                decrypted.append(secret_section(stack, "kubeconfigs"))
        return decrypted[0].get(cluster)

    def connect(cluster: str) -> Kubernetes:
        entry = environment.clusters.get(cluster)
        context = (entry or environment.control_plane).kubeconfig_context
        is_stored = context is None and (entry is None or entry.eks is None)
        try:
            found = kubeconfigs.of_entry(cluster, context, stored(cluster) if is_stored else None, entry)
        except KubeconfigError as error:
            defects = [f"{error.subject}: {defect}" for defect in error.defects]
            raise _unusable(stack, defects) from None
        return Kubernetes.from_kubeconfig(found)

    return connect


def _unusable(stack: str, defects: Iterable[str]) -> ToolkitError:
    return UsageError(
        f"clusters of stack {stack} cannot be reached as configured",
        "\n".join(defects),
        "correct the kubeconfig or its entry in the stack file",
    )
