"""One registration on real API servers, made object by object as an update makes it, without the engine."""

from __future__ import annotations

import base64
import contextlib
import copy
import os
import re
import shlex
import subprocess
import time
from collections.abc import Callable
from typing import Any

from madeploy import kubeconfigs
from madeploy.clients.errors import ClientError
from madeploy.clients.kubernetes import Kubernetes, Object
from madeploy.clusters.checks.identity import account_uid
from madeploy.clusters.controller_manager import SERVICE
from madeploy.clusters.registration import CLUSTERS, cluster_path, secret_path
from madeploy.clusters.remedies import remedies
from madeploy.clusters.verification import Check, verify_registration
from madeploy.findings import Finding
from madeploy.names.kubernetes import RAY_MANAGER, RAY_MANAGER_TOKEN, RAY_NAMESPACE
from madeploy.sandbox import objects
from madeploy.sandbox.actors.registrations import NOBODY_LEADS
from madeploy.sandbox.environment import Environment as Embedded
from madeploy.settings import Environment
from manifests import registration
from manifests.inputs import Inputs
from tests.support.environments import environment as smallest
from tests.support.signing import signed_token
from tests.support.waiting import wait

STACK = "proving"
ROLES = "/apis/rbac.authorization.k8s.io/v1"
MANAGER = f"/apis/apps/v1/namespaces/ma-system/deployments/{SERVICE}"
_PLACES = {
    "Namespace": "/api/v1/namespaces",
    "ServiceAccount": "/api/v1/namespaces/{}/serviceaccounts",
    "ConfigMap": "/api/v1/namespaces/{}/configmaps",
    "Secret": "/api/v1/namespaces/{}/secrets",
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments",
    "ClusterRole": f"{ROLES}/clusterroles",
    "ClusterRoleBinding": f"{ROLES}/clusterrolebindings",
    "Role": f"{ROLES}/namespaces/{{}}/roles",
    "RoleBinding": f"{ROLES}/namespaces/{{}}/rolebindings",
    "NetworkPolicy": "/apis/networking.k8s.io/v1/namespaces/{}/networkpolicies",
    "CustomResourceDefinition": "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
    "Cluster": "/apis/michelangelo.api/v2/namespaces/{}/clusters",
}


def place(item: Object) -> str:
    """Path of an object."""
    metadata = item["metadata"]
    return f"{_PLACES[item['kind']].format(metadata.get('namespace'))}/{metadata['name']}"


def failed_check(checks: list[Check]) -> tuple[str, Finding]:
    """The check that failed, after checking that those before it passed and those after were not tried."""
    states = [check.state for check in checks]
    at = states.index("failed")
    assert states == ["passed"] * at + ["failed"] + ["notTried"] * (len(states) - at - 1)
    finding = checks[at].finding
    assert finding is not None
    return checks[at].name, finding


class Registration:
    """Cluster `name`, which is the embedded `compute-0`, registered at the embedded control plane."""

    def __init__(self, embedded: Embedded, name: str = "proven", compute: str = "compute-0") -> None:
        self.embedded = embedded
        self.name = name
        self.control_plane = self.connect("control-plane")
        self.compute = self.connect(compute)
        self.entry: dict[str, Any] = {"kubeconfigContext": compute}
        self.sections: dict[str, Any] = {"controlPlane": {"kubeconfigContext": "control-plane"}}
        minified = self.kubeconfig(compute)
        self.endpoint = kubeconfigs.endpoint(minified, compute)
        self.pki = embedded.directory.cluster(compute) / "pki"

    def kubeconfig(self, context: str) -> dict[str, Any]:
        """Minified kubeconfig of one embedded cluster."""
        return kubeconfigs.read_context(context, {"KUBECONFIG": str(self.embedded.kubeconfig)})

    def connect(self, context: str) -> Kubernetes:
        """One embedded cluster, as its administrator."""
        return Kubernetes.from_kubeconfig(self.kubeconfig(context))

    @property
    def settings(self) -> Environment:
        """What the stack says."""
        return smallest(**self.sections, clusters={self.name: self.entry})

    def apply(self, where: Kubernetes, *items: Object) -> None:
        """Server-side apply, as the engine does it."""
        for item in items:
            where.apply(place(item), item, manager="pulumi-kubernetes", force=True)

    def token(self) -> str:
        """The token in `ray-manager-token`, in base64."""
        path = secret_path(RAY_MANAGER_TOKEN, RAY_NAMESPACE)

        def filled() -> str:
            data = (self.compute.find(path) or {}).get("data") or {}
            return str(data.get("token", ""))

        found: str = wait(filled)
        return found

    def up(self) -> None:
        """What `pulumi up --refresh` writes of this registration: whatever the stack says, missing or
        changed."""
        settings = self.settings
        self.apply(self.compute, *registration.compute_side(Inputs(settings), self.name).objects)
        for role in ("ClusterRole", "Role"):
            for item in registration.compute_side(Inputs(settings), self.name).objects:
                if item["kind"] == role:
                    # Apply leaves what others added to the list of rules; an update replaces it.
                    self.compute.merge(place(item), {"rules": item["rules"]})
        self.apply(self.compute, registration.token_request())
        self.register(self.token())

    def register(self, token: str) -> None:
        """The control plane's half: both Secrets, whole, then the `Cluster`. `token` in base64."""
        host, port, authority = self.endpoint.host, self.endpoint.port, self.endpoint.certificate_authority
        if "server" in self.entry:
            host, _, port = str(self.entry["server"]).rpartition(":")
        if "certificateAuthorityData" in self.entry:
            authority = base64.b64decode(self.entry["certificateAuthorityData"]).decode()
        for item in (
            registration.ca_secret(self.name, authority),
            registration.token_secret(self.name, token),
        ):
            self.control_plane.delete(place(item))
            self.apply(self.control_plane, item)
        self.apply(self.control_plane, registration.cluster(self.settings, self.name, host, port))

    def registered_token(self, token: str) -> None:
        """Put a text where the registered token stands."""
        data = {"token": base64.b64encode(token.encode()).decode()}
        path = place(registration.token_secret(self.name, ""))
        self.control_plane.merge(path, {"data": data})

    def sign(self, **claims: Any) -> None:
        """Register a token for `ray-manager` with these claims."""
        self.registered_token(signed_token(self.pki, account_uid(self.compute) or "", **claims))

    def at(self, server: str) -> Callable[[], None]:
        """Register another address; gives the way back, for the stack."""
        self.entry["server"] = server
        self.up()
        return lambda: self.entry.pop("server")

    def rotate(self) -> None:
        """A new credential, registered, the controller manager rolled: the short of `clusters rotate`."""
        self.compute.delete(secret_path(RAY_MANAGER_TOKEN, RAY_NAMESPACE))
        self.up()
        self.roll()

    def play_manager(self, replicas: int = 2) -> None:
        """Let pods of the controller manager be there; kwok and the actors do the rest."""
        labels = {"app": SERVICE}
        self.apply(
            self.control_plane,
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ma-system"}},
            {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "metadata": {"name": SERVICE, "namespace": "ma-system"},
                "spec": {
                    "replicas": replicas,
                    "selector": {"matchLabels": labels},
                    "template": {
                        "metadata": {"labels": labels},
                        "spec": {"containers": [{"name": "manager", "image": "example.com/manager:1"}]},
                    },
                },
            },
        )

    def stop_manager(self) -> None:
        """Scale the controller manager to nothing, and wait until the actor that plays it has seen that."""
        # What it said before must not be taken for it.
        wait(lambda: self._leader() in self._manager_pods())
        self.control_plane.merge(MANAGER, {"spec": {"replicas": 0}})
        wait(lambda: self._leader() is None)

    def start_manager(self) -> None:
        """Scale it up again."""
        self.control_plane.merge(MANAGER, {"spec": {"replicas": 2}})

    def _leader(self) -> str | None:
        """Pod that leads by what the actor said last; None where it said that nobody does."""
        log = self.embedded.directory.log("control-plane/actors").read_text(encoding="utf-8")
        said = re.findall(rf"^(?:pod (\S+) leads;.*|{NOBODY_LEADS})$", log, re.MULTILINE)
        return (said[-1] or None) if said else None

    def _manager_pods(self) -> list[str]:
        found = self.control_plane.items("/api/v1/namespaces/ma-system/pods", labelSelector=f"app={SERVICE}")
        return [pod["metadata"]["uid"] for pod in found if "deletionTimestamp" not in pod["metadata"]]

    def roll(self) -> None:
        """Restart the controller manager."""
        self.kubectl(
            "--context", "control-plane", "-n", "ma-system",
            "rollout", "restart", f"deployment/{SERVICE}",
        )  # fmt: skip

    def kubectl(self, *arguments: str) -> str:
        """kubectl as an operator of this environment calls it."""
        environ = {**os.environ, **self.embedded.variables}
        while True:
            done = subprocess.run(
                ["kubectl", *arguments], env=environ, capture_output=True, text=True, timeout=180, check=False
            )
            if "already been triggered within the past second" not in done.stderr:
                break
            time.sleep(0.3)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def verify(self, **more: Any) -> list[Check]:
        """Its verification, as `clusters verify` runs it."""
        return verify_registration(
            self.control_plane, self.compute, self.settings, self.name, stack=STACK, **more
        )

    def becomes_proven(self) -> bool:
        """Whether it comes to be proven: the played controller manager looks every ten seconds."""
        return bool(wait(lambda: self.verify()[-1].state == "passed", pause=0.5))

    def follow(self, finding: Finding, by_hand: Callable[[], None] | None = None) -> None:
        """Do what a finding says: its commands as they stand there, and, where it asks for more than
        commands, `by_hand`."""
        commands = 0
        for line in finding.fix.splitlines():
            words = shlex.split(line) if line.partition(" ")[0] in _TYPED else []
            if not words:
                continue
            commands += 1
            if by_hand is not None:
                # What has to be done by hand stands before the commands.
                by_hand()
                by_hand = None
            known = remedies(self.settings, self.name, STACK)
            if line in (*known.up.splitlines(), *known.take_back.splitlines()):
                self.up()
            elif words[:3] == ["bin/madeploy", "clusters", "rotate"]:
                assert words[3:] == [self.name, "--stack", STACK]
                self.rotate()
            elif words[:3] == ["helm", "install", "kuberay-operator"]:
                self.install_kuberay()
            elif "logs" not in words:  # of pods that kwok plays there are none
                assert words[0] == "kubectl", line
                self.kubectl(*words[1:])
        if by_hand is not None:
            by_hand()
        else:
            assert commands, "a fix without a command says what to do by hand"

    def install_kuberay(self) -> None:
        """What KubeRay's chart brings, in the sandbox's small form."""
        definitions = [item for item in objects.definitions(False) if item["spec"]["group"] == "ray.io"]
        self.apply(self.compute, *definitions)
        wait(lambda: self._is_gone(self.compute, "ray-system"))
        self.apply(self.compute, *copy.deepcopy(objects.operators()))
        path = "/apis/apps/v1/namespaces/ray-system/deployments/kuberay-operator"
        wait(lambda: (self.compute.get(path).get("status") or {}).get("availableReplicas"))

    def _is_gone(self, where: Kubernetes, namespace: str) -> bool:
        """Whether a namespace is not, or no longer, being deleted."""
        path = f"/api/v1/namespaces/{namespace}"
        found = where.find(path)
        if found is None or "deletionTimestamp" not in found["metadata"]:
            return True
        # A change makes its controller look again now, not after its pause.
        with contextlib.suppress(ClientError):
            where.merge(path, {"metadata": {"annotations": {"example.com/look": str(time.monotonic())}}})
        return False

    def remove(self) -> None:
        """Take everything away again, as an update would: the `Cluster` first."""
        for item in list(self.control_plane.items(CLUSTERS)):
            self.control_plane.delete(cluster_path(item["metadata"]["name"]))
        wait(lambda: not list(self.control_plane.items(CLUSTERS)))
        for secret in registration.secret_names(self.name).values():
            self.control_plane.delete(secret_path(secret))
        self.control_plane.delete(MANAGER)
        self.control_plane.delete("/api/v1/namespaces/ma-system")
        wait(lambda: self._is_gone(self.control_plane, "ma-system"))
        for item in reversed(registration.compute_side(Inputs(self.settings), self.name).objects):
            self.compute.delete(place(item))
        for path in (
            secret_path(RAY_MANAGER_TOKEN, RAY_NAMESPACE),
            secret_path("aws-credentials", RAY_NAMESPACE),
        ):
            self.compute.delete(path)
        assert self.compute.find(f"/api/v1/namespaces/{RAY_NAMESPACE}/serviceaccounts/{RAY_MANAGER}") is None


_TYPED = ("kubectl", "pulumi", "env", "bin/madeploy", "helm")


def registered(embedded: Embedded) -> Registration:
    """A registration that the played controller manager has reached."""
    made = Registration(embedded)
    made.play_manager()
    made.up()
    assert made.becomes_proven()
    return made
