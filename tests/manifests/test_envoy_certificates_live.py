"""Client certificates at the API's host: the real Envoy ends TLS that the front door passes through."""

from __future__ import annotations

import datetime
import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from cryptography.x509 import DNSName, ExtendedKeyUsageOID, NameOID, UniformResourceIdentifier
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from madeploy.names.methods import REFLECTION, reading, writing
from tests.support.environments import environment
from tests.support.front import API, API_AUDIENCE, Front, front, lock_settings
from tests.support.oidc import ISSUER
from tests.support.proves import proves
from tests.support.tls import Authority, trusting

pytestmark = pytest.mark.whole

OK, DENIED, GONE = grpc.StatusCode.OK, grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.UNAVAILABLE
READ, WRITE = "ProjectService/GetProject", "ProjectService/DeleteProject"
ORG, CN, OU = NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME, NameOID.ORGANIZATIONAL_UNIT_NAME
DEPLOYER = "spiffe://example.com/ns/ci/sa/deployer"
Identity = tuple[bytes, bytes]
Sign = Callable[[Authority], Identity]


@dataclass(frozen=True)
class Scene:
    """The door, and the authority it knows."""

    door: Front
    authority: Authority


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """The API's host with certificates beside tokens."""
    authority = Authority()
    certificates = {
        "viewers": {"groups": ["ci"], "names": ["looker.example.com"]},
        "editors": {"groups": ["ml platform", "a.b"], "names": [DEPLOYER]},
    }
    made = environment(
        access={"api": lock_settings(trustedCidrs=[], certificates=certificates)},
        frontDoor={"kind": "ingress", "apiTls": "passthrough"},
    )
    with front(tmp_path_factory.mktemp("front"), made, callers=authority.pem) as started:
        yield Scene(started, authority)


VIEWERS: dict[str, Sign] = {
    "by organization": lambda ca: ca.sign((CN, "robot"), (ORG, "ci")),
    "by organization, first of several": lambda ca: ca.sign((ORG, "ci"), (ORG, "sales"), (CN, "robot")),
    "by DNS name": lambda ca: ca.sign((CN, "robot"), names=[DNSName("looker.example.com")]),
}
EDITORS: dict[str, Sign] = {
    "by organization": lambda ca: ca.sign((ORG, "ml platform"), (CN, "robot")),
    "by organization, last of several": lambda ca: ca.sign((CN, "a, b+c\\"), (OU, "ü"), (ORG, "ml platform")),
    "by URI, beside other names": lambda ca: ca.sign(
        names=[UniformResourceIdentifier("spiffe://example.com/x"), UniformResourceIdentifier(DEPLOYER)]
    ),
}


@pytest.mark.parametrize("sign", VIEWERS.values(), ids=VIEWERS)
@proves("ACC-2", "ACC-3", played="the front door")
def test_a_viewers_certificate_gives_what_reads(scene: Scene, sign: Sign) -> None:
    """ACC-2, ACC-3."""
    shown, before = sign(scene.authority), len(scene.door.recorded.calls)
    assert scene.door.api_call(READ, shown=shown) is OK
    assert scene.door.api_call(WRITE, shown=shown) is DENIED
    assert len(scene.door.recorded.calls) == before + 1


@pytest.mark.parametrize("sign", EDITORS.values(), ids=EDITORS)
@proves("ACC-2", "ACC-3", played="the front door")
def test_an_editors_certificate_gives_everything(scene: Scene, sign: Sign) -> None:
    """ACC-2, ACC-3: and no name that the caller claims goes on."""
    shown = sign(scene.authority)
    assert scene.door.api_call(WRITE, {"x-user-email": "boss@example.com"}, shown=shown) is OK
    assert "x-user-email" not in scene.door.recorded.calls[-1][1]


HOUR = datetime.timedelta(hours=1)
NOBODY: dict[str, tuple[Sign, grpc.StatusCode]] = {
    "of another authority": (lambda _: Authority().sign((ORG, "ml platform")), GONE),
    "expired": (lambda ca: ca.sign((ORG, "ml platform"), ends=-HOUR), GONE),
    "for servers": (lambda ca: ca.sign((ORG, "ml platform"), usage=ExtendedKeyUsageOID.SERVER_AUTH), GONE),
    "of another organization": (lambda ca: ca.sign((ORG, "sales"), (CN, "robot")), DENIED),
    "with the group as its name": (lambda ca: ca.sign((CN, "ml platform")), DENIED),
    "with the group as its unit": (lambda ca: ca.sign((OU, "ml platform"), (CN, "x")), DENIED),
    "with the group inside its name": (lambda ca: ca.sign((CN, "x,O=ml platform")), DENIED),
    "with the group inside its name, escaped": (lambda ca: ca.sign((CN, "x\\,O=ml platform")), DENIED),
    "with the group inside its name, joined": (lambda ca: ca.sign((CN, "x+O=ml platform")), DENIED),
    "with the group on a line of its own": (lambda ca: ca.sign((CN, "x\n,O=ml platform")), DENIED),
    "with more than the group": (lambda ca: ca.sign((ORG, "ml platform x")), DENIED),
    "in other letters": (lambda ca: ca.sign((ORG, "ML Platform")), DENIED),
    "read as a pattern": (lambda ca: ca.sign((ORG, "aXb")), DENIED),
    "with the group inside a URI": (
        lambda ca: ca.sign(names=[UniformResourceIdentifier("spiffe://x/,O=ml platform")]),
        DENIED,
    ),
    "with the URI as a DNS name": (lambda ca: ca.sign((CN, "x"), names=[DNSName(DEPLOYER)]), DENIED),
    "with a DNS name below": (
        lambda ca: ca.sign((CN, "x"), names=[DNSName("a.looker.example.com")]),
        DENIED,
    ),
    "with the DNS name as its name": (lambda ca: ca.sign((CN, "looker.example.com")), DENIED),
}


@pytest.mark.parametrize(("sign", "status"), NOBODY.values(), ids=NOBODY)
@proves("ACC-2", played="the front door")
def test_no_other_certificate_gives_anything(scene: Scene, sign: Sign, status: grpc.StatusCode) -> None:
    """ACC-2: a wrong one makes no connection; a right one of nobody's has no rights."""
    before = len(scene.door.recorded.calls)
    assert scene.door.api_call(READ, shown=sign(scene.authority)) is status
    assert scene.door.api_call(WRITE, shown=sign(scene.authority)) is status
    assert len(scene.door.recorded.calls) == before


@proves("ACC-2", played="the front door, the identity provider")
def test_without_a_certificate_tokens_count_and_nothing_that_a_caller_writes_does(scene: Scene) -> None:
    """ACC-2: no header of the front door's comes with a connection that was passed through."""
    door = scene.door
    before = len(door.recorded.calls)
    certificate = 'Subject="O=ml platform";URI=' + DEPLOYER
    for headers in ({}, {"x-forwarded-client-cert": certificate}, {"ssl-client-subject-dn": "O=ml platform"}):
        assert door.api_call(READ, headers) is DENIED
    assert len(door.recorded.calls) == before
    claims = {"iss": ISSUER, "aud": API_AUDIENCE, "exp": int(time.time()) + 600, "groups": ["deployers"]}
    token = {"authorization": f"Bearer {door.provider.keys[-1].token(claims)}"}
    assert door.api_call(WRITE, token) is OK


@proves("ACC-2", played="the front door")
def test_an_address_in_a_header_is_the_callers_own_where_connections_are_passed_through(
    tmp_path: Path,
) -> None:
    """ACC-2: also against the rule that refuses such settings."""
    made = environment(
        access={"api": lock_settings()}, frontDoor={"kind": "ingress", "apiTls": "passthrough"}
    )
    with front(tmp_path, made) as door:
        for address in ("203.0.113.5", "203.0.113.5, 203.0.113.5"):
            assert door.api_call(READ, address=address) is DENIED
        assert door.recorded.calls == []


@proves("ACC-2", played="the front door")
def test_by_the_proxy_protocol_an_address_comes_with_a_connection_that_is_passed_through(
    tmp_path: Path,
) -> None:
    """ACC-2: before TLS, from the door alone; networks then count beside certificates."""
    gateway = {"kind": "gatewayApi", "className": "eg", "controllerNamespace": "envoy-gateway-system"}
    made = environment(
        access={
            "api": lock_settings(clientAddress="proxyProtocol", certificates={"editors": {"groups": ["x"]}})
        },
        frontDoor=gateway | {"apiTls": "passthrough"},
    )
    with front(tmp_path, made, callers=Authority().pem) as door:
        for address, status in (("203.0.113.5", 200), ("198.51.100.7", 403)):
            assert _passed(door, f"PROXY TCP4 {address} 192.0.2.1 4000 443\r\n") == status
        assert _passed(door, "") == 0
        assert len(door.recorded.calls) == 1


def _passed(door: Front, line: str) -> int:
    """HTTP status of a call in a connection that begins with this line; 0 where none comes about."""
    request = (
        f"POST /michelangelo.api.v2.{READ} HTTP/1.1\r\nhost: {API}\r\nx-forwarded-for: 203.0.113.5\r\n"
        "te: trailers\r\ncontent-type: application/json\r\ncontent-length: 5\r\n\r\n"
    )
    context = trusting(door.api_pem)
    with socket.create_connection(("127.0.0.1", door.envoy.api_port), timeout=5) as plain:
        plain.sendall(line.encode())
        try:
            with context.wrap_socket(plain, server_hostname=API) as connection:
                connection.sendall(request.encode() + b"\0\0\0\0\0")
                return int(connection.recv(65536).split()[1])
        except OSError:
            return 0


def test_new_authorities_are_taken_over_without_a_restart(tmp_path: Path) -> None:
    """ACC-2: as the kubelet writes a Secret that changes."""
    old, new = Authority(), Authority()
    certificates = {"editors": {"groups": ["deployers"]}}
    made = environment(
        access={"api": {"kind": "guarded", "certificates": certificates}},
        frontDoor={"kind": "ingress", "apiTls": "passthrough"},
    )
    with front(tmp_path, made, callers=old.pem) as door:
        before, after = old.sign((ORG, "deployers")), new.sign((ORG, "deployers"))
        assert (door.api_call(WRITE, shown=before), door.api_call(WRITE, shown=after)) == (OK, GONE)
        written = tmp_path / "api-clients" / "new"
        written.write_bytes(new.pem)
        written.rename(tmp_path / "api-clients" / "ca.crt")
        deadline = time.monotonic() + 10
        while door.api_call(WRITE, shown=after) is not OK:
            assert time.monotonic() < deadline
        assert door.api_call(WRITE, shown=before) is GONE


GROUPS = ("a", "a b", "ab", "a.b", "A")
"""Organizations that a rule may name, among them such as look like patterns or parts of others."""

OTHERS = ("a,O=ab", "a+O=ab", "b=a", "a.b.")
NAMES = ("a.example.com", "b.example.com", DEPLOYER)
METHODS = (*reading(environment().release)[::9], *writing(environment().release)[::17], *REFLECTION)
KNOWN = st.fixed_dictionaries(
    {
        "groups": st.lists(st.sampled_from(GROUPS), max_size=2, unique=True),
        "names": st.lists(st.sampled_from(NAMES), max_size=1),
    }
)
CALLERS = st.tuples(
    st.lists(st.sampled_from([*GROUPS, *OTHERS]), max_size=3, unique=True),
    st.lists(st.sampled_from(NAMES), max_size=2, unique=True),
)


def _fits(caller: tuple[list[str], list[str]], known: Mapping[str, list[str]]) -> bool:
    return bool({*caller[0]} & {*known["groups"]} or {*caller[1]} & {*known["names"]})


def _certificate(authority: Authority, caller: tuple[list[str], list[str]]) -> Identity:
    names = [UniformResourceIdentifier(name) if "://" in name else DNSName(name) for name in caller[1]]
    return authority.sign((CN, "caller"), *((ORG, group) for group in caller[0]), names=names)


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    rules=st.fixed_dictionaries({"viewers": KNOWN, "editors": KNOWN}),
    callers=st.lists(CALLERS, min_size=4, max_size=4),
)
@proves("OPS-1", "ACC-2", "ACC-3", played="the front door")
def test_what_certificates_are_admitted_to_is_what_is_declared(
    rules: dict[str, Any], callers: list[tuple[list[str], list[str]]]
) -> None:
    """ACC-2, ACC-3: for random rules and callers, every method."""
    authority = Authority()
    made = environment(
        access={"api": {"kind": "guarded", "certificates": rules}},
        frontDoor={"kind": "ingress", "apiTls": "passthrough"},
    )
    with tempfile.TemporaryDirectory() as folder, front(Path(folder), made, callers=authority.pem) as door:
        for caller in callers:
            shown = _certificate(authority, caller)
            admitted = {method for method in METHODS if door.api_call(method, shown=shown) is OK}
            readable = {*reading(made.release), *REFLECTION} & {*METHODS}
            looks = readable if _fits(caller, rules["viewers"]) else set()
            assert admitted == ({*METHODS} if _fits(caller, rules["editors"]) else looks)
            assert len(door.recorded.calls) == len(admitted)
            door.recorded.calls.clear()
