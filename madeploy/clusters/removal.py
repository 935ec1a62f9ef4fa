"""Removal: a registration is taken back in the reverse order of its making, and its credential is dead after.

First the cluster is let go by the platform and stays prepared (`credential.generation` 0): its `Cluster` is
deleted, which needs a running controller manager (V16), then the control plane's Secrets. Then the controller
manager is rolled, which would otherwise answer the same address with the old credential for good (facts 3.1).
Only then its entry leaves the stack file, and with it everything on the cluster, the credential first of all.

So nobody is ever left with a dead credential, and where it stands is in the stack file: interrupted anywhere
and begun again, it goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from madeploy.clients.errors import ClientError
from madeploy.clients.kubernetes import Kubernetes
from madeploy.clusters import controller_manager, credentials, serving_token
from madeploy.clusters.registration import cluster_path, read_registration
from madeploy.clusters.session import Session, next_revision
from madeploy.errors import ToolkitError
from madeploy.findings import Finding, find
from madeploy.names.kubernetes import CLUSTERS_NAMESPACE
from madeploy.settings import CONTROL_PLANE, Environment
from manifests import registration, serving
from manifests.inputs import Inputs

FINALIZER = "clusters.michelangelo.uber.com/finalizer"
"""What the controller manager takes from a `Cluster` that is deleted (facts 3.1)."""

SECTIONS = ("clusters", "kubeconfigs", "clusterTokens")
"""Sections of a stack file with an entry of the cluster's name."""

Step = Literal[
    "unregisteringWritten", "unregistered", "rollWritten", "rolled", "removalWritten", "removed", "refused"
]


@dataclass
class Removed:
    """Result of removing one registration."""

    name: str
    refused: list[float] = field(default_factory=list)
    """Seconds until each of its tokens was refused."""

    left: list[str] = field(default_factory=list)
    """Objects that could not be deleted on the cluster, `Kind namespace/name`."""

    findings: list[Finding] = field(default_factory=list)

    def to_data(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "name": self.name,
            "refusedAfterSeconds": [round(seconds, 1) for seconds in self.refused],
            "leftBehind": self.left,
            "findings": [item.to_data() for item in self.findings],
        }


class Removal:
    """The removal of one cluster from a stack.

    Args:
        stack: the stack.
        name: the cluster; it need not be in the settings any more.
        forget: whether the cluster may be gone: what is on it is then let go unseen.
        reached: told each step once it is done, for tests that end it there.
    """

    def __init__(
        self, stack: Session, name: str, *, forget: bool, reached: Callable[[Step], None] = lambda _: None
    ) -> None:
        self._stack = stack
        self._name = name
        self._forget = forget
        self._reached = reached
        self._control_plane: Kubernetes = stack.client(CONTROL_PLANE)
        self._settings: Environment = stack.settings()
        self._result = Removed(name)

    def run(self) -> Removed:
        """Remove it.

        Raises ToolkitError (1) before anything is done when the cluster does not answer and may not be
        forgotten, or when nobody is there to take the finalizer away; and what the stack raises.
        """
        result, is_known = self._result, self._name in self._settings.clusters
        tokens = self._tokens() if is_known else []
        if is_known:
            self._unregister()
            if result.findings:
                return result
            self._stack.edit([next_revision(self._stack.settings())])
            self._reached("rollWritten")
            self._stack.apply([], "the controller manager is rolled: it would keep the old credential")
            self._reached("rolled")
        self._stack.edit([((section, self._name), None) for section in SECTIONS])
        self._reached("removalWritten")
        failed = self._stack.apply([self._name], f"what is on {self._name} is removed", may_drop=True)
        self._reached("removed")
        result.findings += failed.values()
        if not failed:
            self._look_back(tokens)
        self._reached("refused")
        return result

    def _tokens(self) -> list[str] | None:
        """Tokens the cluster accepts for the platform; None when it does not answer and may be forgotten."""
        credential = self._settings.clusters[self._name].credential
        try:
            there = credentials.present(self._stack.client(self._name))
            others = serving_token.present(self._stack.client(self._name))
        except (ClientError, ToolkitError) as error:
            if self._forget:
                return None
            raise ToolkitError(
                f"cluster {self._name} does not answer as it should",
                f"{error}; what is on it, its credential first of all, could not be deleted",
                "wait until it answers, or correct its kubeconfig; if it is gone for good, say --forget: "
                "the rest is removed then, and what was on it is listed",
                exit_code=1,
            ) from None
        known = {item.generation for item in credentials.known(credential)}
        tokens = {item.token for item in there if item.token and item.credential.generation in known}
        registered = read_registration(self._control_plane, self._name).token
        served = [token for number, token in others.items() if token and number in known]
        return sorted({*tokens, *served, *([registered] if registered else [])})

    def _unregister(self) -> None:
        """Let the platform let go of it."""
        credential = self._settings.clusters[self._name].credential
        if self._control_plane.find(cluster_path(self._name)) is not None:
            self._require_manager()
        if credential.generation > 0:
            kept = {**credential.to_yaml_data(), "generation": 0}
            kept["keep"] = [
                item.to_yaml_data() | {"generation": item.generation}
                for item in credentials.known(credential)
            ]
            self._stack.edit([(("clusters", self._name, "credential"), kept)])
        self._reached("unregisteringWritten")
        failed = self._stack.apply([self._name], f"{self._name} is let go by the platform", may_drop=True)
        self._result.findings += failed.values()
        stuck = self._stuck()
        if stuck is not None:
            self._result.findings.append(stuck)
        self._reached("unregistered")

    def _require_manager(self) -> None:
        namespace = self._settings.platform.namespace
        if not controller_manager.is_at_work(self._control_plane, namespace):
            raise ToolkitError(
                f"cluster {self._name} cannot be removed now",
                f"Cluster {CLUSTERS_NAMESPACE}/{self._name} has the finalizer {FINALIZER}, which only a "
                f"running controller manager takes away; no pod of {controller_manager.SERVICE} in "
                f"{namespace} is ready",
                f"let it run (kubectl -n {namespace} get deployment {controller_manager.SERVICE}), then "
                "remove the cluster again; nothing was done",
                exit_code=1,
            )

    def _stuck(self) -> Finding | None:
        """A finding when the `Cluster` is still there after the update that deletes it."""
        cluster = self._control_plane.find(cluster_path(self._name))
        if cluster is None:
            return None
        evidence = f"Cluster {CLUSTERS_NAMESPACE}/{self._name} is still there"
        if cluster["metadata"].get("deletionTimestamp"):
            evidence += f"; it waits for {', '.join(cluster['metadata'].get('finalizers') or [])}"
        fix = (
            f"See why the controller manager does not let it go:\n"
            f"kubectl -n {self._settings.platform.namespace} logs deployment/{controller_manager.SERVICE}\n"
            f"Then again:\nbin/madeploy clusters remove {self._name} --stack {self._stack.name}"
        )
        return find("MA475", self._name, evidence, fix=fix)

    def _look_back(self, tokens: list[str] | None) -> None:
        """Show that its tokens are dead, or say what is left on a cluster that did not answer."""
        if tokens is None:
            items = (
                *registration.compute_side(Inputs(self._settings), self._name).objects,
                *registration.token_requests(self._settings, self._name),
                *serving.target_side(Inputs(self._settings), self._name),
                *serving.token_requests(self._settings, self._name),
            )
            self._result.left = [f"{item['kind']} {_place(item['metadata'])}" for item in items]
            evidence = f"it did not answer; if it still exists, it has {', '.join(self._result.left)}"
            self._result.findings.append(find("MA474", self._name, evidence))
            return
        for token in tokens:
            seconds = credentials.seconds_until_refused(self._stack.with_token(self._name, token))
            if seconds is None:
                evidence = f"{credentials.REFUSED_SECONDS:.0f} s after its Secret was deleted"
                self._result.findings.append(find("MA470", self._name, evidence))
            else:
                self._result.refused.append(seconds)


def _place(metadata: dict[str, Any]) -> str:
    namespace = metadata.get("namespace")
    return f"{namespace}/{metadata['name']}" if namespace else str(metadata["name"])
