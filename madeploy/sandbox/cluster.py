"""One embedded Kubernetes cluster: etcd, API server, controller manager, scheduler, and kwok playing its
nodes."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from madeploy.clients.kubernetes import Kubernetes
from madeploy.clients.objects import is_ready
from madeploy.sandbox.component import Component
from madeploy.sandbox.kubeconfig import KubeconfigEntry, kubeconfig
from madeploy.sandbox.kubeconfig import client as client_of
from madeploy.sandbox.pki import Authority, Pair, signing_key
from madeploy.sandbox.ports import HOST
from madeploy.sandbox.state import StateDirectory, write_private

CONTROL_PLANE = "control-plane"
COMPONENTS = ("etcd", "etcd-peer", "apiserver", "controller-manager", "scheduler")
"""What needs a port in each cluster."""
NODES = 3
SERVICE_RANGE = "10.96.0.0/16"
SERVICE_ADDRESS = "10.96.0.1"
"""The first address of the service range, which the API server takes for the Service `kubernetes`."""
ISSUER = "https://kubernetes.default.svc.cluster.local"

CONTROLLERS = (
    "certificatesigningrequest-approving-controller",
    "certificatesigningrequest-signing-controller",
    "clusterrole-aggregation-controller",
    "cronjob-controller",
    "daemonset-controller",
    "deployment-controller",
    "disruption-controller",
    "endpoints-controller",
    "endpointslice-controller",
    "garbage-collector-controller",
    "horizontal-pod-autoscaler-controller",
    "job-controller",
    "namespace-controller",
    "node-lifecycle-controller",
    "persistentvolume-binder-controller",
    "persistentvolumeclaim-protection-controller",
    "pod-garbage-collector-controller",
    "replicaset-controller",
    "resourcequota-controller",
    "root-ca-certificate-publisher-controller",
    "serviceaccount-controller",
    "serviceaccount-token-controller",
    "statefulset-controller",
    "taint-eviction-controller",
    "ttl-after-finished-controller",
    "validatingadmissionpolicy-status-controller",
)
"""The controllers a deployment can notice. The rest serve clouds, volumes and nodes that are not there."""


def compute_name(index: int) -> str:
    """Name of a compute cluster and of its kubeconfig context: `compute-0`, `compute-1`, ..."""
    return f"compute-{index}"


@dataclass(frozen=True)
class Credentials:
    """Files by which the parts of one cluster know each other."""

    authority: Pair
    front_proxy_authority: Pair
    front_proxy: Pair
    etcd_authority: Pair
    etcd: Pair
    etcd_client: Pair
    serving: Pair
    admin: Pair
    controller_manager: Pair
    scheduler: Pair
    nodes: Pair
    token_key: Path
    token_public_key: Path


HEALTH_SECONDS = 2.0
"""Time for the answer to a health check."""


class Cluster:
    """One embedded cluster.

    Args:
        name: `control-plane`, `compute-0`, ...
        index: its place among the clusters; keeps pod address ranges apart.
        directory: the sandbox's state directory.
        tools: paths of the programs by tool name.
        ports: port of each of `COMPONENTS`.
        audit: write the API server's audit log to `logs/<name>-audit.log`.
    """

    def __init__(
        self,
        name: str,
        index: int,
        directory: StateDirectory,
        tools: Mapping[str, Path],
        ports: Mapping[str, int],
        audit: bool = False,
    ) -> None:
        self.name = name
        self.index = index
        self.server = f"https://{HOST}:{ports['apiserver']}"
        self.audit_log = directory.logs / f"{name}-audit.log" if audit else None
        self._home = directory.cluster(name)
        self._tools = tools
        self._ports = ports
        self._credentials = self._prepare_credentials()

    @cached_property
    def api(self) -> Kubernetes:
        """The API server, with administrator's rights."""
        return client_of(self.kubeconfig_entry())

    def _prepare_credentials(self) -> Credentials:
        pki = self._home / "pki"
        pki.mkdir(parents=True, exist_ok=True)
        authority = Authority(pki, "ca", f"madeploy sandbox {self.name}")
        front = Authority(pki, "front-proxy-ca", f"madeploy sandbox {self.name} front proxy")
        # etcd trusts nobody but its own authority: a client certificate of the cluster must not open the
        # store.
        etcd = Authority(pki, "etcd-ca", f"madeploy sandbox {self.name} etcd")
        local = (HOST, "localhost")
        service = tuple(
            f"kubernetes{rest}" for rest in ("", ".default", ".default.svc", ".default.svc.cluster.local")
        )
        private, public = signing_key(pki, "service-account")
        return Credentials(
            authority=authority.pair,
            front_proxy_authority=front.pair,
            front_proxy=front.client("front-proxy-client", "front-proxy-client"),
            etcd_authority=etcd.pair,
            etcd=etcd.server("etcd", "etcd", local, also_client=True),
            etcd_client=etcd.client("etcd-client", "kube-apiserver"),
            serving=authority.server("serving", "kube-apiserver", (*local, SERVICE_ADDRESS, *service)),
            admin=authority.client("admin", "admin", ("system:masters",)),
            controller_manager=authority.client("controller-manager", "system:kube-controller-manager"),
            scheduler=authority.client("scheduler", "system:kube-scheduler"),
            nodes=authority.client("kwok", "kwok", ("system:masters",)),
            token_key=private,
            token_public_key=public,
        )

    def write_files(self) -> None:
        """Write the kubeconfigs and policies its components read."""
        credentials = self._credentials
        for component, client in (
            ("controller-manager", credentials.controller_manager),
            ("scheduler", credentials.scheduler),
            ("kwok", credentials.nodes),
        ):
            config = kubeconfig([self.kubeconfig_entry(client)])
            write_private(self._home / f"{component}.kubeconfig", config)
        write_private(self._home / "audit-policy.yaml", yaml.safe_dump(_AUDIT_POLICY))
        (self._home / "kwok").mkdir(exist_ok=True)

    def kubeconfig_entry(self, client: Pair | None = None) -> KubeconfigEntry:
        """How to reach this cluster: by default as its administrator."""
        client = client or self._credentials.admin
        return KubeconfigEntry(
            self.name,
            self.server,
            self._credentials.authority.certificate.read_bytes(),
            client.certificate.read_bytes(),
            client.key.read_bytes(),
        )

    def components(self, base: Mapping[str, str]) -> list[Component]:
        """Its processes, in the order they depend on each other.

        Args:
            base: environment every component gets.
        """
        credentials = self._credentials
        etcd = KubeconfigEntry(
            "etcd",
            f"https://{HOST}:{self._ports['etcd']}",
            credentials.etcd_authority.certificate.read_bytes(),
            credentials.etcd_client.certificate.read_bytes(),
            credentials.etcd_client.key.read_bytes(),
        )
        store = client_of(etcd, HEALTH_SECONDS)
        server = client_of(self.kubeconfig_entry(), HEALTH_SECONDS)

        def part(name: str, argv: list[str], after: tuple[str, ...], **more: Any) -> Component:
            return Component(
                name=f"{self.name}/{name}",
                argv=(str(self._tools[argv[0]]), *argv[1:]),
                environment={**base, **more.pop("environment", {})},
                after=tuple(f"{self.name}/{other}" for other in after),
                port=self._ports.get(name),
                **more,
            )

        return [
            part("etcd", self._etcd(), (), is_ready=lambda: store.answers("/health"), last_to_stop=True),
            part("apiserver", self._apiserver(), ("etcd",), is_ready=lambda: server.answers("/readyz")),
            part("controller-manager", self._controller_manager(), ("apiserver",)),
            part("scheduler", self._scheduler(), ("apiserver",)),
            part(
                "kwok",
                self._kwok(),
                ("apiserver",),
                # It reads ~/.kwok/kwok.yaml; the sandbox must not depend on what its user keeps there.
                environment={"HOME": str(self._home / "kwok")},
            ),
            Component(
                name=f"{self.name}/actors",
                argv=(sys.executable, "-m", "madeploy.sandbox.actors", *self._actors()),
                environment=base,
                after=(f"{self.name}/apiserver",),
            ),
        ]

    def _etcd(self) -> list[str]:
        credentials, ports = self._credentials, self._ports
        client, peer = f"https://{HOST}:{ports['etcd']}", f"https://{HOST}:{ports['etcd-peer']}"
        return [
            "etcd",
            f"--name={self.name}",
            f"--data-dir={self._home / 'etcd'}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster={self.name}={peer}",
            f"--trusted-ca-file={credentials.etcd_authority.certificate}",
            f"--cert-file={credentials.etcd.certificate}",
            f"--key-file={credentials.etcd.key}",
            "--client-cert-auth=true",
            f"--peer-trusted-ca-file={credentials.etcd_authority.certificate}",
            f"--peer-cert-file={credentials.etcd.certificate}",
            f"--peer-key-file={credentials.etcd.key}",
            "--peer-client-cert-auth=true",
            "--unsafe-no-fsync=true",
            "--auto-compaction-mode=periodic",
            "--auto-compaction-retention=10m",
            "--log-level=error",
        ]

    def _apiserver(self) -> list[str]:
        credentials = self._credentials
        audit = [
            f"--audit-log-path={self.audit_log}",
            f"--audit-policy-file={self._home / 'audit-policy.yaml'}",
            "--audit-log-maxsize=100",
            "--audit-log-maxbackup=1",
        ]
        return [
            "kube-apiserver",
            f"--bind-address={HOST}",
            f"--advertise-address={HOST}",
            f"--secure-port={self._ports['apiserver']}",
            # A loopback address may not stand in an EndpointSlice: nothing inside the cluster runs to use it.
            "--endpoint-reconciler-type=none",
            f"--etcd-servers=https://{HOST}:{self._ports['etcd']}",
            f"--etcd-cafile={credentials.etcd_authority.certificate}",
            f"--etcd-certfile={credentials.etcd_client.certificate}",
            f"--etcd-keyfile={credentials.etcd_client.key}",
            f"--client-ca-file={credentials.authority.certificate}",
            f"--tls-cert-file={credentials.serving.certificate}",
            f"--tls-private-key-file={credentials.serving.key}",
            f"--requestheader-client-ca-file={credentials.front_proxy_authority.certificate}",
            "--requestheader-allowed-names=front-proxy-client",
            "--requestheader-username-headers=X-Remote-User",
            "--requestheader-group-headers=X-Remote-Group",
            "--requestheader-extra-headers-prefix=X-Remote-Extra-",
            f"--proxy-client-cert-file={credentials.front_proxy.certificate}",
            f"--proxy-client-key-file={credentials.front_proxy.key}",
            f"--service-account-issuer={ISSUER}",
            f"--service-account-key-file={credentials.token_public_key}",
            f"--service-account-signing-key-file={credentials.token_key}",
            f"--service-cluster-ip-range={SERVICE_RANGE}",
            "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction",
            "--allow-privileged=true",
            "--profiling=false",
            *(audit if self.audit_log else []),
        ]

    def _controller(self, name: str) -> list[str]:
        """The command of one of Kubernetes' own controllers, by what all of them take."""
        credentials = self._credentials
        config = self._home / f"{name}.kubeconfig"
        return [
            f"kube-{name}",
            f"--kubeconfig={config}",
            f"--authentication-kubeconfig={config}",
            f"--authorization-kubeconfig={config}",
            f"--bind-address={HOST}",
            f"--secure-port={self._ports[name]}",
            f"--tls-cert-file={credentials.serving.certificate}",
            f"--tls-private-key-file={credentials.serving.key}",
            "--leader-elect=false",
            # Each controller first asks for a token of its own: at the default of 20 requests a second that
            # alone takes longer than everything else.
            "--kube-api-qps=500",
            "--kube-api-burst=1000",
            "--profiling=false",
        ]

    def _controller_manager(self) -> list[str]:
        credentials = self._credentials
        return [
            *self._controller("controller-manager"),
            f"--service-account-private-key-file={credentials.token_key}",
            f"--root-ca-file={credentials.authority.certificate}",
            f"--cluster-signing-cert-file={credentials.authority.certificate}",
            f"--cluster-signing-key-file={credentials.authority.key}",
            "--use-service-account-credentials=true",
            f"--controllers={','.join(CONTROLLERS)}",
        ]

    def _scheduler(self) -> list[str]:
        return self._controller("scheduler")

    def _kwok(self) -> list[str]:
        return [
            "kwok",
            f"--kubeconfig={self._home / 'kwok.kubeconfig'}",
            "--manage-all-nodes=true",
            "--node-lease-duration-seconds=40",
            f"--cidr=10.{128 + self.index % 100}.0.1/16",
        ]

    def _actors(self) -> list[str]:
        credentials = self._credentials
        return [
            f"--server={self.server}",
            f"--authority={credentials.authority.certificate}",
            f"--certificate={credentials.admin.certificate}",
            f"--key={credentials.admin.key}",
            f"--issuing={self._home / 'issued'}",
        ]

    def is_usable(self) -> bool:
        """Whether Deployments roll out here: default ServiceAccount made, every node Ready."""
        if self.api.find("/api/v1/namespaces/default/serviceaccounts/default") is None:
            return False
        ready = [node for node in self.api.items("/api/v1/nodes") if is_ready(node)]
        return len(ready) >= NODES


_AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        # Leases and events are renewed all the time and say nothing about a deployment.
        {
            "level": "None",
            "resources": [{"group": "coordination.k8s.io"}, {"group": "", "resources": ["events"]}],
        },
        {"level": "Metadata", "verbs": ["create", "update", "patch", "delete", "deletecollection"]},
    ],
}
