"""An image registry on the wire, in a real one's words (OCI distribution specification)."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from madeploy.clients.registry import Credential
from tests.support.http_double import Answer, http_double

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
LOGIN = Credential("robot", "not-a-secret")
"""Whom a registry with a login lets in."""

BEARER = "token-of-the-robot"


@dataclass
class Registry:
    """What a registry holds, and how it lets itself be asked."""

    platforms: dict[str, list[str]] = field(default_factory=dict)
    """Processors of the images it has, by repository and tag; one alone is no index."""

    login: str = ""
    """`bearer` or `basic`, or none."""

    address: str = ""

    @property
    def user(self) -> tuple[str, str]:
        """Name and password of its login."""
        return LOGIN.username, LOGIN.password

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        """As the OCI distribution specification has it."""
        given = headers.get("authorization", "")
        basic = f"Basic {base64.b64encode(f'{LOGIN.username}:{LOGIN.password}'.encode()).decode()}"
        if path.startswith("/token"):
            assert "scope=repository" in path
            ok = given == basic
            return (200 if ok else 401), {}, json.dumps({"token": BEARER}).encode()
        wanted = {"bearer": f"Bearer {BEARER}", "basic": basic}.get(self.login, given)
        if given != wanted:
            realm = f'Bearer realm="http://{self.address}/token",service="r",scope="repository:x:pull"'
            return 401, {"WWW-Authenticate": realm if self.login == "bearer" else 'Basic realm="r"'}, b""
        repository, _, tag = path.removeprefix("/v2/").partition("/manifests/")
        if "/blobs/" in path:
            return 200, {}, json.dumps({"architecture": path.rpartition(":")[2]}).encode()
        found = self.platforms.get(f"{repository}:{tag}")
        if found is None:
            return 404, {}, b'{"errors": [{"code": "MANIFEST_UNKNOWN"}]}'
        if len(found) == 1:
            document = {"config": {"digest": f"sha256:{found[0]}"}}
            return 200, {"Content-Type": MANIFEST}, json.dumps(document).encode()
        listed = [{"platform": {"os": "linux", "architecture": arch}} for arch in found]
        listed.append({"platform": {"os": "unknown", "architecture": "unknown"}})
        return 200, {"Content-Type": INDEX}, json.dumps({"manifests": listed}).encode()


@contextlib.contextmanager
def serving(made: Registry) -> Iterator[Registry]:
    """Start it on a free port of this machine."""
    with http_double(made.answer) as address:
        made.address = address
        yield made
