"""Authentication at the API's host, in the real Envoy: trusted networks, tokens, and nobody else."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from madeploy.names.methods import REFLECTION
from tests.support.environments import environment
from tests.support.front import API, API_AUDIENCE, Front, front, lock_settings
from tests.support.oidc import CLIENT, ISSUER, Key, unsigned
from tests.support.proves import proves

pytestmark = pytest.mark.whole

OK, DENIED, UNKNOWN = (
    grpc.StatusCode.OK,
    grpc.StatusCode.PERMISSION_DENIED,
    grpc.StatusCode.UNAUTHENTICATED,
)
READ, WRITE = "ProjectService/GetProject", "ProjectService/DeleteProject"
TRUSTED = "203.0.113.5"


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """The API's host with authentication."""
    made = environment(access={"api": lock_settings()})
    with front(tmp_path_factory.mktemp("front"), made) as started:
        yield started


def _claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    own = {"iss": ISSUER, "aud": API_AUDIENCE, "exp": now + 600, "sub": "robot", "groups": ["deployers"]}
    return {name: value for name, value in (own | changes).items() if value is not None}


def _bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


@proves("ACC-2", played="the front door")
def test_a_trusted_network_calls_without_a_token(door: Front) -> None:
    """ACC-2: `ma`, the Python client and task pods can send none (facts 7.2)."""
    for address in (TRUSTED, "203.0.113.0", "203.0.113.15", "2001:db8::1", "2001:db8:0:ffff::1"):
        assert door.api_call(WRITE, address=address) is OK
        assert door.api_call(REFLECTION[1], address=address) is OK


@pytest.mark.parametrize(
    "address", ["198.51.100.7", "203.0.113.16", "203.0.112.255", "2001:db8:1::1", "127.0.0.1", "10.0.0.1"]
)
def test_nobody_else_does(door: Front, address: str) -> None:
    """ACC-2: neighbours, private and local addresses included."""
    before = len(door.recorded.calls)
    assert door.api_call(READ, address=address) is DENIED
    assert len(door.recorded.calls) == before


@pytest.mark.parametrize(
    "header",
    [
        f"{TRUSTED}, 198.51.100.7",
        f"{TRUSTED},{TRUSTED}, 198.51.100.7",
        f"198.51.100.7 {TRUSTED}",
        "not an address",
        f"{TRUSTED}:80, 198.51.100.7",
        "",
    ],
)
@proves("ACC-2", played="the front door")
def test_an_address_that_the_caller_wrote_is_not_believed(door: Front, header: str) -> None:
    """ACC-2: only the last one, which the front door appends; without one it is the door's own."""
    before = len(door.recorded.calls)
    assert door.api_call(WRITE, address=header) is DENIED
    for name in ("x-real-ip", "x-envoy-external-address", "forwarded", "true-client-ip"):
        value = f"for={TRUSTED}" if name == "forwarded" else TRUSTED
        assert door.api_call(WRITE, {name: value}) is DENIED
    assert len(door.recorded.calls) == before


@proves("ACC-2", played="the front door, the identity provider")
def test_a_token_gives_its_rights_anywhere(door: Front) -> None:
    """ACC-2, ACC-3: editors write, viewers read, and neither token nor claimed names go on."""
    key = door.provider.keys[-1]
    editor = _bearer(key.token(_claims(email="robot@example.com")))
    viewer = _bearer(key.token(_claims(groups=["ci"])))
    assert door.api_call(WRITE, {**editor, "x-user-email": "boss@example.com"}) is OK
    headers = door.recorded.calls[-1][1]
    assert headers["x-user-email"] == "robot@example.com"
    assert "authorization" not in headers
    assert door.api_call(READ, viewer) is OK
    assert door.api_call(REFLECTION[1], viewer) is OK
    before = len(door.recorded.calls)
    assert door.api_call(WRITE, viewer) is DENIED
    assert len(door.recorded.calls) == before


TOKENS = {
    "of the application": lambda key: key.token(_claims(aud=CLIENT)),
    "of another issuer": lambda key: key.token(_claims(iss="https://login.example.com/realms/other")),
    "expired": lambda key: key.token(_claims(exp=int(time.time()) - 60)),
    "without an end": lambda key: key.token(_claims(exp=None)),
    "unsigned": lambda key: unsigned({"alg": "none", "kid": key.kid}, _claims()) + ".",
    "signed by another key": lambda key: Key(kid=key.kid).token(_claims()),
    "that is none": lambda key: "not-a-token",
}


@pytest.mark.parametrize("make", TOKENS.values(), ids=TOKENS)
@pytest.mark.parametrize("address", ["198.51.100.7", TRUSTED])
def test_a_token_that_is_not_right_is_refused_everywhere(door: Front, make: Any, address: str) -> None:
    """ACC-2: in a trusted network as well, where something is wrong with whoever sends one."""
    before = len(door.recorded.calls)
    token = make(door.provider.keys[-1])
    assert door.api_call(WRITE, _bearer(token), address) in (UNKNOWN, DENIED)
    assert len(door.recorded.calls) == before


def test_without_networks_and_tokens_nobody_calls(tmp_path: Path) -> None:
    """ACC-2: by itself it lets nobody in."""
    with front(tmp_path, environment(access={"api": {"kind": "guarded"}})) as door:
        right = _bearer(door.provider.keys[-1].token(_claims()))
        for address in (TRUSTED, "127.0.0.1"):
            assert door.api_call(READ, right, address) is DENIED
        assert door.recorded.calls == []


def test_with_two_proxies_the_address_before_the_last_one_counts(tmp_path: Path) -> None:
    """ACC-2: a load balancer that ends HTTP, and the front door."""
    with front(tmp_path, environment(access={"api": lock_settings(trustedProxies=2)})) as door:
        assert door.api_call(WRITE, address=f"{TRUSTED}, 192.0.2.9") is OK
        assert door.api_call(WRITE, address=f"198.51.100.7, {TRUSTED}") is DENIED
        assert door.api_call(WRITE, address=f"{TRUSTED}, 198.51.100.7, 192.0.2.9") is DENIED


def test_by_the_proxy_protocol_the_address_is_the_connections(tmp_path: Path) -> None:
    """ACC-2: and headers say nothing; a connection without it is not served."""
    with front(tmp_path, environment(access={"api": lock_settings(clientAddress="proxyProtocol")})) as door:
        assert _by_proxy_protocol(door, f"PROXY TCP4 {TRUSTED} 192.0.2.1 4000 443\r\n") == (200, 1)
        assert _by_proxy_protocol(door, "PROXY TCP4 198.51.100.7 192.0.2.1 4000 443\r\n") == (403, 0)
        assert _by_proxy_protocol(door, "PROXY TCP6 2001:db8::1 2001:db8:f::1 4000 443\r\n") == (200, 1)
        assert _by_proxy_protocol(door, "") == (0, 0)


def _by_proxy_protocol(door: Front, line: str) -> tuple[int, int]:
    """HTTP status of a call, and how many reached the API server."""
    before = len(door.recorded.calls)
    request = (
        f"POST /michelangelo.api.v2.{READ} HTTP/1.1\r\nhost: {API}\r\nx-forwarded-for: {TRUSTED}\r\n"
        "te: trailers\r\ncontent-type: application/json\r\ncontent-length: 5\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", door.envoy.api_port), timeout=5) as connection:
        answer = b""
        with contextlib.suppress(ConnectionError, TimeoutError):
            connection.sendall(line.encode() + request.encode() + b"\0\0\0\0\0")
            connection.settimeout(2)
            answer = connection.recv(65536)
    return int(answer.split()[1]) if answer else 0, len(door.recorded.calls) - before
