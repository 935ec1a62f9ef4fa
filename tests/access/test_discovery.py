"""`madeploy access discover` against issuers on this machine: right ones, wrong ones, and hostile ones."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import Result
from typer.testing import CliRunner

from madeploy.cli.app import app
from madeploy.clients import identity_provider
from madeploy.settings.access import Access
from tests.support.http_servers import HttpServer, served
from tests.support.oidc import Key
from tests.support.proves import proves
from tests.support.tls import certificate_files

pytestmark = pytest.mark.whole

BASE = "/realms/ml"
Change = Callable[[dict[str, Any]], Any]
KEY = Key()


class Issuer:
    """An issuer of this machine; `documents` are its answers by path, `answers` whole other ones."""

    def __init__(self, host: str) -> None:
        self.url = f"https://{host}{BASE}"
        connect = f"{self.url}/protocol/openid-connect"
        self.document: dict[str, Any] = {
            "issuer": self.url,
            "authorization_endpoint": f"{connect}/auth",
            "token_endpoint": f"{connect}/token",
            "jwks_uri": f"{connect}/certs",
            "end_session_endpoint": f"{connect}/logout",
            "response_types_supported": ["code", "id_token"],
            "id_token_signing_alg_values_supported": ["RS256", "ES256"],
            "code_challenge_methods_supported": ["plain", "S256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "private_key_jwt"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "claims_supported": ["sub", "groups"],
        }
        self.keys: dict[str, Any] = {"keys": [KEY.public()]}
        self.answers: dict[str, Callable[[BaseHTTPRequestHandler], None]] = {}
        self.authorities = Path()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with a certificate for this machine."""
    folder = tmp_path_factory.mktemp("issuer")
    certificate_files(folder, "localhost")
    return folder


@pytest.fixture
def issuer(certificate: Path) -> Iterator[Issuer]:
    """A right one, until a test changes it."""
    with serving(certificate) as started:
        yield started


@contextlib.contextmanager
def serving(certificate: Path) -> Iterator[Issuer]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            """Says nothing."""

        def do_GET(self) -> None:
            if self.path in made.answers:
                made.answers[self.path](self)
                return
            documents = {
                f"{BASE}/.well-known/openid-configuration": made.document,
                f"{BASE}/protocol/openid-connect/certs": made.keys,
            }
            found = documents.get(self.path)
            send(self, 404 if found is None else 200, json.dumps(found).encode())

    class Server(HttpServer):
        def handle_error(self, *_: Any) -> None:
            """A client that hangs up is what some tests are about."""

    server = Server(("127.0.0.1", 0), Handler)
    server.secure(certificate / "tls.crt", certificate / "tls.key")
    made = Issuer(f"localhost:{server.server_address[1]}")
    made.authorities = certificate / "tls.crt"
    with served(server):
        yield made


def send(request: BaseHTTPRequestHandler, status: int, body: bytes, **headers: str) -> None:
    """One whole answer."""
    request.send_response(status)
    for name, value in {"content-length": str(len(body)), **headers}.items():
        request.send_header(name, value)
    request.end_headers()
    request.wfile.write(body)


WELL_KNOWN = f"{BASE}/.well-known/openid-configuration"


def discover(issuer: Issuer, *more: str, url: str | None = None) -> Result:
    given = ("access", "discover", url or issuer.url, "--ca", str(issuer.authorities), *more)
    return CliRunner().invoke(app, list(given))


def said(result: Result) -> str:
    return f"{result.stderr}{result.exception or ''}"


@proves("ACC-1", played="the identity provider")
def test_what_is_printed_is_the_section_for_the_stack_file(issuer: Issuer) -> None:
    """ACC-1, UX-2: of a known provider where its endpoints are that one's; settings take it as it is."""
    result = discover(issuer, "--editors", "ml-platform", "--client-id", "studio")
    assert result.exit_code == 0, said(result)
    section = yaml.safe_load(result.stdout)["michelangelo:access"]
    assert section == {
        "browser": {
            "kind": "oidc",
            "provider": "keycloak",
            "issuer": issuer.url,
            "clientId": "studio",
            "editors": {"groups": ["ml-platform"]},
            "authorities": "bundle",
        }
    }
    login = Access.model_validate(section).login
    assert login is not None
    assert "MA" not in said(result)


def test_of_any_other_provider_the_endpoints_are_written(issuer: Issuer) -> None:
    """ACC-1: and the scope that sessions go on by; as JSON too."""
    issuer.document["token_endpoint"] = f"{issuer.url}/other"
    result = discover(issuer, "--json")
    assert result.exit_code == 0, said(result)
    data = json.loads(result.stdout)
    browser = data["settings"]["access"]["browser"]
    assert browser["kind"] == "oidcEndpoints"
    assert browser["endpoints"]["token"] == f"{issuer.url}/other"
    assert browser["endpoints"]["endSession"] == issuer.document["end_session_endpoint"]
    assert browser["scopes"] == ["openid", "profile", "email", "offline_access"]
    assert Access.model_validate(data["settings"]["access"]).login is not None
    assert data["findings"] == []


def test_without_groups_it_says_what_to_write(issuer: Issuer) -> None:
    """UX-3: below what can be taken as it is."""
    said_ = discover(issuer).stdout
    assert "editors: {groups:" in said_
    assert yaml.safe_load(said_)["michelangelo:access"]["browser"]["provider"] == "keycloak"


@proves("ACC-2", played="the identity provider")
def test_for_an_audience_the_apis_tokens_are_written_as_well(issuer: Issuer) -> None:
    """ACC-2: with the same issuer, keys and groups."""
    result = discover(issuer, "--audience", "michelangelo-api", "--editors", "deployers")
    assert result.exit_code == 0, said(result)
    access = Access.model_validate(yaml.safe_load(result.stdout)["michelangelo:access"])
    assert access.guarded is not None
    tokens = access.guarded.tokens
    assert tokens is not None
    assert (tokens.issuer, tokens.keys) == (issuer.url, issuer.document["jwks_uri"])
    assert (tokens.audiences, tokens.editors.groups) == (("michelangelo-api",), ("deployers",))
    assert tokens.authorities == "bundle"


@pytest.mark.parametrize("given", [("--client-id", ""), ("--editors", ""), ("--audience", "a\nb")])
def test_a_name_that_settings_do_not_take_is_told(issuer: Issuer, given: tuple[str, str]) -> None:
    """UX-3: in words, not by a traceback."""
    result = discover(issuer, *given)
    assert result.exit_code == 1
    assert "a name is none that the settings take" in said(result)


UNFIT: Mapping[str, tuple[Change, str]] = {
    "another issuer": (
        lambda d: d.update(issuer="https://evil.example"),
        "calls itself 'https://evil.example'",
    ),
    "no issuer": (lambda d: d.pop("issuer"), "calls itself None"),
    "an issuer that is none": (lambda d: d.update(issuer=["x"]), "calls itself ['x']"),
    "no token endpoint": (lambda d: d.pop("token_endpoint"), "names no token_endpoint"),
    "a plain endpoint": (
        lambda d: d.update(authorization_endpoint="http://login.example.com/auth"),
        "authorization_endpoint is 'http://login.example.com/auth'",
    ),
    "an endpoint for a terminal": (
        lambda d: d.update(token_endpoint="https://a/\x1b[2J"),
        r"token_endpoint is 'https://a/\x1b[2J'",
    ),
    "shared signatures": (
        lambda d: d.update(id_token_signing_alg_values_supported=["HS256", "none"]),
        "signs by HS256, none",
    ),
    "no code flow": (lambda d: d.update(response_types_supported=["id_token"]), "has no code"),
    "no PKCE": (lambda d: d.update(code_challenge_methods_supported=["plain"]), "has no S256"),
    "no basic": (
        lambda d: d.update(token_endpoint_auth_methods_supported=["client_secret_post"]),
        "has no client_secret_basic",
    ),
    "no openid": (lambda d: d.update(scopes_supported=["email"]), "has no openid"),
}


@pytest.mark.parametrize(("change", "words"), UNFIT.values(), ids=UNFIT)
@proves("ACC-1", played="the identity provider")
def test_what_sign_in_cannot_use_is_said_and_ends_with_1(issuer: Issuer, change: Change, words: str) -> None:
    """ACC-1, UX-3: one sentence for each."""
    change(issuer.document)
    result = discover(issuer)
    assert result.exit_code == 1
    assert "MA253" in said(result)
    assert words in said(result)
    assert "\x1b" not in result.output


KEYS: Mapping[str, Any] = {
    "none": {"keys": []},
    "no list": {"keys": "x"},
    "shared": {"keys": [{"kty": "oct", "k": "AAAA", "alg": "HS256"}]},
    "for encryption": {"keys": [KEY.public() | {"use": "enc"}]},
}


@pytest.mark.parametrize("keys", KEYS.values(), ids=KEYS)
def test_keys_that_no_token_is_checked_by_are_told(issuer: Issuer, keys: Any) -> None:
    """ACC-1."""
    issuer.keys = keys
    result = discover(issuer)
    assert (result.exit_code, "keys is a public one" in said(result)) == (1, True)


LACKING: Mapping[str, tuple[Change, str]] = {
    "no sign-out": (lambda d: d.pop("end_session_endpoint"), "leaves people signed in"),
    "no groups": (lambda d: d.update(claims_supported=["sub"]), "claim groups"),
    "no e-mail": (lambda d: d.update(scopes_supported=["openid", "profile"]), "scope email"),
}


@pytest.mark.parametrize(("change", "words"), LACKING.values(), ids=LACKING)
def test_what_is_left_to_do_is_a_warning(issuer: Issuer, change: Change, words: str) -> None:
    """UX-3: the section is printed all the same."""
    change(issuer.document)
    result = discover(issuer)
    assert result.exit_code == 0
    assert "MA254" in said(result)
    assert words in said(result)
    assert "michelangelo:access" in result.stdout


def test_a_slash_too_many_is_told_how_to_say_it(issuer: Issuer) -> None:
    """UX-3: tokens are compared letter by letter."""
    result = discover(issuer, url=f"{issuer.url}/")
    assert result.exit_code == 1
    assert f"access discover {issuer.url}" in said(result)


def _forever(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.end_headers()
    with contextlib.suppress(OSError):
        while True:
            request.wfile.write(b" ")
            request.wfile.flush()
            time.sleep(0.05)


def _endless(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.end_headers()
    with contextlib.suppress(OSError):
        while True:
            request.wfile.write(b" " * 65536)


HOSTILE: Mapping[str, tuple[Callable[[BaseHTTPRequestHandler], None], str]] = {
    "nothing there": (lambda r: send(r, 404, b""), "answers 404"),
    "a failure": (lambda r: send(r, 503, b"<h1>secret</h1>"), "answers 503"),
    "a page": (lambda r: send(r, 200, b"<html>"), "no JSON object"),
    "a list": (lambda r: send(r, 200, b"[]"), "no JSON object"),
    "a deep one": (lambda r: send(r, 200, b"[" * 100_000), "no JSON object"),
    "a large one": (lambda r: send(r, 200, b"{}" + b" " * identity_provider.MAX_BYTES), "larger than"),
    "one without end": (_endless, "larger than"),
    "a slow one": (_forever, "does not answer in time"),
    "another host": (
        lambda r: send(r, 302, b"", location="https://evil.example/.well-known/openid-configuration"),
        "redirects /realms/ml/.well-known/openid-configuration to 'evil.example'",
    ),
    "another path": (lambda r: send(r, 301, b"", location="/x"), "redirects"),
    "half an answer": (lambda r: send(r, 200, b"{", **{"content-length": "9"}), "no JSON object"),
}


@pytest.mark.parametrize(("answer", "words"), HOSTILE.values(), ids=HOSTILE)
@proves("ACC-1", played="the identity provider")
def test_an_issuer_that_says_nothing_useful_ends_the_command_in_words(
    issuer: Issuer,
    answer: Callable[[BaseHTTPRequestHandler], None],
    words: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """ACC-1, UX-3: whatever it sends, however long it takes."""
    monkeypatch.setattr(identity_provider, "READ_SECONDS", 0.5)
    issuer.answers[WELL_KNOWN] = answer
    result = discover(issuer)
    assert result.exit_code == 1
    assert words in said(result)
    assert "secret" not in said(result)


def test_an_issuer_that_never_speaks_is_not_waited_for(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UX-3: a port that takes connections and says nothing."""
    monkeypatch.setattr(identity_provider, "CONNECT_SECONDS", 0.3)
    monkeypatch.setattr(identity_provider, "READ_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        made = Issuer(f"localhost:{silent.getsockname()[1]}")
        made.authorities = certificate / "tls.crt"
        assert "does not answer in time" in said(discover(made))


def test_a_certificate_of_nobody_known_is_not_believed(issuer: Issuer, tmp_path: Path) -> None:
    """ACC-1: nor one for another host."""
    certificate_files(tmp_path, "localhost")
    issuer.authorities = tmp_path / "tls.crt"
    assert "certificate is not signed" in said(discover(issuer))


@pytest.mark.parametrize(
    "url", ["http://login.example.com", "login.example.com", "https://a/?x=y", "https://A/"]
)
def test_what_is_no_issuer_is_not_asked(issuer: Issuer, url: str) -> None:
    """UX-3."""
    result = discover(issuer, url=url)
    assert result.exit_code != 0
    assert "is no issuer" in said(result)
