"""Environments with a repository, one for each way of referring to secrets."""

from __future__ import annotations

from typing import Any

from madeploy.settings import Environment
from tests.support.environments import environment

REPOSITORY = "https://git.example.com/platform/environments.git"
MINIO = {"kind": "s3Compatible", "endpoint": "https://minio.example.com:9000"}
CLUSTERS = {
    "cpu-east": {"server": "https://cpu-east.example.com"},
    "gpu-west": {"server": "https://gpu-west.example.com:6443", "management": "selfManaged"},
    "unknown": {"kubeconfigContext": "unknown"},
}
SECRETS: dict[str, dict[str, Any]] = {
    "names": {"kind": "names"},
    "external": {"kind": "externalSecrets", "store": "vault"},
    "pushed": {"kind": "externalSecrets", "store": "vault", "computeStore": "vault-compute"},
    "sealed": {"kind": "sealedSecrets"},
    "sops": {"kind": "sops"},
}


def gitops(kind: str, **sections: Any) -> Environment:
    """Static keys, three clusters (one whose address is not known), secrets referred to in this way."""
    settings = {"secrets": SECRETS[kind], "repository": REPOSITORY, "path": "environments/prod"}
    given: dict[str, Any] = {"storage": MINIO, "clusters": CLUSTERS, "gitops": settings}
    return environment(**(given | sections))
