"""A container registry as the toolkit calls it: manifests, with the credential of a pull Secret.

OCI distribution specification 1.1; token authentication as the Distribution project describes it.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import urllib3

from madeploy.clients.deadline import client_context
from madeploy.clients.errors import ClientError, cause_of_exception, cause_of_status

CONNECT_SECONDS = 5.0
READ_SECONDS = 10.0
DOCKER_HUB: Final = "registry-1.docker.io"

_HUB_NAMES: Final = ("docker.io", "index.docker.io", DOCKER_HUB)
_INDEXES: Final = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
_MANIFESTS: Final = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_PARAMETER: Final = re.compile(r'(\w+)="([^"]*)"')


@dataclass(frozen=True)
class Reference:
    """One image as a pod names it."""

    registry: str
    """Host, with its port where it has one."""

    repository: str
    tag: str
    """Tag or digest."""

    def __str__(self) -> str:
        return f"{self.registry}/{self.repository}{'@' if ':' in self.tag else ':'}{self.tag}"


@dataclass(frozen=True)
class Credential:
    """A login to a registry."""

    username: str
    password: str = field(repr=False)


def parse(image: str) -> Reference:
    """The reference of an image, short names and defaults filled in as container runtimes do."""
    name, _, digest = image.partition("@")
    first, slash, rest = name.partition("/")
    if not slash or not ("." in first or ":" in first or first == "localhost"):
        first, rest = DOCKER_HUB, name if slash else f"library/{name}"
    repository, colon, tag = rest.partition(":")
    registry = DOCKER_HUB if first in _HUB_NAMES else first
    return Reference(registry, repository, digest or (tag if colon else "latest"))


def credentials(dockerconfigjson: bytes) -> dict[str, Credential]:
    """Logins by registry, with a path where they are for a part of it. Raises ValueError for what is no such
    document; it never shows what it holds."""
    try:
        auths: Mapping[str, Mapping[str, str]] = json.loads(dockerconfigjson)["auths"]
        found = {}
        for key, entry in auths.items():
            user, password = entry.get("username", ""), entry.get("password", "")
            if entry.get("auth"):
                user, _, password = base64.b64decode(entry["auth"], validate=True).decode().partition(":")
            where = re.sub(r"^https?://", "", key).rstrip("/")
            host, _, path = where.partition("/")
            if host in _HUB_NAMES:
                where = DOCKER_HUB
            elif path in ("v1", "v2"):
                where = host
            found[where] = Credential(user, password)
    except (ValueError, LookupError, TypeError, AttributeError):
        raise ValueError("it holds no logins") from None
    return found


def credential_for(reference: Reference, logins: Mapping[str, Credential]) -> Credential | None:
    """The login for an image: that of the longest path it is below."""
    whole = f"{reference.registry}/{reference.repository}"
    fitting = [key for key in logins if whole == key or whole.startswith(f"{key}/")]
    return logins[max(fitting, key=len)] if fitting else None


def platforms(reference: Reference, credential: Credential | None = None) -> frozenset[str]:
    """Processors that an image is made for, such as `amd64`; empty where its manifest does not say.

    Raises ClientError: `notFound` for an image that is not there, `unauthorized` or `forbidden` for one that
    is not shown.
    """
    registry = _Registry(reference, credential)
    document, kind = registry.get(f"manifests/{reference.tag}", (*_INDEXES, *_MANIFESTS))
    if kind in _INDEXES or "manifests" in document:
        found = (item.get("platform") or {} for item in document.get("manifests") or ())
        # Attestations are listed as `unknown`.
        return frozenset(str(item["architecture"]) for item in found if item.get("os") == "linux")
    digest = (document.get("config") or {}).get("digest")
    if not digest:
        return frozenset()
    config, _ = registry.get(f"blobs/{digest}", ("application/json",))
    return frozenset([str(config["architecture"])] if config.get("architecture") else [])


class _Registry:
    def __init__(self, reference: Reference, credential: Credential | None) -> None:
        host = urlsplit(f"//{reference.registry}").hostname or ""
        # Container runtimes speak plain HTTP to registries on the machine itself.
        is_here = host in ("localhost", "127.0.0.1", "::1")
        self._url = f"{'http' if is_here else 'https'}://{reference.registry}"
        self._repository = reference.repository
        self._credential = credential
        self._headers: dict[str, str] = {}
        limits = urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS)
        self._pool = urllib3.PoolManager(ssl_context=client_context(), timeout=limits, retries=False)

    def get(self, path: str, accept: tuple[str, ...]) -> tuple[dict[str, Any], str]:
        """A document and its media type. Raises ClientError."""
        url = f"{self._url}/v2/{self._repository}/{path}"
        answer = self._once(url, {**self._headers, "Accept": ", ".join(accept)})
        if answer.status == 401 and not self._headers:
            self._headers = self._login(answer.headers.get("WWW-Authenticate", ""))
            answer = self._once(url, {**self._headers, "Accept": ", ".join(accept)})
        if answer.status in (301, 302, 303, 307, 308):
            # Blobs are often elsewhere, behind a signed address that takes no other credential.
            answer = self._once(answer.headers.get("Location", ""), {})
        if answer.status >= 400:
            raise ClientError(self._url, cause_of_status(answer.status), "", answer.status)
        try:
            document = json.loads(answer.data)
        except ValueError:
            raise ClientError(
                self._url, "invalid", "it answers with something else than a manifest"
            ) from None
        kind = answer.headers.get("Content-Type", "").partition(";")[0]
        return document if isinstance(document, dict) else {}, kind

    def _login(self, challenge: str) -> dict[str, str]:
        scheme, _, rest = challenge.partition(" ")
        basic = {}
        if self._credential is not None:
            pair = f"{self._credential.username}:{self._credential.password}".encode()
            basic = {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
        if scheme.lower() != "bearer":
            return basic
        said = dict(_PARAMETER.findall(rest))
        realm = said.pop("realm", "")
        if not realm.startswith("https://") and not self._url.startswith("http://"):
            raise ClientError(self._url, "invalid", "it sends logins to an address without TLS")
        asked = {key: value for key, value in said.items() if key in ("service", "scope")}
        answer = self._once(f"{realm}?{urlencode(asked)}", basic)
        if answer.status >= 400:
            raise ClientError(self._url, cause_of_status(answer.status), "", answer.status)
        try:
            given = json.loads(answer.data)
            token = given.get("token") or given["access_token"]
        except (ValueError, LookupError, AttributeError):
            raise ClientError(self._url, "unauthorized", "its login gives no token") from None
        return {"Authorization": f"Bearer {token}"}

    def _once(self, url: str, headers: Mapping[str, str]) -> urllib3.BaseHTTPResponse:
        try:
            return self._pool.request("GET", url, headers=dict(headers), redirect=False)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise ClientError(self._url, cause_of_exception(error)) from None
