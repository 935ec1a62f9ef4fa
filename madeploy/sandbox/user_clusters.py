"""Clusters the user already has, in place of the embedded ones."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from madeploy.errors import UsageError
from madeploy.sandbox.cluster import CONTROL_PLANE, compute_name
from madeploy.sandbox.errors import SandboxError

ANSWER_SECONDS = 10


@dataclass(frozen=True)
class UserCluster:
    """A context of the user's kubeconfig: its role here, and the API server it leads to."""

    role: str
    context: str
    server: str


def find(kubectl: Path, control_plane: str, compute: Sequence[str]) -> list[UserCluster]:
    """The user's clusters by their contexts, each of which answers.

    Raises:
        UsageError: a context is unknown or named twice.
        SandboxError: a cluster does not answer.
    """
    wanted = {CONTROL_PLANE: control_plane}
    wanted |= {compute_name(index): context for index, context in enumerate(compute)}
    servers = _servers(kubectl)
    unknown = [context for context in wanted.values() if context not in servers]
    if unknown:
        raise UsageError(
            f"the kubeconfig has no context {', '.join(unknown)}",
            f"it has {', '.join(sorted(servers)) or 'none'}",
            "name one of these, or set KUBECONFIG to the file that has it",
        )
    clusters = [UserCluster(role, context, servers[context]) for role, context in wanted.items()]
    if len({cluster.server for cluster in clusters}) < len(clusters):
        raise UsageError(
            "the control plane and each compute cluster must be clusters of their own",
            "; ".join(f"{cluster.role}: {cluster.context} is {cluster.server}" for cluster in clusters),
            "name a different context for each",
        )
    with ThreadPoolExecutor(len(clusters)) as pool:
        answers = dict(
            zip(clusters, pool.map(lambda one: _refusal(kubectl, one.context), clusters), strict=True)
        )
    silent = {cluster: refusal for cluster, refusal in answers.items() if refusal}
    if silent:
        raise SandboxError(
            f"{', '.join(cluster.context for cluster in silent)}: no usable answer",
            "\n".join(f"{cluster.server}: {refusal}" for cluster, refusal in silent.items()),
            "start the cluster or mend its entry in the kubeconfig, and run the command again",
        )
    return clusters


def contexts(clusters: Sequence[UserCluster]) -> Mapping[str, str]:
    """Context by cluster name, as the state remembers it."""
    return {cluster.role: cluster.context for cluster in clusters}


def _servers(kubectl: Path) -> dict[str, str]:
    done = subprocess.run(
        [str(kubectl), "config", "view", "-o", "json"], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise SandboxError(
            "the kubeconfig cannot be read", done.stderr.strip(), "mend it, or set KUBECONFIG to another"
        )
    config = json.loads(done.stdout)
    servers = {item["name"]: item["cluster"].get("server", "") for item in config.get("clusters") or []}
    return {
        item["name"]: servers.get(item["context"].get("cluster", ""), "")
        for item in config.get("contexts") or []
    }


def _refusal(kubectl: Path, context: str) -> str:
    """Why a cluster is of no use; empty when it answers."""
    command = [str(kubectl), f"--context={context}", f"--request-timeout={ANSWER_SECONDS}s", "auth", "can-i"]
    try:
        done = subprocess.run(
            [*command, "create", "namespaces"],
            capture_output=True,
            text=True,
            check=False,
            timeout=2 * ANSWER_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return f"no answer within {2 * ANSWER_SECONDS} s"
    if done.returncode == 0:
        return ""
    said = (done.stderr.strip() or done.stdout.strip()).splitlines()
    return "you may not create namespaces there" if said[-1:] == ["no"] else "\n".join(said[-2:])
