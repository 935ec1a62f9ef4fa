"""The environment that checks look at: what its stack says, its objects, and its clusters as their
administrator."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from madeploy.clients.errors import ClientError
from madeploy.clients.kubernetes import Kubernetes, Object
from madeploy.doctor.checks import NotCheckedError
from madeploy.engine.commands import update
from madeploy.errors import ToolkitError
from madeploy.names.contexts import context
from madeploy.settings import CONTROL_PLANE, Environment
from manifests.catalog import placed


@dataclass
class Site:
    """One stack's environment. Made by `site_of`."""

    stack: str
    """Name of the stack."""

    environment: Environment
    connect: Callable[[str], Kubernetes]
    """Makes the client of a cluster, as its administrator; `control-plane` among them."""

    objects: Mapping[str, tuple[Object, ...]]
    """What the stack deploys, by cluster; Secrets left out."""

    at: tuple[str, int] | None = None
    """Host and port of the front door, in place of what DNS says of the domains."""

    _clients: dict[str, Kubernetes | Exception] = field(default_factory=dict, repr=False)
    _locks: dict[str, threading.Lock] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def client(self, cluster: str = CONTROL_PLANE) -> Kubernetes:
        """The API server of a cluster. Made once for all checks: a login command may ask a person something.

        Raises NotCheckedError where its kubeconfig cannot be used; the check `reach` says why.
        """
        with self._lock:
            lock = self._locks.setdefault(cluster, threading.Lock())
        with lock:
            if cluster not in self._clients:
                try:
                    self._clients[cluster] = self.connect(cluster)
                except (ClientError, ToolkitError) as error:
                    self._clients[cluster] = error
            made = self._clients[cluster]
        if isinstance(made, Exception):
            raise NotCheckedError(f"{cluster} cannot be asked, see reach/{cluster}")
        return made

    @property
    def namespace(self) -> str:
        """Namespace of the control plane's services."""
        return self.environment.platform.namespace

    def kubectl(self, arguments: str, cluster: str = CONTROL_PLANE) -> str:
        """kubectl on one of the clusters, ready to be typed."""
        return f"kubectl --context {context(self.environment, cluster)} {arguments}"

    @property
    def up(self) -> str:
        """Writes what the stack says and is not there."""
        return update(self.stack)

    @property
    def take_back(self) -> str:
        """Writes what the stack says over what others have written."""
        return update(self.stack, take_back=True)


def site_of(
    stack: str,
    environment: Environment,
    connect: Callable[[str], Kubernetes],
    at: tuple[str, int] | None = None,
) -> Site:
    """The site of a stack, its objects rendered."""
    objects: dict[str, list[Object]] = {CONTROL_PLANE: [], **{name: [] for name in environment.clusters}}
    for cluster, obj in placed(environment, stack):
        objects[cluster].append(obj)
    declared = {cluster: tuple(found) for cluster, found in objects.items()}
    return Site(stack, environment, connect, declared, at)
