"""An API server that answers from memory: objects by path, each call remembered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from madeploy.clients.errors import ClientError
from madeploy.clients.kubernetes import Kubernetes, Object


class Answers(Kubernetes):
    """Serves what it is given. A path it does not know is 404; an exception in place of an object is
    raised."""

    def __init__(self, objects: dict[str, Any] | None = None, server: str = "https://compute:6443") -> None:
        self.server = server
        self.objects = objects or {}
        self.asked: list[str] = []

    def get(self, path: str, **query: Any) -> Object:
        """The object given for the path."""
        self.asked.append(path)
        if path not in self.objects:
            raise ClientError(self.server, "notFound", status=404)
        found = self.objects[path]
        if isinstance(found, Exception):
            raise found
        return dict(found)

    def items(self, path: str, page: int = 500, **query: Any) -> Iterator[Object]:
        """The list given for the path, none for one that is not known."""
        yield from self.objects.get(path, ())

    def review(self, path: str, item: Object) -> Object:
        """The answer given for the path."""
        return self.get(path)
