"""The Kubernetes API for the CronJob, as its ServiceAccount, with the standard library only."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from .terms import StoreError
from .transport import Answer, Server

PAGE = 100
"""Models a page. One may be a megabyte, so that a page of 500 could be half a gigabyte."""

_GROUP = "/apis/michelangelo.api/v2"


class ClusterRegistry:
    """Models by an API server. `token` is a file, read for each request: the kubelet renews it."""

    def __init__(self, server: Server, token: Path) -> None:
        self._server = server
        self._token = token

    def models(self) -> Iterator[Mapping[str, Any]]:
        """Every `Model`, page by page."""
        return self._items("models")

    def deployments(self) -> Iterator[Mapping[str, Any]]:
        """Every `Deployment` of the platform; none where that kind is not defined."""
        if self._call("GET", f"{_GROUP}/deployments?limit=1").status != 404:
            yield from self._items("deployments")

    def model(self, namespace: str, name: str) -> Mapping[str, Any] | None:
        """One `Model`; None when there is none."""
        answer = self._call("GET", f"{_GROUP}/namespaces/{namespace}/models/{name}")
        if answer.status == 404:
            return None
        return _decoded(answer, f"Model {namespace}/{name} cannot be read")

    def delete_model(self, namespace: str, name: str, uid: str, version: str) -> bool:
        """Delete a `Model` if it is still this one; true also when it is gone."""
        options = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "preconditions": {"uid": uid, "resourceVersion": version},
        }
        answer = self._call(
            "DELETE", f"{_GROUP}/namespaces/{namespace}/models/{name}", json.dumps(options).encode()
        )
        if answer.status in (404, 409):
            return answer.status == 404
        _decoded(answer, f"Model {namespace}/{name} cannot be deleted")
        return True

    def _items(self, plural: str) -> Iterator[Mapping[str, Any]]:
        follow = ""
        while True:
            query = {"limit": PAGE, **({"continue": follow} if follow else {})}
            answer = self._call("GET", f"{_GROUP}/{plural}?{urlencode(query)}")
            page = _decoded(answer, f"{plural} cannot be listed")
            yield from page.get("items") or ()
            follow = (page.get("metadata") or {}).get("continue") or ""
            if not follow:
                return

    def _call(self, method: str, target: str, body: bytes = b"") -> Answer:
        def headers() -> Mapping[str, str]:
            token = self._token.read_text(encoding="ascii").strip()
            return {
                "Authorization": f"Bearer {token}",
                "Accept": "application/json",
                "Content-Type": "application/json",
            }

        return self._server.request(method, target, headers, body)


def _decoded(answer: Answer, what: str) -> Mapping[str, Any]:
    """The object of an answer. Raises StoreError: fatal, because what is refused once is refused for all."""
    try:
        data = json.loads(answer.body)
    except ValueError:
        data = {}
    if answer.status >= 400:
        raise StoreError(f"{what}: {answer.status} {data.get('message', '')}".strip(), is_fatal=True)
    found: Mapping[str, Any] = data
    return found
