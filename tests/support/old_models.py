"""Models of any age on a real API server, and objects of theirs on a real S3 API.

No client may set `creationTimestamp`, so they are written where the API server keeps them: into its etcd,
in the form in which it stores custom resources.
"""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from typing import Any

import urllib3

from madeploy.sandbox.cluster import Cluster
from madeploy.sandbox.ports import HOST


def stored(name: str, namespace: str, days: float, raw: Iterable[str], deployable: Iterable[str] = ()) -> Any:
    """A `Model` that many days old, as etcd has it."""
    created = (datetime.now(timezone.utc) - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "apiVersion": "michelangelo.api/v2",
        "kind": "Model",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": str(uuid.uuid4()),
            "generation": 1,
            "creationTimestamp": created,
        },
        "spec": {"modelArtifactUri": list(raw), "deployableArtifactUri": list(deployable)},
    }


class Store:
    """etcd of one embedded cluster, by its HTTP gateway."""

    def __init__(self, cluster: Cluster) -> None:
        credentials = cluster._credentials
        self._url = f"https://{HOST}:{cluster._ports['etcd']}/v3/kv/put"
        self._pool = urllib3.PoolManager(
            ca_certs=str(credentials.etcd_authority.certificate),
            cert_file=str(credentials.etcd_client.certificate),
            key_file=str(credentials.etcd_client.key),
        )

    def put(self, models: Iterable[Any]) -> None:
        """Write models as if they had been there for long."""
        for model in models:
            meta = model["metadata"]
            key = f"/registry/michelangelo.api/models/{meta['namespace']}/{meta['name']}"
            body = {"key": _encoded(key), "value": _encoded(json.dumps(model))}
            assert self._pool.request("POST", self._url, json=body).status == 200


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
