"""The few calls the sandbox itself makes to an embedded API server, over urllib3."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import urllib3

from madeploy.sandbox.pki import Pair

Object = dict[str, Any]
"""A Kubernetes object as plain data."""

FIELD_MANAGER = "madeploy-sandbox"
_PLURALS = {
    "Namespace": "namespaces",
    "Node": "nodes",
    "Secret": "secrets",
    "Certificate": "certificates",
    "CustomResourceDefinition": "customresourcedefinitions",
    "IngressClass": "ingressclasses",
    "GatewayClass": "gatewayclasses",
    "Deployment": "deployments",
}
"""Kinds the sandbox applies itself."""


class ApiError(Exception):
    """An API server's refusal: HTTP status and the server's message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


class Api:
    """A connection to one API server, authenticated by a client certificate.

    Args:
        server: `https://127.0.0.1:<port>`.
        authority: CA certificate the server is verified against.
        client: certificate and key to authenticate with.
    """

    def __init__(self, server: str, authority: Path, client: Pair) -> None:
        self._server = server
        self._pool = urllib3.PoolManager(
            ca_certs=str(authority),
            cert_file=str(client.certificate),
            key_file=str(client.key),
            retries=False,
            timeout=urllib3.Timeout(connect=2, read=10),
            maxsize=4,
        )

    def answers(self, path: str) -> bool:
        """Whether GET `path` answers 200: for health checks, so no failure raises."""
        try:
            return self._pool.request("GET", self._server + path, timeout=2).status == 200
        except (urllib3.exceptions.HTTPError, OSError):
            return False

    def get(self, path: str) -> Object | None:
        """The object at `path`, None where there is none.

        Raises:
            ApiError: any other refusal.
            urllib3.exceptions.HTTPError: no answer.
        """
        try:
            return self._call("GET", path)
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def apply(self, item: Object) -> Object:
        """Server-side apply of one object of the kinds above."""
        version, metadata = item["apiVersion"], item["metadata"]
        group = "/api/" if "/" not in version else "/apis/"
        namespace = f"/namespaces/{metadata['namespace']}" if "namespace" in metadata else ""
        path = f"{group}{version}{namespace}/{_PLURALS[item['kind']]}/{quote(metadata['name'])}"
        return self._call(
            "PATCH", f"{path}?fieldManager={FIELD_MANAGER}&force=true", item, "application/apply-patch+yaml"
        )

    def merge(self, path: str, change: Object) -> Object:
        """JSON merge patch of the object or subresource at `path`."""
        return self._call(
            "PATCH", f"{path}?fieldManager={FIELD_MANAGER}", change, "application/merge-patch+json"
        )

    def _call(self, method: str, path: str, body: Object | None = None, content: str | None = None) -> Object:
        headers: Mapping[str, str] = {"Content-Type": content} if content else {}
        data = json.dumps(body).encode() if body is not None else None
        answer = self._pool.request(method, self._server + path, body=data, headers=headers)
        try:
            decoded: Object = json.loads(answer.data)
        except ValueError:
            # Paths of a group that is not there yet are answered by text.
            raise ApiError(answer.status, answer.data.decode("utf-8", "replace")[:200].strip()) from None
        if answer.status >= 300:
            raise ApiError(answer.status, str(decoded.get("message", "")))
        return decoded
