"""Faults on the way to a real API server, and clocks that differ, are told from what it says itself."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest

from madeploy.clients.kubernetes import Kubernetes
from madeploy.clusters import verification
from madeploy.clusters.checks import connection
from tests.support.clears import clears
from tests.support.faults import bare_server, black_hole, fault_proxy
from tests.support.registrations import Registration, failed_check
from tests.support.relays import relays

HOUR = 3600.0


def proxied(fault: str, *hosts: str) -> Callable[[Registration], AbstractContextManager[str]]:
    """The API server behind a proxy that misbehaves."""

    @contextlib.contextmanager
    def start(made: Registration) -> Iterator[str]:
        with fault_proxy(f"{made.endpoint.host}:{made.endpoint.port}", made.pki, fault, *hosts) as proxy:  # type: ignore[arg-type]
            yield proxy.server

    return start


def alone(habit: str) -> Callable[[Registration], AbstractContextManager[str]]:
    """A server that is no API server."""

    @contextlib.contextmanager
    def start(_: Registration) -> Iterator[str]:
        made = black_hole() if habit == "hole" else bare_server(habit)  # type: ignore[arg-type]
        with made as port:
            yield f"https://127.0.0.1:{port}"

    return start


@clears("MA435")
@pytest.mark.parametrize(
    ("start", "check", "code"),
    [
        pytest.param(alone("hole"), "tcp", "MA432", id="black-hole"),
        pytest.param(alone("silent"), "tls", "MA432", id="accepts-and-says-nothing"),
        pytest.param(alone("reset"), "tls", "MA433", id="resets-connections"),
        pytest.param(alone("text"), "tls", "MA436", id="no-tls"),
        pytest.param(proxied("none", "api.example.com"), "tls", "MA435", id="certificate-for-another-name"),
        pytest.param(proxied("throttled"), "credential", "MA454", id="429"),
        pytest.param(proxied("error"), "credential", "MA455", id="500"),
        pytest.param(proxied("silent"), "credential", "MA432", id="never-answers"),
        pytest.param(proxied("drip"), "credential", "MA432", id="answers-byte-by-byte"),
    ],
)
def test_a_fault_on_the_way_is_named_and_repaired_by_the_right_address(
    start: Callable[[Registration], AbstractContextManager[str]],
    check: str,
    code: str,
    registration: Registration,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """REG-6, REG-10, REG-11, NET-14: what stands before the API server is told from what the API server
    says, within a bounded time."""

    def impatient(registered: verification.Registered) -> Kubernetes:
        return Kubernetes.registered(
            registered.server, registered.certificate_authority, registered.token, read_seconds=1
        )

    # Impatient with silence alone: what answers late on a busy machine is no fault.
    if code == "MA432" and check == "credential":
        monkeypatch.setattr(verification, "registered_client", impatient)
    elif code == "MA432":
        monkeypatch.setattr(connection, "CONNECT_SECONDS", 0.5)
    with start(registration) as server:
        by_hand = registration.at(server)
        try:
            failed, finding = failed_check(registration.verify())
            assert (failed, finding.code) == (check, code)
            assert finding.fix
        finally:
            by_hand()
            registration.up()
    assert registration.verify()[-3].state == "passed"


@clears("MA432")
def test_an_api_server_that_says_nothing_is_proven_once_the_way_is_open(
    registration: Registration, monkeypatch: pytest.MonkeyPatch
) -> None:
    """REG-6, REG-10: whoever runs what stands between opens it."""
    with relays(("127.0.0.1", int(registration.endpoint.port)), 1) as (way,):
        by_hand = registration.at(way.url)
        way.silence()
        try:
            with monkeypatch.context() as impatient:
                impatient.setattr(connection, "CONNECT_SECONDS", 0.5)
                failed, finding = failed_check(registration.verify())
            assert (failed, finding.code) == ("tls", "MA432")
            way.speak()
            assert registration.verify()[-3].state == "passed"
        finally:
            by_hand()
            registration.up()


@pytest.mark.parametrize("fault", ["throttled", "error"])
def test_a_server_that_is_busy_for_a_moment_is_asked_again(fault: str, registration: Registration) -> None:
    """REG-6: two refusals in a row are no finding."""
    server = f"{registration.endpoint.host}:{registration.endpoint.port}"
    with fault_proxy(server, registration.pki, fault) as proxy:  # type: ignore[arg-type]
        by_hand = registration.at(proxy.server)
        try:
            proxy.times = 2
            checks = {check.name: check.state for check in registration.verify()}
            assert checks["credential"] == checks["rights"] == "passed"
            assert len(proxy.served) > 15
        finally:
            by_hand()
            registration.up()


def test_a_clock_that_is_behind_here_is_told_from_an_expired_token(registration: Registration) -> None:
    """REG-11: the API server dates its answers; the token has expired by its clock and not by ours."""
    now = int(time.time())
    registration.sign(iat=now - 7200, nbf=now - 7200, exp=now - 600)

    def behind() -> float:
        return time.time() - HOUR

    failed, finding = failed_check(registration.verify(clock=behind))
    assert (failed, finding.code) == ("credential", "MA439")
    assert "ahead of this machine's" in finding.evidence
    registration.follow(finding, lambda: None)
    assert registration.becomes_proven()
