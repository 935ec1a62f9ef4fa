"""The application's host with sign-in: the real Envoy as rendered, an OpenID provider, the application's
files, and a gRPC server that notes every call that reaches it."""

from __future__ import annotations

import contextlib
import http.client
import http.cookies
import secrets
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import grpc

from madeploy.names.kubernetes import workload
from madeploy.names.oidc import CLIENT_SECRET_KEY, COOKIE_SECRET_KEY
from madeploy.settings import Environment
from manifests.envoy_config import DESCRIPTORS_FILE, bootstrap, envoy_files
from manifests.envoy_tls import CLIENTS_FILE
from manifests.envoy_tokens import IMAGE_AUTHORITIES
from tests.support import oidc
from tests.support.environments import environment
from tests.support.envoy import RunningEnvoy, rewrite_folders, running
from tests.support.grpc_servers import listening
from tests.support.grpc_web import UI_HEADERS, connect
from tests.support.http_servers import HttpServer, served
from tests.support.tls import certificate_files, trusting

APP = "app.ml.example.com"
API = "api.ml.example.com"
ORIGIN = f"https://{APP}"
STRANGE_ADDRESS = "198.51.100.7"
"""An address that no test trusts."""

FILES = b"""<!doctype html><title>Michelangelo</title><h1>Michelangelo</h1>
<script>
async function call() {
  const answer = await fetch("/michelangelo.api.v2.ProjectService/ListProject", {
    method: "POST", body: new Uint8Array(5), headers: {"content-type": "application/grpc-web+proto"},
  });
  document.title = "called " + answer.status;
}
call();
</script>
"""
"""The application, as small as it can be: one page that calls the API."""


@dataclass
class Recorded:
    """What reached the servers behind Envoy."""

    calls: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    """Path and headers of each call of the API."""

    files: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    """Path and headers of each request for the application's files."""


class _Api(grpc.GenericRpcHandler):
    def __init__(self, recorded: Recorded) -> None:
        self.recorded = recorded

    def service(self, details: Any) -> Any:
        headers = {key: str(value) for key, value in details.invocation_metadata}
        self.recorded.calls.append((details.method, headers))
        return grpc.unary_unary_rpc_method_handler(lambda message, _: message)


@dataclass
class Response:
    """An answer, its headers in lower case; `cookies` as they were set."""

    status: int
    headers: dict[str, str]
    set_cookies: list[str]
    body: bytes


@dataclass
class Front:
    """Everything that runs, and a client of it."""

    envoy: RunningEnvoy
    provider: oidc.Provider
    recorded: Recorded
    settings: Environment

    def request(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | Sequence[tuple[str, str]] = (),
        body: bytes = b"",
        host: str = APP,
    ) -> Response:
        """One request as it is: headers in order, repeated ones too, the path without any change."""
        pairs = list(headers.items()) if isinstance(headers, Mapping) else list(headers)
        with contextlib.closing(connect(self.envoy.port)) as connection:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            connection.putheader("Host", host)
            for name, value in pairs:
                connection.putheader(name, value)
            if body:
                connection.putheader("content-length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            content = answer.read()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return Response(answer.status, found, answer.headers.get_all("set-cookie") or [], content)

    def call(
        self,
        method: str,
        cookies: Mapping[str, str],
        headers: Mapping[str, str] | Sequence[tuple[str, str]] = (),
        **more: Any,
    ) -> Response:
        """POST an empty message to a method, as a page of the application does."""
        pairs = list(headers.items()) if isinstance(headers, Mapping) else list(headers)
        own = {**UI_HEADERS, "origin": ORIGIN, "cookie": cookie_header(cookies)}
        given = {name.lower() for name, _ in pairs}
        sent = [*((name, value) for name, value in own.items() if name not in given and value), *pairs]
        path = method if method.startswith("/") else f"/michelangelo.api.v2.{method}"
        return self.request("POST", path, sent, b"\0\0\0\0\0", **more)

    def api_call(
        self,
        method: str,
        headers: Mapping[str, str] | None = None,
        address: str = STRANGE_ADDRESS,
        shown: tuple[bytes, bytes] | None = None,
    ) -> grpc.StatusCode:
        """Call a method at the API's host by gRPC, as the front door hands it on for a caller at `address`,
        with the certificate and key in `shown`; gives the status."""
        path = method if method.startswith("/") else f"/michelangelo.api.v2.{method}"
        sent = {"x-forwarded-for": address, **(headers or {})}
        with self._api_channel(shown) as channel:
            call = channel.unary_unary(path)
            try:
                call(b"", timeout=60, metadata=[(name.lower(), value) for name, value in sent.items()])
            except grpc.RpcError as error:
                code: grpc.StatusCode = error.code()
                return code
        return grpc.StatusCode.OK

    def _api_channel(self, shown: tuple[bytes, bytes] | None) -> grpc.Channel:
        target = f"127.0.0.1:{self.envoy.api_port}"
        if not self.api_pem:
            return grpc.insecure_channel(target, options=[("grpc.default_authority", f"{API}:443")])
        certificate, key = shown or (None, None)
        credentials = grpc.ssl_channel_credentials(self.api_pem, key, certificate)
        return grpc.secure_channel(target, credentials, [("grpc.ssl_target_name_override", API)])

    def sign_in(self, user: Mapping[str, Any] | None = None, path: str = "/") -> dict[str, str]:
        """Go through the provider as a browser does; gives the session's cookies."""
        cookies, _ = self.attempt(user, path)
        return cookies

    def attempt(
        self, user: Mapping[str, Any] | None = None, path: str = "/"
    ) -> tuple[dict[str, str], Response]:
        """The same, with the last answer of the application's host, whatever it is."""
        if user is not None:
            self.provider.user = dict(user)
        cookies: dict[str, str] = {}
        first = self.request("GET", path)
        _store(cookies, first)
        assert first.status == 302, (first.status, first.body)
        back = self.at_provider(first.headers["location"])
        last = self.request("GET", back, {"cookie": cookie_header(cookies)})
        _store(cookies, last)
        return cookies, last

    def at_provider(self, location: str) -> str:
        """Follow a redirect to the provider; gives path and query that it sends the browser back to."""
        answer = self.provider_get(location)
        assert answer.status == 302, answer.status
        back = urlsplit(answer.headers["location"])
        assert back.netloc == APP
        return f"{back.path}?{back.query}"

    def provider_get(self, location: str) -> Response:
        """GET of a URL of the provider's."""
        parts = urlsplit(location)
        assert parts.netloc == oidc.HOST
        with contextlib.closing(self._provider_connection()) as connection:
            connection.request("GET", f"{parts.path}?{parts.query}")
            answer = connection.getresponse()
            content = answer.read()
        return Response(answer.status, {k.lower(): v for k, v in answer.getheaders()}, [], content)

    def _provider_connection(self) -> http.client.HTTPConnection:
        return connect(self.provider_port, self.provider_trust, oidc.HOST)

    provider_port: int = 0
    provider_trust: Any = None
    api_pem: bytes = b""
    """Certificate of the API's host, where Envoy ends TLS."""


def _store(cookies: dict[str, str], answer: Response) -> None:
    for text in answer.set_cookies:
        for name, morsel in http.cookies.SimpleCookie(text).items():
            if morsel["max-age"] == "0" or morsel.value in ("", "deleted"):
                cookies.pop(name, None)
            else:
                cookies[name] = morsel.value


def store(cookies: dict[str, str], answer: Response) -> None:
    """Take over what an answer says of cookies, as a browser does."""
    _store(cookies, answer)


def cookie_header(cookies: Mapping[str, str]) -> str:
    """The header `Cookie`."""
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


def login_settings(**more: Any) -> dict[str, Any]:
    """`access.browser` for the provider, as a stack file writes it."""
    return {
        "kind": "oidc",
        "provider": "keycloak",
        "issuer": oidc.ISSUER,
        "clientId": oidc.CLIENT,
        "viewers": {"groups": ["analysts"]},
        "editors": {"groups": ["ml-platform"]},
        **more,
    }


API_AUDIENCE = "michelangelo-api"


def lock_settings(**more: Any) -> dict[str, Any]:
    """`access.api` with tokens of the provider, as a stack file writes it."""
    tokens = {
        "issuer": oidc.ISSUER,
        "keys": f"https://{oidc.HOST}{oidc.BASE}/certs",
        "audiences": [API_AUDIENCE],
        "viewers": {"groups": ["ci"]},
        "editors": {"groups": ["deployers"]},
    }
    return {"kind": "guarded", "trustedCidrs": ["203.0.113.0/28", "2001:db8::/48"], "tokens": tokens, **more}


@contextlib.contextmanager
def front(
    directory: Path,
    made: Environment | None = None,
    provider: oidc.Provider | None = None,
    configuration: Mapping[str, Any] | None = None,
    callers: bytes = b"",
) -> Iterator[Front]:
    """Start everything. `callers` are the authorities of client certificates, as PEM."""
    made = made or environment(access={"browser": login_settings()})
    provider = provider or oidc.Provider(secrets.token_urlsafe(16))
    recorded = Recorded()
    (directory / "oidc").mkdir(parents=True)
    (directory / "oidc" / CLIENT_SECRET_KEY).write_text(provider.client_secret)
    (directory / "oidc" / COOKIE_SECRET_KEY).write_text(secrets.token_urlsafe(32))
    pem = certificate_files(directory / "login", oidc.HOST)
    (directory / "certs").mkdir()
    (directory / "certs" / Path(IMAGE_AUTHORITIES).name).write_bytes(pem)
    passed = made.front_door.api_tls == "passthrough"
    api_pem = certificate_files(directory / "api-tls", API) if passed else b""
    (directory / "api-clients").mkdir()
    (directory / "api-clients" / CLIENTS_FILE).write_bytes(callers)
    for name, text in envoy_files(made).items():
        if name != "envoy.yaml":
            (directory / name).write_text(rewrite_folders(text, directory))
    descriptors = made.control_plane.envoy.descriptors
    if descriptors is not None and descriptors.content is not None:
        (directory / "descriptors").mkdir()
        (directory / "descriptors" / DESCRIPTORS_FILE).write_bytes(descriptors.content)
    with contextlib.ExitStack() as stack:
        login_port = stack.enter_context(oidc.serving(provider, directory / "login"))
        files_port = stack.enter_context(_files(recorded))
        api_port = stack.enter_context(_api(recorded))
        others = {oidc.HOST: login_port, workload("ui"): files_port}
        started = stack.enter_context(running(configuration or bootstrap(made), directory, api_port, others))
        yield Front(started, provider, recorded, made, login_port, trusting(pem), api_pem)


@contextlib.contextmanager
def _api(recorded: Recorded) -> Iterator[int]:
    server = grpc.server(ThreadPoolExecutor(max_workers=4), handlers=[_Api(recorded)])
    with listening(server) as port:
        yield port


@contextlib.contextmanager
def _files(recorded: Recorded) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

        def do_GET(self) -> None:
            recorded.files.append((self.path, {key.lower(): value for key, value in self.headers.items()}))
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.send_header("content-length", str(len(FILES)))
            self.end_headers()
            self.wfile.write(FILES)

    server = HttpServer(("127.0.0.1", 0), Handler)
    with served(server):
        yield server.server_address[1]
