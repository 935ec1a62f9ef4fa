"""Kubeconfigs of the embedded clusters, credentials inline, and the sandbox's own client by them."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass

from madeploy.clients.kubernetes import READ_SECONDS, Kubernetes


@dataclass(frozen=True)
class KubeconfigEntry:
    """One cluster of a kubeconfig; certificates and key in PEM."""

    name: str
    server: str
    authority: bytes
    certificate: bytes
    key: bytes


def kubeconfig(entries: list[KubeconfigEntry]) -> str:
    """A kubeconfig with one context per entry, the first one current, credentials inline."""
    clusters, users, contexts = [], [], []
    for entry in entries:
        user = f"{entry.name}-admin"
        clusters.append(
            {
                "name": entry.name,
                "cluster": {"server": entry.server, "certificate-authority-data": _encode(entry.authority)},
            }
        )
        users.append(
            {
                "name": user,
                "user": {
                    "client-certificate-data": _encode(entry.certificate),
                    "client-key-data": _encode(entry.key),
                },
            }
        )
        contexts.append({"name": entry.name, "context": {"cluster": entry.name, "user": user}})
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": entries[0].name,
        "clusters": clusters,
        "users": users,
        "contexts": contexts,
    }
    return json.dumps(document, indent=1) + "\n"


def client(entry: KubeconfigEntry, read_seconds: float = READ_SECONDS) -> Kubernetes:
    """The server of an entry. Raises ClientError for certificates that are none."""
    return Kubernetes.from_kubeconfig(json.loads(kubeconfig([entry])), read_seconds)


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
