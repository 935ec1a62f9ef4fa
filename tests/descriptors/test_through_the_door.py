"""The descriptor set of a running API server, asked for over TLS through every front door."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from madeploy.descriptors.reflection import from_api
from madeploy.descriptors.sets import PACKAGE, read
from madeploy.errors import ToolkitError
from tests.support.descriptors import KINDS, beside, descriptor_set
from tests.support.environments import environment
from tests.support.grpc_described import described_server
from tests.support.live_door import live_door
from tests.support.tls import certificate_files

pytestmark = pytest.mark.whole

HOST = "api.ml.example.com"
DOORS = {
    "ingress": {"kind": "ingress"},
    "gateway": {"kind": "gatewayApi", "className": "eg", "controllerNamespace": "envoy-gateway-system"},
}
SERVICES = [f"{PACKAGE}.{kind}Service" for kind in KINDS]


@dataclass(frozen=True)
class Door:
    port: int
    authority: Path


@pytest.fixture(scope="module", params=DOORS)
def door(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """A door of each kind as rendered, in front of an API server that has reflection."""
    directory = tmp_path_factory.mktemp("door")
    content = descriptor_set()
    made = environment(
        frontDoor=DOORS[request.param],
        tls={"mode": "provided"},
        controlPlane={"envoy": {"descriptors": beside(content)}},
    )
    (directory / "descriptors").mkdir()
    (directory / "descriptors" / "descriptors.pb").write_bytes(content)
    with (
        described_server(content, with_reflection=True) as (upstream, _),
        live_door(made, directory, upstream) as live,
    ):
        (directory / "ca.pem").write_bytes(live.api_authority)
        yield Door(live.port, directory / "ca.pem")


def ask(port: int, **more: Any) -> bytes:
    given = {"plaintext": False, "server_name": HOST, **more}
    return from_api(f"127.0.0.1:{port}", SERVICES, **given)


def test_the_set_comes_over_tls_as_it_is(door: Door) -> None:
    """CP-5, REL-1: what Envoy is given is what the API server runs."""
    assert read(ask(door.port, authorities=door.authority)) == read(descriptor_set())


def test_a_certificate_of_an_unknown_authority_is_said_to_be_one(door: Door) -> None:
    """UX-3: and that --ca names it."""
    with pytest.raises(ToolkitError, match="no authority that is trusted here") as refusal:
        ask(door.port)
    assert "--ca FILE" in refusal.value.fix


@contextlib.contextmanager
def tls_server(directory: Path, host: str, protocol: str) -> Iterator[tuple[int, Path]]:
    """A TLS server with a certificate for `host` that agrees to one protocol only; its port and authority."""
    pem = certificate_files(directory / "tls", host)
    (directory / "ca.pem").write_bytes(pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "tls" / "tls.crt", directory / "tls" / "tls.key")
    context.set_alpn_protocols([protocol])
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    plain = listening.accept()[0]
                    plain.settimeout(5)
                    with contextlib.suppress(OSError), context.wrap_socket(plain, server_side=True) as made:
                        made.recv(1)

        threading.Thread(target=serve, daemon=True).start()
        yield listening.getsockname()[1], directory / "ca.pem"


@pytest.mark.parametrize(
    ("host", "protocol", "why", "fix"),
    [
        ("other.example.com", "h2", "its certificate is for another host", "--server-name"),
        (HOST, "http/1.1", "it agrees to no HTTP/2", "front door"),
    ],
)
def test_what_keeps_a_front_door_from_being_used_is_said(
    tmp_path: Path, host: str, protocol: str, why: str, fix: str
) -> None:
    """UX-3: a certificate for another host, a load balancer in between that admits HTTP/1.1 only."""
    with tls_server(tmp_path, host, protocol) as (port, authority), pytest.raises(ToolkitError) as refusal:
        ask(port, authorities=authority)
    assert why in refusal.value.why
    assert fix in refusal.value.fix


def test_nothing_at_an_address_is_said(tmp_path: Path) -> None:
    """UX-3."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(ToolkitError, match="nothing listens there"):
        ask(port)


def test_a_server_that_speaks_no_tls_is_said_to_be_one() -> None:
    """UX-3: a forwarded port of the API server."""
    with described_server(descriptor_set(), with_reflection=True) as (port, _):
        with pytest.raises(ToolkitError, match="does not speak TLS") as refusal:
            ask(port)
        assert "--plaintext" in refusal.value.fix


@pytest.mark.parametrize("content", [None, b"", b"no certificate", b"\xff\xfe"])
def test_a_file_without_certificates_is_refused(tmp_path: Path, content: bytes | None) -> None:
    """UX-3: before anybody is called."""
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ToolkitError, match="cannot be used as --ca") as refusal:
        ask(1, authorities=path)
    assert refusal.value.exit_code == 2
