"""Many compute clusters on one machine: real API servers over one etcd, and nothing else that runs.

Tokens are written into their Secrets by a thread, which asks the API server for them: of a cluster's own
controllers a registration needs no more.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from madeploy.clients.errors import ClientError
from madeploy.clients.kubernetes import Kubernetes
from madeploy.kubeconfigs import minify
from madeploy.sandbox.kubeconfig import KubeconfigEntry, kubeconfig
from madeploy.sandbox.pki import Authority, Pair, signing_key
from tests.support.ports import free_port

HOST = "127.0.0.1"
START_SECONDS = 240.0
AT_ONCE = 4
"""API servers that start at the same time: each takes seconds of a processor."""

_SECRETS = "/api/v1/namespaces/default/secrets"
_ACCOUNTS = "/api/v1/namespaces/default/serviceaccounts"


@dataclass(frozen=True)
class LightCluster:
    """One API server, or an address at which there is none."""

    name: str
    server: str
    authority: bytes
    admin: Pair

    @property
    def entry(self) -> KubeconfigEntry:
        """How it is reached."""
        admin = self.admin
        return KubeconfigEntry(
            self.name, self.server, self.authority, admin.certificate.read_bytes(), admin.key.read_bytes()
        )

    def client(self) -> Kubernetes:
        """The same, connected."""
        return Kubernetes.from_kubeconfig(minify(json.loads(kubeconfig([self.entry])), self.name, self.name))


class LightClusters:
    """API servers that are started together and ended together.

    Args:
        directory: for their keys, certificates and logs.
        tools: paths of `etcd` and `kube-apiserver`.
    """

    def __init__(self, directory: Path, tools: Mapping[str, Path]) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._tools = tools
        self._authority = Authority(directory, "ca", "light clusters")
        self._serving = self._authority.server("serving", "kube-apiserver", (HOST, "localhost"))
        self._admin = self._authority.client("admin", "admin", ("system:masters",))
        self._keys = signing_key(directory, "service-account")
        self._running: list[subprocess.Popen[bytes]] = []
        self._over = threading.Event()
        self._filler = threading.Thread(target=self._fill, daemon=True)
        self.clusters: list[LightCluster] = []

    def start(self, names: list[str]) -> list[LightCluster]:
        """Start one API server for each name."""
        store = f"http://{HOST}:{free_port()}"
        peer = f"http://{HOST}:{free_port()}"
        self._run(
            "etcd",
            *(
                "etcd",
                f"--data-dir={self._directory / 'etcd'}",
                "--unsafe-no-fsync=true",
                "--log-level=error",
            ),
            *(f"--listen-client-urls={store}", f"--advertise-client-urls={store}"),
            *(f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}"),
            f"--initial-cluster=default={peer}",
        )
        for place in range(0, len(names), AT_ONCE):
            made = [self._api_server(name, store) for name in names[place : place + AT_ONCE]]
            for cluster in made:
                self._wait(cluster)
            self.clusters += made
        self._filler.start()
        return self.clusters

    def address_without_server(self, name: str, server: str, authority: bytes | None = None) -> LightCluster:
        """What is said of a cluster that is not there, or not what it is said to be."""
        own = self._authority.pair.certificate.read_bytes()
        return LightCluster(name, server, authority or own, self._admin)

    def stop(self) -> None:
        """End all of them."""
        self._over.set()
        for child in self._running:
            child.kill()
        for child in self._running:
            child.wait()

    def _api_server(self, name: str, store: str) -> LightCluster:
        port, (private, public) = free_port(), self._keys
        self._run(
            name,
            *("kube-apiserver", f"--bind-address={HOST}", f"--advertise-address={HOST}"),
            *(f"--secure-port={port}", "--endpoint-reconciler-type=none", "--profiling=false"),
            *(f"--etcd-servers={store}", f"--etcd-prefix=/{name}", "--watch-cache=false"),
            f"--client-ca-file={self._authority.pair.certificate}",
            f"--tls-cert-file={self._serving.certificate}",
            f"--tls-private-key-file={self._serving.key}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={public}",
            f"--service-account-signing-key-file={private}",
            "--service-cluster-ip-range=10.96.0.0/16",
            "--authorization-mode=AlwaysAllow",
            "--enable-priority-and-fairness=false",
            # Nothing collects: what is deleted in the foreground would wait for it for ever.
            "--enable-garbage-collector=false",
            "--disable-admission-plugins=ServiceAccount",
        )
        return LightCluster(
            name, f"https://{HOST}:{port}", self._authority.pair.certificate.read_bytes(), self._admin
        )

    def _run(self, name: str, program: str, *arguments: str) -> None:
        with open(self._directory / f"{name}.log", "ab") as log:
            self._running.append(
                subprocess.Popen(
                    [str(self._tools[program]), *arguments],
                    stdout=log,
                    stderr=log,
                    stdin=subprocess.DEVNULL,
                    cwd=self._directory,
                    env={"HOME": str(self._directory), "PATH": os.defpath},
                )
            )

    def _wait(self, cluster: LightCluster) -> None:
        deadline = time.monotonic() + START_SECONDS
        client = cluster.client()
        while True:
            try:
                if client.find("/api/v1/namespaces/default") is not None:
                    return
            except ClientError:
                pass
            log = self._directory / f"{cluster.name}.log"
            assert time.monotonic() < deadline, log.read_text(encoding="utf-8")[-2000:]
            time.sleep(0.2)

    def _fill(self) -> None:
        """Do the token controller's work."""
        clients = [cluster.client() for cluster in self.clusters]
        while not self._over.wait(0.4):
            for client in clients:
                with contextlib.suppress(ClientError):
                    for secret in client.items(
                        _SECRETS, fieldSelector="type=kubernetes.io/service-account-token"
                    ):
                        if not (secret.get("data") or {}).get("token"):
                            self._write_token(client, secret)

    def _write_token(self, client: Kubernetes, secret: dict[str, Any]) -> None:
        account = secret["metadata"]["annotations"]["kubernetes.io/service-account.name"]
        asked = client.create(f"{_ACCOUNTS}/{account}/token", {"spec": {"expirationSeconds": 86400}})
        token = base64.b64encode(asked["status"]["token"].encode()).decode()
        authority = base64.b64encode(self._authority.pair.certificate.read_bytes()).decode()
        client.merge(
            f"{_SECRETS}/{secret['metadata']['name']}", {"data": {"token": token, "ca.crt": authority}}
        )


@contextlib.contextmanager
def silent_listener() -> Iterator[str]:
    """URL of a server that takes connections and never says a word."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, 0))
        listener.listen(64)
        yield f"https://{HOST}:{listener.getsockname()[1]}"
