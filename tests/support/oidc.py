"""An OpenID provider as a server: authorization code flow with PKCE, refresh tokens, rotating keys, and the
end of its sessions (OpenID Connect Core 1.0, RFC 6749, RFC 7636). Who signs in is whom a test says or, in a
browser, whoever follows the link."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import escape
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.support.http_servers import HttpServer, served

HOST = "login.example.com"
ISSUER = f"https://{HOST}/realms/ml"
CLIENT = "michelangelo"
BASE = "/realms/ml/protocol/openid-connect"


def encoded(data: bytes) -> str:
    """Base64 for URLs without padding (RFC 7515, 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unsigned(header: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
    """What of a token is signed."""
    return ".".join(encoded(json.dumps(part).encode()) for part in (header, claims))


@dataclass
class Key:
    """A signing key with its id."""

    kid: str = field(default_factory=lambda: secrets.token_hex(4))
    private: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))

    def token(self, claims: Mapping[str, Any], **header: Any) -> str:
        """A token signed by RS256; `header` comes on top."""
        text = unsigned({"alg": "RS256", "kid": self.kid, "typ": "JWT", **header}, claims)
        return f"{text}.{encoded(self.private.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))}"

    def public(self) -> dict[str, str]:
        """The key as JWK."""
        numbers = self.private.public_key().public_numbers()
        return {
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": self.kid,
            "n": encoded(numbers.n.to_bytes(256, "big")),
            "e": encoded(numbers.e.to_bytes(3, "big")),
        }


def _set() -> threading.Event:
    event = threading.Event()
    event.set()
    return event


@dataclass
class Provider:
    """What the provider knows, open to a test."""

    client_secret: str
    keys: list[Key] = field(default_factory=lambda: [Key()])
    """Published keys; the last one signs."""

    user: dict[str, Any] | None = None
    """Claims of whoever signs in without being asked; None shows a page with a link for each of `people`."""

    people: dict[str, dict[str, Any]] = field(default_factory=dict)
    lifetime: int = 3600
    """Seconds that ID tokens are valid."""

    override: dict[str, Any] = field(default_factory=dict)
    """Claims put over those of every ID token."""

    forged: str | None = None
    """Sent in place of every ID token."""

    refreshes: bool = True
    down: bool = False
    """Whether it ends connections without an answer."""

    silent: threading.Event = field(default_factory=_set)
    """Cleared while it takes requests and does not answer them."""

    hidden: bool = False
    """Whether new keys are not published yet."""

    asked: list[str] = field(default_factory=list)
    """Paths that were asked for."""

    codes: dict[str, dict[str, Any]] = field(default_factory=dict)
    refresh_tokens: dict[str, dict[str, Any]] = field(default_factory=dict)

    def claims(self, user: Mapping[str, Any]) -> dict[str, Any]:
        """Claims of an ID token."""
        now = int(time.time())
        own = {"iss": ISSUER, "aud": CLIENT, "iat": now, "exp": now + self.lifetime, "sub": "someone"}
        return {**own, **user, **self.override}

    def id_token(self, user: Mapping[str, Any]) -> str:
        """An ID token."""
        return self.forged if self.forged is not None else self.keys[-1].token(self.claims(user))

    def rotate(self, keep: bool = True) -> None:
        """Sign with a new key from now on, and publish the old one still, or not."""
        self.keys = [*(self.keys if keep else []), Key()]

    def published(self) -> dict[str, Any]:
        """The key set."""
        return {"keys": [key.public() for key in (self.keys[:-1] if self.hidden else self.keys)]}


class _Handler(BaseHTTPRequestHandler):
    provider: Provider
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Says nothing."""

    def do_GET(self) -> None:
        path, query = self._asked()
        if self.provider.down:
            self._cut()
        elif path == f"{BASE}/auth":
            self._authorize(query)
        elif path == f"{BASE}/certs":
            self._json(200, self.provider.published())
        elif path == f"{BASE}/logout":
            self._redirect(query["post_logout_redirect_uri"])
        elif path == "/realms/ml/.well-known/openid-configuration":
            names = {"authorization": "auth", "token": "token", "end_session": "logout"}
            found = {f"{name}_endpoint": f"https://{HOST}{BASE}/{end}" for name, end in names.items()}
            self._json(200, {"issuer": ISSUER, **found, "jwks_uri": f"https://{HOST}{BASE}/certs"})
        else:
            self._json(404, {})

    def do_POST(self) -> None:
        path, _ = self._asked()
        body = _flat(self.rfile.read(int(self.headers.get("content-length", 0))).decode())
        if self.provider.down:
            self._cut()
        elif path == f"{BASE}/token":
            self._token(body)
        else:
            self._json(404, {})

    def _asked(self) -> tuple[str, dict[str, str]]:
        parts = urlsplit(self.path)
        self.provider.asked.append(parts.path)
        self.provider.silent.wait(10)
        return parts.path, _flat(parts.query)

    def _authorize(self, query: dict[str, str]) -> None:
        provider = self.provider
        right = {"client_id": CLIENT, "response_type": "code", "code_challenge_method": "S256"}
        if not right.items() <= query.items() or "openid" not in query["scope"].split():
            self._json(400, {"error": "invalid_request"})
            return
        user = provider.people.get(query.get("as", "")) or provider.user
        if user is None:
            links = "".join(
                f'<p><a id="{name}" href="{escape(self.path)}&amp;as={quote(name)}">Sign in as {name}</a></p>'
                for name in provider.people
            )
            self._send(
                200, "text/html", f"<title>Example login</title><h1>Example login</h1>{links}".encode()
            )
            return
        code = secrets.token_urlsafe(16)
        provider.codes[code] = {"user": user, **query}
        self._redirect(f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}")

    def _token(self, body: dict[str, str]) -> None:
        provider = self.provider
        given = self.headers.get("authorization", "").removeprefix("Basic ")
        if base64.b64decode(given).decode() != f"{CLIENT}:{provider.client_secret}":
            self._json(401, {"error": "invalid_client"})
            return
        if body["grant_type"] == "refresh_token":
            user = provider.refresh_tokens.pop(body["refresh_token"], None)
        else:
            asked = provider.codes.pop(body["code"], None)
            challenge = encoded(hashlib.sha256(body.get("code_verifier", "").encode()).digest())
            same = asked is not None and asked["redirect_uri"] == body["redirect_uri"]
            user = asked["user"] if same and asked and asked["code_challenge"] == challenge else None
        if user is None:
            self._json(400, {"error": "invalid_grant"})
            return
        answer: dict[str, Any] = {
            "access_token": secrets.token_urlsafe(16),
            "token_type": "Bearer",
            "expires_in": provider.lifetime,
            "id_token": provider.id_token(user),
        }
        if provider.refreshes:
            answer["refresh_token"] = secrets.token_urlsafe(16)
            provider.refresh_tokens[answer["refresh_token"]] = user
        self._json(200, answer)

    def _redirect(self, where: str) -> None:
        self._send(302, "text/plain", b"", {"location": where})

    def _json(self, status: int, data: Any) -> None:
        self._send(status, "application/json", json.dumps(data).encode())

    def _send(self, status: int, kind: str, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {
            "content-type": kind,
            "content-length": str(len(body)),
            **(headers or {}),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _cut(self) -> None:
        self.close_connection = True
        self.connection.close()


def _flat(query: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(query, keep_blank_values=True).items()}


@contextlib.contextmanager
def serving(provider: Provider, certificate: Path) -> Iterator[int]:
    """Serve by TLS on a free port of this machine; `certificate` has `tls.crt` and `tls.key`."""
    handler = type("Handler", (_Handler,), {"provider": provider})
    server = HttpServer(("127.0.0.1", 0), handler)
    server.secure(certificate / "tls.crt", certificate / "tls.key")
    with served(server):
        yield server.server_address[1]
