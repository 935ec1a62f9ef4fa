"""A Kubernetes API server as the toolkit calls it: with time limits, bounded retries and typed failures."""

from __future__ import annotations

import json
import random
import ssl
import time
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode

import urllib3

from madeploy.clients.deadline import client_context
from madeploy.clients.errors import ClientError, cause_of_exception, cause_of_status
from madeploy.clients.login import is_header_safe, login

Object = dict[str, Any]
"""A Kubernetes object as plain data."""

CONNECT_SECONDS = 5.0
"""For TCP, and again for TLS."""
READ_SECONDS = 15.0
"""For a whole answer."""
ATTEMPTS = 4
"""How often a call without side effects is made at most: the provider plugin makes it once."""
LONGEST_PAUSE_SECONDS = 10.0
CONNECTIONS = 32
"""Connections kept open to one server: as many threads as use a client at the same time."""
PAGE = 500
"""Objects per page of a list (`limit`), the size kubectl uses."""
FIELD_MANAGER = "madeploy"

APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"


class Kubernetes:
    """One API server with one credential. Made by `from_kubeconfig` or `registered`.

    Every method raises ClientError; reads are tried again up to `ATTEMPTS` times where the server is busy
    (429, 5xx) or drops the connection.
    """

    def __init__(self, server: str, pool: urllib3.PoolManager, headers: Mapping[str, str]) -> None:
        self.server = server
        self._pool = pool
        self._headers = dict(headers)

    @classmethod
    def from_kubeconfig(cls, minified: Mapping[str, Any], read_seconds: float = READ_SECONDS) -> Kubernetes:
        """The API server of a kubeconfig of one context, as its administrator.

        A login command that the kubeconfig names (`exec`) is run, as kubectl would. Raises ClientError for
        a kubeconfig that cannot be used.
        """
        found = login(minified)
        limits = urllib3.Timeout(connect=CONNECT_SECONDS, read=read_seconds)
        pool: urllib3.PoolManager
        if found.proxy:
            pool = urllib3.ProxyManager(
                found.proxy, ssl_context=found.context, timeout=limits, retries=False, maxsize=CONNECTIONS
            )
        else:
            name = found.server_name
            named: dict[str, Any] = {"server_hostname": name, "assert_hostname": name} if name else {}
            pool = urllib3.PoolManager(
                ssl_context=found.context, timeout=limits, retries=False, maxsize=CONNECTIONS, **named
            )
        return cls(found.server, pool, found.headers)

    @classmethod
    def registered(
        cls, server: str, certificate_authority: str, token: str, read_seconds: float = READ_SECONDS
    ) -> Kubernetes:
        """The API server as the control plane calls it: the registered authority (PEM text) and bearer
        token, nothing else (facts 3.1). `server` is `https://host:port`.

        Raises ValueError when the authority is no PEM certificate, or the token cannot stand in a header.
        """
        try:
            context = client_context(certificate_authority)
        except (ssl.SSLError, ValueError):
            raise ValueError("the registered authority is no PEM certificate") from None
        if not is_header_safe(token):
            raise ValueError("the registered token has characters that no token has")
        limits = urllib3.Timeout(connect=CONNECT_SECONDS, read=read_seconds)
        pool = urllib3.PoolManager(ssl_context=context, timeout=limits, retries=False, maxsize=CONNECTIONS)
        return cls(server.rstrip("/"), pool, {"Authorization": f"Bearer {token}"})

    def get(self, path: str, **query: Any) -> Object:
        """The object at `path` (`/api/v1/namespaces/default/secrets/x`)."""
        return _decoded(self._call("GET", path, query, attempts=ATTEMPTS))

    def find(self, path: str, **query: Any) -> Object | None:
        """The object at `path`, None where there is none."""
        try:
            return self.get(path, **query)
        except ClientError as error:
            if error.cause == "notFound":
                return None
            raise

    def text(self, path: str) -> str:
        """The answer to GET `path` as text (`/healthz`)."""
        return self._call("GET", path, {}, attempts=ATTEMPTS).decode("utf-8", errors="replace")

    def answers(self, path: str) -> bool:
        """Whether GET `path` is answered without an error: for health checks, so that no failure raises."""
        try:
            self._call("GET", path, {})
        except ClientError:
            return False
        return True

    def clock(self) -> float | None:
        """Seconds since 1970 by the server's clock, as it dates its answers; None when it does not.

        Any answer will do, a refusal of the credential too.
        """
        try:
            answer = self._pool.request("GET", f"{self.server}/version", headers=self._headers)
            return parsedate_to_datetime(answer.headers["Date"]).timestamp()
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise ClientError(self.server, cause_of_exception(error)) from None
        except (KeyError, ValueError):
            return None

    def items(self, path: str, page: int = PAGE, **query: Any) -> Iterator[Object]:
        """Objects of a collection, page by page: never more than one page is held."""
        follow: str | None = None
        while True:
            given = {**query, "limit": page, **({"continue": follow} if follow else {})}
            answer = self.get(path, **given)
            yield from answer.get("items") or ()
            follow = (answer.get("metadata") or {}).get("continue")
            if not follow:
                return

    def watch(self, path: str, version: str, seconds: int) -> Iterator[Object]:
        """Events in the collection `path` after that resourceVersion, as they happen, until the server ends
        the stream after so many seconds: `{"type": "MODIFIED", "object": {…}}`; bookmarks and a last `ERROR`
        among them (Kubernetes API concepts, "Efficient detection of changes"). Tried once."""
        query = {"watch": "true", "allowWatchBookmarks": "true", "resourceVersion": version}
        url = f"{self.server}{path}?{urlencode({**query, 'timeoutSeconds': seconds})}"
        limits = urllib3.Timeout(connect=CONNECT_SECONDS, read=seconds + READ_SECONDS)
        try:
            answer = self._pool.request(
                "GET", url, headers=self._headers, timeout=limits, preload_content=False
            )
            try:
                if answer.status >= 400:
                    cause = cause_of_status(answer.status)
                    raise ClientError(self.server, cause, _message(answer.data), answer.status)
                rest = b""
                for part in answer.stream():
                    *lines, rest = (rest + part).split(b"\n")
                    yield from map(_decoded, lines)
            finally:
                answer.close()
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise ClientError(self.server, cause_of_exception(error)) from None

    def review(self, path: str, item: Object) -> Object:
        """The server's answer to a question that changes nothing (SelfSubjectReview and its kin). Tried
        again as reads are."""
        return _decoded(self._call("POST", path, {}, item, attempts=ATTEMPTS))

    def create(self, path: str, item: Object, **query: Any) -> Object:
        """Create an object in the collection `path`, or a subresource. Tried once."""
        return _decoded(self._call("POST", path, {"fieldManager": FIELD_MANAGER, **query}, item))

    def apply(
        self,
        path: str,
        item: Object,
        manager: str = FIELD_MANAGER,
        force: bool = False,
        dry_run: bool = False,
    ) -> Object:
        """Server-side apply of the object at `path`; a conflict with another manager is `conflict`. With
        `dry_run` what it would come to, through admission, and nothing is changed."""
        query = {"fieldManager": manager, "force": "true" if force else "false"}
        query |= {"dryRun": "All"} if dry_run else {}
        return _decoded(self._call("PATCH", path, query, item, APPLY))

    def merge(self, path: str, change: Object, manager: str = FIELD_MANAGER) -> Object:
        """JSON merge patch of the object at `path`."""
        return _decoded(self._call("PATCH", path, {"fieldManager": manager}, change, MERGE))

    def delete(self, path: str, options: Object | None = None) -> bool:
        """Delete the object at `path`; False where there was none."""
        try:
            self._call("DELETE", path, {}, options)
        except ClientError as error:
            if error.cause == "notFound":
                return False
            raise
        return True

    def _call(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any],
        body: Object | None = None,
        content: str = "application/json",
        attempts: int = 1,
    ) -> bytes:
        for attempt in range(1, attempts + 1):
            try:
                return self._once(method, path, query, body, content)
            except _BusyError as busy:
                if attempt == attempts:
                    raise busy.error from None
                time.sleep(busy.pause(attempt))
        raise AssertionError("the loop returns or raises")

    def _once(
        self, method: str, path: str, query: Mapping[str, Any], body: Object | None, content: str
    ) -> bytes:
        url = f"{self.server}{path}" + (f"?{urlencode(query)}" if query else "")
        headers = {**self._headers, "Accept": "application/json"}
        data = None
        if body is not None:
            data, headers["Content-Type"] = json.dumps(body).encode(), content
        try:
            answer = self._pool.request(method, url, body=data, headers=headers)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            cause = cause_of_exception(error)
            failure = ClientError(self.server, cause)
            if cause == "reset":
                raise _BusyError(failure) from None
            raise failure from None
        if answer.status < 400:
            return bytes(answer.data)
        failure = ClientError(
            self.server, cause_of_status(answer.status), _message(answer.data), answer.status
        )
        if failure.cause in ("throttled", "server"):
            raise _BusyError(failure, answer.headers.get("Retry-After"))
        raise failure


class _BusyError(Exception):
    """A failure that may pass."""

    def __init__(self, error: ClientError, retry_after: str | None = None) -> None:
        self.error = error
        self._retry_after = retry_after

    def pause(self, attempt: int) -> float:
        """Seconds to wait: what the server asks for, else twice as long each time, with jitter."""
        asked = self._retry_after or ""
        seconds = float(asked) if asked.isdigit() else 0.25 * 2**attempt * random.uniform(0.5, 1.5)
        return min(seconds, LONGEST_PAUSE_SECONDS)


def _decoded(data: bytes) -> Object:
    decoded = json.loads(data) if data else {}
    return decoded if isinstance(decoded, dict) else {}


def _message(data: bytes) -> str:
    """The message of a `Status`; nothing of an answer that is none, for it may be anything."""
    try:
        return str(json.loads(data).get("message") or "")
    except (ValueError, AttributeError):
        return ""
