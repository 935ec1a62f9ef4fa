"""Models as a control plane's API server has them, for people and for retention."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Final, TypeVar

from madeploy.clients.errors import ClientError
from madeploy.clients.kubernetes import Kubernetes
from madeploy.clients.s3 import S3
from madeploy.findings import Finding, find
from madeploy.names.kubernetes import API_VERSION, PLURALS, crd
from madeploy.registry.retention.registry import PAGE
from madeploy.registry.retention.terms import StoreError

_ROOT: Final = f"/apis/{API_VERSION}"
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Model:
    """A `Model` as it is shown."""

    namespace: str
    name: str
    created: datetime | None
    kind: str
    package_type: str
    revision: int
    raw: tuple[str, ...]
    """`spec.modelArtifactUri`."""

    deployable: tuple[str, ...]
    """`spec.deployableArtifactUri`."""

    @classmethod
    def read(cls, item: Mapping[str, Any]) -> Model:
        """A model from its object; what is not there is empty."""
        meta, spec = item["metadata"], item.get("spec") or {}
        try:
            stamp = datetime.strptime(str(meta.get("creationTimestamp")), "%Y-%m-%dT%H:%M:%SZ")
            created = stamp.replace(tzinfo=timezone.utc)
        except ValueError:
            created = None
        return cls(
            meta["namespace"],
            meta["name"],
            created,
            str(spec.get("kind") or ""),
            str(spec.get("packageType") or ""),
            int(spec.get("revisionId") or 0),
            tuple(map(str, spec.get("modelArtifactUri") or ())),
            tuple(map(str, spec.get("deployableArtifactUri") or ())),
        )

    def to_data(self) -> dict[str, Any]:
        """Plain data for JSON; keys are constant."""
        return {
            "namespace": self.namespace,
            "name": self.name,
            "created": self.created.strftime("%Y-%m-%dT%H:%M:%SZ") if self.created else None,
            "kind": self.kind,
            "packageType": self.package_type,
            "revisionId": self.revision,
            "modelArtifactUri": list(self.raw),
            "deployableArtifactUri": list(self.deployable),
        }

    def findings(self) -> list[Finding]:
        """What a registration that went well leaves behind and is not there."""
        subject = f"Model {self.namespace}/{self.name}"
        found = []
        if not self.raw:
            found.append(find("MA342", subject, "spec.modelArtifactUri is empty"))
        if not self.deployable:
            found.append(find("MA343", subject, "spec.deployableArtifactUri is empty"))
        return found


def models(client: Kubernetes, namespace: str | None = None) -> Iterator[Model]:
    """Models of one namespace or of all, page by page. Raises ClientError."""
    where = f"/namespaces/{namespace}" if namespace else ""
    for item in client.items(f"{_ROOT}{where}/{PLURALS['Model']}", page=PAGE):
        yield Model.read(item)


def model(client: Kubernetes, namespace: str, name: str) -> Model | None:
    """One model; None when there is none. Raises ClientError, also when the kind is not defined."""
    folder = f"{_ROOT}/namespaces/{namespace}/{PLURALS['Model']}"
    item = client.find(f"{folder}/{name}")
    if item is None:
        client.get(folder, limit=1)  # Says whether the definition is there.
        return None
    return Model.read(item)


def refusal(error: ClientError, namespace: str | None) -> Finding | None:
    """What a failed call to the registry means, where it means something in particular: the definition is
    missing, or the caller may not read models. None for any other failure."""
    if error.cause == "notFound":
        return find("MA340", crd("Model"), "the API server knows no such resource")
    if error.cause == "forbidden":
        where = f"namespace {namespace}" if namespace else "all namespaces"
        return find("MA341", f"models in {where}", error.message or "the API server refuses")
    return None


class LiveRegistry:
    """The registry as retention calls it, as the stack's administrator."""

    def __init__(self, client: Kubernetes) -> None:
        self._client = client

    def models(self) -> Iterator[Mapping[str, Any]]:
        """Every `Model`. Raises ClientError: nothing has been done by then."""
        return self._client.items(f"{_ROOT}/{PLURALS['Model']}", page=PAGE)

    def deployments(self) -> Iterator[Mapping[str, Any]]:
        """Every `Deployment` of the platform; none where that kind is not defined."""
        try:
            yield from self._client.items(f"{_ROOT}/{PLURALS['Deployment']}", page=PAGE)
        except ClientError as error:
            if error.cause != "notFound":
                raise

    def model(self, namespace: str, name: str) -> Mapping[str, Any] | None:
        """One `Model`; None when there is none."""
        return _translated(lambda: self._client.find(_path(namespace, name)))

    def delete_model(self, namespace: str, name: str, uid: str, version: str) -> bool:
        """Delete a `Model` if it is still this one; true also when it is gone."""
        options = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "preconditions": {"uid": uid, "resourceVersion": version},
        }
        try:
            self._client.delete(_path(namespace, name), options)
        except ClientError as error:
            if error.cause == "conflict":
                return False
            raise StoreError(str(error), is_fatal=True) from None
        return True


class LiveStore:
    """The object store as retention calls it."""

    def __init__(self, store: S3) -> None:
        self._store = store

    def pages(self, bucket: str, prefix: str, limit: int) -> Iterator[list[tuple[str, int]]]:
        """Keys with sizes in bytes."""
        pages = self._store.pages(bucket, prefix, limit)
        while (page := _translated(lambda: next(pages, None))) is not None:
            yield page

    def delete(self, bucket: str, keys: Sequence[str]) -> dict[str, str]:
        """The reason by key for objects that could not be deleted."""
        return _translated(lambda: self._store.delete(bucket, keys))


def _path(namespace: str, name: str) -> str:
    return f"{_ROOT}/namespaces/{namespace}/{PLURALS['Model']}/{name}"


def _translated(call: Callable[[], _Result]) -> _Result:
    try:
        return call()
    except ClientError as error:
        # What is refused or unreachable once is so for every model; anything else may be this one's.
        fatal = error.is_unreachable or error.cause in ("unauthorized", "forbidden", "throttled", "server")
        raise StoreError(str(error), fatal) from None
