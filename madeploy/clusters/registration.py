"""A registration as the controller manager reads it: the `Cluster` and its two Secrets (facts 3.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from madeploy.clients.kubernetes import Kubernetes, Object
from madeploy.clients.objects import secret_text
from madeploy.names.kubernetes import (
    API_GROUP,
    CLUSTERS_NAMESPACE,
    CREDENTIALS_NAMESPACE,
    cluster_ca_secret,
    cluster_token_secret,
)

CLUSTERS = f"/apis/{API_GROUP}/v2/namespaces/{CLUSTERS_NAMESPACE}/clusters"


def cluster_path(name: str) -> str:
    """Where the `Cluster` is."""
    return f"{CLUSTERS}/{name}"


def secret_path(name: str, namespace: str = CREDENTIALS_NAMESPACE) -> str:
    """Where a Secret is; those of registrations are in `default`."""
    return f"/api/v1/namespaces/{namespace}/secrets/{name}"


@dataclass(frozen=True)
class Registered:
    """A registration as the control plane holds it. What is missing is empty, as the platform
    takes it (facts 3.1)."""

    name: str
    host: str
    """`https://host` of the `Cluster`, as written there."""

    port: str
    certificate_authority: str = field(repr=False)
    """PEM text under `cadata`."""

    token: str = field(repr=False)
    """What stands under `token`, white space included."""

    cluster: Object | None = field(repr=False)
    """The `Cluster`, None where there is none."""

    secrets: Mapping[str, Object | None]
    """Metadata of the two Secrets by what they hold (`ca`, `token`), and nothing else of them; None for
    one that is not there."""

    secret_names: Mapping[str, str]
    """Names of these Secrets, as the `Cluster` names them (`caDataTag`, `tokenTag`)."""

    @property
    def server(self) -> str:
        """The address as the platform puts it together: host, colon, port."""
        return f"{self.host}:{self.port}"


def read_registration(control_plane: Kubernetes, name: str) -> Registered:
    """What the control plane holds of cluster `name`. Raises ClientError."""
    cluster = control_plane.find(cluster_path(name))
    rest = rest_of(cluster)
    names = {
        "ca": str(rest.get("caDataTag") or cluster_ca_secret(name)),
        "token": str(rest.get("tokenTag") or cluster_token_secret(name)),
    }
    found = {role: control_plane.find(secret_path(secret)) for role, secret in names.items()}
    return Registered(
        name=name,
        host=str(rest.get("host") or ""),
        port=str(rest.get("port") or ""),
        certificate_authority=secret_text(found["ca"], "cadata"),
        token=secret_text(found["token"], "token"),
        cluster=cluster,
        secrets={role: secret["metadata"] if secret else None for role, secret in found.items()},
        secret_names=names,
    )


def registered_client(registered: Registered) -> Kubernetes:
    """The compute cluster as the controller manager calls it. Raises ValueError when authority or token
    cannot be used at all."""
    return Kubernetes.registered(registered.server, registered.certificate_authority, registered.token)


def rest_of(cluster: Object | None) -> dict[str, Any]:
    """`spec.kubernetes.rest` of a `Cluster`; {} where it has none."""
    kubernetes = ((cluster or {}).get("spec") or {}).get("kubernetes") or {}
    rest: dict[str, Any] = kubernetes.get("rest") or {}
    return rest
