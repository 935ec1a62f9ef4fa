"""A registry and an object store in memory, and ways to end a retention run at any of its steps."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any, TypeVar

from madeploy.registry.retention.terms import ObjectStore, Registry

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=timezone.utc)
Result = TypeVar("Result")


def model(
    name: str,
    days: float,
    raw: Iterable[str] = (),
    deployable: Iterable[str] = (),
    namespace: str = "team-a",
    uid: str = "",
) -> dict[str, Any]:
    """A `Model` as the API server has it, that many days old."""
    created = (NOW - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "apiVersion": "michelangelo.api/v2",
        "kind": "Model",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": uid or f"uid-{namespace}-{name}",
            "resourceVersion": "1",
            "creationTimestamp": created,
        },
        "spec": {"modelArtifactUri": list(raw), "deployableArtifactUri": list(deployable)},
    }


class Memory:
    """Both systems at once."""

    def __init__(
        self,
        models: Iterable[Mapping[str, Any]] = (),
        objects: Iterable[str] = (),
        deployments: Iterable[Mapping[str, Any]] = (),
    ) -> None:
        """`objects` are URIs of objects, each of ten bytes."""
        self.stored = {
            (m["metadata"]["namespace"], m["metadata"]["name"]): copy.deepcopy(dict(m)) for m in models
        }
        self.keys: set[tuple[str, str]] = set()
        for uri in objects:
            bucket, _, key = uri.removeprefix("s3://").partition("/")
            self.keys.add((bucket, key))
        self.served = list(deployments)
        self.refused: dict[str, str] = {}
        """Keys that cannot be deleted, and why."""

        self.log: list[tuple[str, str]] = []
        """Deletions in order: (`object` or `model`, which)."""

    def names(self) -> set[str]:
        """Names of the models that are left."""
        return {name for _, name in self.stored}

    def uris(self) -> set[str]:
        """URIs of the objects that are left."""
        return {f"s3://{bucket}/{key}" for bucket, key in self.keys}

    def models(self) -> Iterator[Mapping[str, Any]]:
        yield from copy.deepcopy(list(self.stored.values()))

    def deployments(self) -> Iterator[Mapping[str, Any]]:
        yield from self.served

    def model(self, namespace: str, name: str) -> Mapping[str, Any] | None:
        return copy.deepcopy(self.stored.get((namespace, name)))

    def delete_model(self, namespace: str, name: str, uid: str, version: str) -> bool:
        found = self.stored.get((namespace, name))
        if found is None:
            return True
        if (found["metadata"]["uid"], found["metadata"]["resourceVersion"]) != (uid, version):
            return False
        del self.stored[namespace, name]
        self.log.append(("model", f"{namespace}/{name}"))
        return True

    def pages(self, bucket: str, prefix: str, limit: int) -> Iterator[list[tuple[str, int]]]:
        found = sorted(key for where, key in self.keys if where == bucket and key.startswith(prefix))
        for start in range(0, len(found), limit):
            yield [(key, 10) for key in found[start : start + limit]]

    def delete(self, bucket: str, keys: Sequence[str]) -> dict[str, str]:
        for key in keys:
            if key not in self.refused:
                self.keys.discard((bucket, key))
                self.log.append(("object", f"s3://{bucket}/{key}"))
        return {key: self.refused[key] for key in keys if key in self.refused}


class Killed(BaseException):
    """The process ends here: nothing catches it."""


class Mortal:
    """A registry and a store that end the run before or after one of their calls. Half of a deletion's
    objects is gone when it is ended in the middle."""

    def __init__(self, registry: Registry, store: ObjectStore, last: int | None = None) -> None:
        """`last` is the step at which it ends; None for never."""
        self._registry = registry
        self._store = store
        self._last = last
        self.steps = 0

    def _step(self) -> None:
        if self.steps == self._last:
            raise Killed
        self.steps += 1

    def _around(self, call: Callable[[], Result]) -> Result:
        self._step()
        result = call()
        self._step()
        return result

    def models(self) -> Iterator[Mapping[str, Any]]:
        self._step()
        yield from self._registry.models()
        self._step()

    def deployments(self) -> Iterator[Mapping[str, Any]]:
        return self._registry.deployments()

    def model(self, namespace: str, name: str) -> Mapping[str, Any] | None:
        return self._around(lambda: self._registry.model(namespace, name))

    def delete_model(self, namespace: str, name: str, uid: str, version: str) -> bool:
        return self._around(lambda: self._registry.delete_model(namespace, name, uid, version))

    def pages(self, bucket: str, prefix: str, limit: int) -> Iterator[list[tuple[str, int]]]:
        for page in self._store.pages(bucket, prefix, limit):
            self._step()
            yield page

    def delete(self, bucket: str, keys: Sequence[str]) -> dict[str, str]:
        self._step()
        half = len(keys) // 2
        failures = self._store.delete(bucket, keys[:half]) if half else {}
        self._step()
        failures |= self._store.delete(bucket, keys[half:])
        self._step()
        return failures
