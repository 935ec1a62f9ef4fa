"""What clients see of the front door: each fault by its code, and what is printed clears it.

The door is a real Envoy in a controller's place, before the rendered one; the platform's API server is a gRPC
server that refuses and answers as it does. kubectl and the Secrets are real.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from madeploy.doctor import doors
from tests.support.api_server import api_server
from tests.support.bench import DOMAINS, SECRETS, SPACE, Bench
from tests.support.clears import clears
from tests.support.environments import environment
from tests.support.greeting import HOST, greeting
from tests.support.live_door import LiveDoor, live_door
from tests.support.ports import free_port
from tests.support.tls import certificate_files

pytestmark = pytest.mark.sandbox

SECTIONS = {
    "domains": DOMAINS,
    "platform": {"release": "2026.04"},
    "controlPlane": {"caBundleConfigMap": "company-ca"},
}


@pytest.fixture(scope="module")
def upstream() -> Iterator[int]:
    """Port of the API server."""
    with api_server() as port:
        yield port


@pytest.fixture(scope="module")
def sound(upstream: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveDoor]:
    """A door without faults."""
    with live_door(environment(**SECTIONS), tmp_path_factory.mktemp("door"), upstream) as made:
        yield made


@pytest.fixture
def at_the_door(bench: Bench, sound: LiveDoor) -> Iterator[Bench]:
    """The environment behind it, its authorities in the Secrets, of a release whose Envoy needs no
    descriptors."""
    bench.sections["platform"] = {"release": "2026.04", "tier": "development"}
    trust(bench, sound.api_authority, sound.app_authority)
    bench.at = (HOST, sound.port)
    yield bench
    bench.restore()
    bench.certify()


def trust(bench: Bench, *authorities: bytes) -> None:
    """Put authorities beside the certificates, as an internal issuer does."""
    text = base64.b64encode(b"".join(authorities)).decode() if authorities else None
    for name in SECRETS:
        bench.hub.merge(f"/api/v1/namespaces/{SPACE}/secrets/{name}", {"data": {"ca.crt": text}})


@pytest.mark.long
@clears("MA944")
def test_a_door_that_nobody_opens_is_reached_once_it_is_there(at_the_door: Bench) -> None:
    """NET-1: firewalls and load balancers are mended outside."""
    right, at_the_door.at = at_the_door.at, (HOST, free_port())
    at_the_door.clear(
        "MA944", lambda: doors.http2(at_the_door.site), lambda: setattr(at_the_door, "at", right)
    )


@pytest.mark.long
@clears("MA941", "MA946")
def test_a_door_without_http2_and_with_another_certificate_is_mended_at_its_controller(
    at_the_door: Bench, tmp_path: Path
) -> None:
    """NET-1, NET-5, NET-11."""
    right = at_the_door.at
    certificate_files(tmp_path, "other.example.com")
    with greeting(tmp_path / "tls.crt", tmp_path / "tls.key", "http/1.1") as port:
        for code, check in (("MA941", doors.http2), ("MA946", doors.trust)):
            at_the_door.at = (HOST, port)
            at_the_door.clear(
                code,
                lambda check=check: check(at_the_door.site),
                lambda: setattr(at_the_door, "at", right),  # type: ignore[misc]
            )


@clears("MA948")
def test_a_certificate_that_nobody_trusts_is_once_its_authority_is_there(
    at_the_door: Bench, sound: LiveDoor
) -> None:
    """NET-10, NET-11."""
    trust(at_the_door)
    at_the_door.clear(
        "MA948",
        lambda: doors.trust(at_the_door.site),
        lambda: trust(at_the_door, sound.api_authority, sound.app_authority),
    )


CALLS = {
    "apiserver": ("MA953", doors.api_call),
    "ui": ("MA954", doors.page),
    "envoy": ("MA955", doors.browser_call),
}


@pytest.mark.long
@clears(*(code for code, _ in CALLS.values()))
@pytest.mark.parametrize("service", CALLS)
def test_a_call_that_a_service_does_not_answer_is_answered_once_its_pods_are_ready(
    service: str, at_the_door: Bench, sound: LiveDoor, upstream: int, tmp_path: Path
) -> None:
    """CP-10, OPS-8: the log that is printed is of the service that is down."""
    code, check = CALLS[service]
    right = at_the_door.at
    with live_door(environment(**SECTIONS), tmp_path, upstream, {service: free_port()}) as made:
        trust(at_the_door, sound.api_authority, sound.app_authority, made.api_authority, made.app_authority)
        at_the_door.at = (HOST, made.port)
        (finding,) = at_the_door.await_codes({code}, lambda: check(at_the_door.site))
        assert f"deployment/michelangelo-{service}" in finding.fix
        at_the_door.clear(code, lambda: check(at_the_door.site), lambda: setattr(at_the_door, "at", right))


@pytest.mark.long
@clears("MA956")
def test_an_origin_that_envoy_does_not_know_is_accepted_after_the_update(
    at_the_door: Bench, sound: LiveDoor, upstream: int, tmp_path: Path
) -> None:
    """NET-3: the fix is an update; Envoy is the real one, with the configuration that it writes."""
    more = {"cors": {"additionalOrigins": ["https://new.example.com"]}}
    at_the_door.sections |= more
    with live_door(environment(**SECTIONS, **more), tmp_path, upstream) as made:
        trust(at_the_door, sound.api_authority, sound.app_authority, made.api_authority, made.app_authority)
        ran: list[list[str]] = []

        def update(words: list[str]) -> None:
            assert words[0] == "env"
            ran.append(words)
            at_the_door.at = (HOST, made.port)

        at_the_door.played["pulumi"] = update
        at_the_door.clear("MA956", lambda: doors.cors(at_the_door.site))
        assert len(ran) == 1
