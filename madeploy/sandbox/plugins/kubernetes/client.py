"""A small Kubernetes API client: plain objects, any kind, one connection pool.

The `kubernetes` package would do, at three times the memory and half a second of start-up for each of the
plugin's processes; what a plugin needs of it is discovery and six verbs. API conventions: Kubernetes' "API
Concepts" and "Server-Side Apply" documentation."""

from __future__ import annotations

import json
import os
import ssl
import tempfile
import threading
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import urllib3

from madeploy.sandbox.plugins.kubernetes.kubeconfig import Connection

Object = dict[str, Any]

CONNECT_SECONDS = 10.0
READ_SECONDS = 60.0
POOL_SIZE = 32
RETRIES_WHEN_BUSY = 10
DISCOVERY_SECONDS = 0.15
"""A kind that was missing is asked for again after this long: its definition may just have been created."""

APPLY = "application/apply-patch+yaml"
JSON_PATCH = "application/json-patch+json"


class ApiError(Exception):
    """The API server said no.

    Args:
        status: HTTP status code.
        reason: Kubernetes' machine-readable reason ("AlreadyExists").
        message: its text.
        details: the `details` of its Status object.
    """

    def __init__(self, status: int, reason: str, message: str, details: Object | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message
        self.details = details or {}

    @property
    def is_missing_namespace(self) -> bool:
        """Whether the namespace, not the object itself, was not found."""
        return self.status == 404 and self.details.get("kind") == "namespaces"


class NoSuchKindError(Exception):
    """The API server has no such kind; most often a CustomResourceDefinition is missing."""


class UnreachableError(Exception):
    """No answer from the API server."""


@dataclass(frozen=True)
class Kind:
    """How objects of a kind are addressed: `apis/apps/v1/namespaces/<ns>/deployments/<name>`."""

    prefix: str
    plural: str
    namespaced: bool

    def path(self, namespace: str | None, name: str | None = None) -> str:
        """The path of one object, or of the collection."""
        scope = f"/namespaces/{quote(namespace or 'default', safe='')}" if self.namespaced else ""
        return f"{self.prefix}{scope}/{self.plural}" + (f"/{quote(name, safe='')}" if name else "")


class Throttle:
    """At most `qps` requests a second in the long run, `burst` at once, as client-go's token bucket."""

    def __init__(self, qps: float, burst: int) -> None:
        self._qps = qps
        self._burst = burst
        self._tokens = float(burst)
        self._last = time.monotonic()
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Return when the next request may be sent."""
        with self._lock:
            now = time.monotonic()
            self._tokens = min(self._burst, self._tokens + (now - self._last) * self._qps) - 1
            self._last = now
            pause = -self._tokens / self._qps if self._tokens < 0 else 0.0
        if pause:
            time.sleep(pause)


class Client:
    """Talks to one API server. Safe to use from several threads.

    Args:
        connection: where and as whom.
        timeout: seconds for a request to be answered; 60 where not given.
        throttle: slows requests down; none where not given.
    """

    def __init__(
        self, connection: Connection, timeout: float | None = None, throttle: Throttle | None = None
    ) -> None:
        self.server = connection.server
        self._throttle = throttle
        headers = {"Accept": "application/json", "User-Agent": "madeploy-sandbox"}
        if connection.token:
            headers["Authorization"] = f"Bearer {connection.token}"
        options: dict[str, Any] = {}
        if connection.server.startswith("https"):
            options = {"ssl_context": _tls(connection)}
            if connection.server_name:
                options |= {
                    "server_hostname": connection.server_name,
                    "assert_hostname": connection.server_name,
                }
        self._pool = urllib3.connectionpool.connection_from_url(
            connection.server,
            maxsize=POOL_SIZE,
            headers=headers,
            timeout=urllib3.Timeout(
                connect=min(CONNECT_SECONDS, timeout or CONNECT_SECONDS), read=timeout or READ_SECONDS
            ),
            # A server may close a kept connection just as it is reused; asking again is safe for GET only.
            retries=urllib3.Retry(total=2, connect=0, read=2, status=0, redirect=0, allowed_methods={"GET"}),
            **options,
        )
        self._kinds: dict[str, dict[str, Kind]] = {}
        self._missed: dict[tuple[str, str], float] = {}
        self._lock = threading.Lock()

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        query: dict[str, str] | None = None,
        content_type: str = "application/json",
    ) -> Object:
        """One call; the answer's JSON.

        Raises:
            ApiError: the server refused.
            UnreachableError: no answer.
        """
        url = f"{path}?{urlencode(query)}" if query else path
        data = None if body is None else json.dumps(body, separators=(",", ":")).encode()
        for _ in range(RETRIES_WHEN_BUSY):
            if self._throttle:
                self._throttle.wait()
            try:
                answer = self._pool.request(
                    method, url, body=data, headers={**self._pool.headers, "Content-Type": content_type}
                )
            except (urllib3.exceptions.HTTPError, OSError) as error:
                raise UnreachableError(f'{method.title()} "{self.server}{path}": {_cause(error)}') from None
            # "Try again" of an API server under load or still starting, with the time it asks for.
            if answer.status not in (429, 503) or "Retry-After" not in answer.headers:
                break
            time.sleep(min(float(answer.headers["Retry-After"]), 10.0))
        content = _json(answer.data)
        if answer.status >= 400:
            raise ApiError(
                answer.status,
                str(content.get("reason", "")),
                str(content.get("message") or f"the server answered {answer.status} to {method} {path}"),
                content.get("details"),
            )
        return content

    def kind(self, api_version: str, kind: str) -> Kind:
        """How `kind` is addressed.

        Raises:
            NoSuchKindError: the server does not have it.
            UnreachableError: no answer.
        """
        with self._lock:
            found = self._kinds.get(api_version, {}).get(kind)
            if found:
                return found
            if time.monotonic() - self._missed.get((api_version, kind), float("-inf")) < DISCOVERY_SECONDS:
                raise NoSuchKindError(f'no matches for kind "{kind}" in version "{api_version}"')
            prefix = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
            try:
                listed = self.request("GET", prefix)["resources"]
            except ApiError as error:
                if error.status != 404:
                    raise
                listed = []
            self._kinds[api_version] = {
                entry["kind"]: Kind(prefix, entry["name"], entry["namespaced"])
                for entry in listed
                if "/" not in entry["name"]
            }
            if kind not in self._kinds[api_version]:
                self._missed[api_version, kind] = time.monotonic()
                raise NoSuchKindError(f'no matches for kind "{kind}" in version "{api_version}"')
            return self._kinds[api_version][kind]

    def forget_kinds(self) -> None:
        """Ask again next time: a definition was created or changed."""
        with self._lock:
            self._kinds.clear()
            self._missed.clear()

    def path(self, target: Object, name: str | None = None) -> str:
        """The path of the object that `target` describes, or of the one called `name` beside it."""
        metadata = target.get("metadata", {})
        kind = self.kind(target["apiVersion"], target["kind"])
        return kind.path(metadata.get("namespace"), name or metadata["name"])

    def get(self, target: Object, name: str | None = None) -> Object:
        """The live object that `target` names by kind, namespace and name."""
        return self.request("GET", self.path(target, name))

    def create(self, target: Object, manager: str, dry_run: bool = False) -> Object:
        """POST `target`; fails where it exists."""
        kind = self.kind(target["apiVersion"], target["kind"])
        path = kind.path(target["metadata"].get("namespace"))
        return self.request("POST", path, self._scoped(target, kind), _options(manager, dry_run))

    def apply(self, target: Object, manager: str, force: bool = False, dry_run: bool = False) -> Object:
        """Server-side apply of `target` as `manager`."""
        kind = self.kind(target["apiVersion"], target["kind"])
        path = kind.path(target["metadata"].get("namespace"), target["metadata"]["name"])
        query = {**_options(manager, dry_run), "force": "true" if force else "false"}
        return self.request("PATCH", path, self._scoped(target, kind), query, APPLY)

    def replace(self, target: Object, manager: str, dry_run: bool = False) -> Object:
        """PUT `target`, which carries the resource version that it replaces."""
        return self.request("PUT", self.path(target), target, _options(manager, dry_run))

    def patch(self, target: Object, operations: list[Object]) -> Object:
        """JSON patch."""
        return self.request("PATCH", self.path(target), operations, content_type=JSON_PATCH)

    def delete(self, target: Object, name: str, propagation: str) -> Object:
        """Ask for deletion; the object may live on until its finalizers are gone."""
        return self.request("DELETE", self.path(target, name), {"propagationPolicy": propagation})

    def list(self, api_version: str, kind: str, namespace: str | None, labels: str = "") -> list[Object]:
        """The objects of a kind in a namespace, by label selector."""
        path = self.kind(api_version, kind).path(namespace)
        items = self.request("GET", path, query={"labelSelector": labels} if labels else None)["items"]
        return list(items)

    @staticmethod
    def _scoped(target: Object, kind: Kind) -> Object:
        # A custom resource whose definition did not exist at check time was given a namespace on suspicion.
        if kind.namespaced or "namespace" not in target["metadata"]:
            return target
        metadata = {key: value for key, value in target["metadata"].items() if key != "namespace"}
        return {**target, "metadata": metadata}


def _options(manager: str, dry_run: bool) -> dict[str, str]:
    return {"fieldManager": manager, "fieldValidation": "Warn", **({"dryRun": "All"} if dry_run else {})}


def _json(data: bytes) -> Object:
    try:
        content = json.loads(data)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _cause(error: BaseException) -> str:
    """The operating system's words at the bottom of urllib3's layers ("connection refused")."""
    reason: Any = getattr(error, "reason", None) or error
    if isinstance(reason, urllib3.exceptions.NewConnectionError):
        return "connect: connection refused" if "refused" in str(reason) else str(reason).split(": ", 1)[-1]
    if isinstance(reason, urllib3.exceptions.TimeoutError):
        return "timeout: the server did not answer in time"
    if isinstance(reason, ssl.SSLError | urllib3.exceptions.SSLError):
        return f"tls: {str(reason).split('(')[-1].rstrip(')') or 'handshake failed'}"
    return type(reason).__name__


def _tls(connection: Connection) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=connection.ca.decode() if connection.ca else None)
    if not connection.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if connection.client_certificate and connection.client_key:
        # The ssl module reads certificates from files only.
        with tempfile.TemporaryDirectory() as directory:
            pair = os.path.join(directory, "pair.pem")
            with open(os.open(pair, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "wb") as file:
                file.write(connection.client_certificate + b"\n" + connection.client_key)
            context.load_cert_chain(pair)
    return context
