"""An environment's way in, on this machine: the door, the rendered Envoy, the API server and the pages."""

from __future__ import annotations

import contextlib
import http.server
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from madeploy.names.addresses import API_PORT, ENVOY_API_PORT, ENVOY_PORT, UI_PORT
from madeploy.names.oidc import CLIENT_SECRET_KEY, COOKIE_SECRET_KEY
from madeploy.settings import Environment
from manifests import catalog
from manifests.envoy_tokens import IMAGE_AUTHORITIES
from tests.support import front_door_envoy, oidc
from tests.support.envoy import rewrite_folders, running
from tests.support.front_door import Cluster, hosts
from tests.support.http_servers import HttpServer, served
from tests.support.objects import one
from tests.support.tls import certificate_files

PAGE = "<!doctype html><title>application</title>"


@dataclass(frozen=True)
class LiveDoor:
    """A door under way."""

    cluster: Cluster
    directory: Path
    port: int
    """Stands for 443."""

    api_authority: bytes
    """The one authority of the API host's certificate, PEM."""

    app_authority: bytes


@contextlib.contextmanager
def live_door(
    environment: Environment,
    directory: Path,
    upstream: int,
    elsewhere: Mapping[str, int] | None = None,
    provider: oidc.Provider | None = None,
) -> Iterator[LiveDoor]:
    """Start the door of an environment in front of the rendered Envoy, whose upstream is the API server at
    port `upstream`, and the application's two files. `elsewhere` are ports in place of a service's own;
    without a `provider` nobody is where people sign in."""
    domains, tls = environment.domains, environment.tls
    objects = catalog.objects(environment)
    # What operators provide: three certificates in Secrets, and the authority of Envoy's in a ConfigMap.
    api = certificate_files(directory / "secrets" / tls.api_secret_name, domains.api)
    app = certificate_files(directory / "secrets" / tls.app_secret_name, domains.app)
    authorities = directory / "config-maps" / "company-ca"
    authorities.mkdir(parents=True)
    (authorities / "ca.crt").write_bytes(certificate_files(directory / "certs", domains.app))

    envoy_files = one(objects, "ConfigMap", "envoy-config")["data"]
    for name in envoy_files.keys() - {"envoy.yaml"}:
        (directory / name).write_text(rewrite_folders(envoy_files[name], directory))
    if environment.access.login is not None:
        login = certificate_files(directory / "login", oidc.HOST)
        (directory / "certs" / Path(IMAGE_AUTHORITIES).name).write_bytes(login)
        (directory / "oidc").mkdir()
        for key in (CLIENT_SECRET_KEY, COOKIE_SECRET_KEY):
            (directory / "oidc" / key).write_text("only-for-this-test")
    pages = {"/": PAGE, "/config.json": one(objects, "ConfigMap", "public-config")["data"]["config.json"]}
    with contextlib.ExitStack() as stack:
        others = {}
        if provider is not None:
            others[oidc.HOST] = stack.enter_context(oidc.serving(provider, directory / "login"))
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        bootstrap = yaml.load(envoy_files["envoy.yaml"], Loader=loader)
        envoy = stack.enter_context(running(bootstrap, directory, upstream, others))
        given = elsewhere or {}
        pods = {
            ("michelangelo-apiserver", API_PORT): given.get("apiserver", upstream),
            ("michelangelo-envoy", ENVOY_PORT): given.get("envoy", envoy.port),
            ("michelangelo-envoy", ENVOY_API_PORT): given.get("envoy", envoy.api_port),
            ("michelangelo-ui", UI_PORT): given.get("ui") or stack.enter_context(files(pages)),
        }
        cluster = Cluster(objects, pods, directory / "config-maps")
        port = stack.enter_context(front_door_envoy.serving(hosts(cluster), directory / "secrets", directory))
        yield LiveDoor(cluster, directory, port, api, app)


@contextlib.contextmanager
def files(pages: Mapping[str, str]) -> Iterator[int]:
    """A server of files over HTTP/1.1; gives its port."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # Head and body at once: their receiver acknowledges late.

        def do_GET(self) -> None:
            body = pages.get(self.path, "").encode()
            self.send_response(200 if body else 404)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    server = HttpServer(("127.0.0.1", 0), Handler)
    with served(server):
        yield server.server_address[1]
