"""Both doors are asked as clients ask them: the real Envoy behind a played ingress controller, over TLS.

The door and the API server are those of the tests of the front door: a second Envoy with what a controller
makes of the rendered objects, and a gRPC server that refuses and answers as the platform's does.
"""

from __future__ import annotations

import base64
import contextlib
import datetime
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from madeploy.doctor import doors
from madeploy.doctor.checks import Check, run
from madeploy.doctor.site import Site
from madeploy.settings import Environment
from tests.support import front_door_envoy
from tests.support.api_server import api_server
from tests.support.environments import environment
from tests.support.front_door import hosts
from tests.support.furnished import FurnishedSite, deployed, named
from tests.support.greeting import greeting
from tests.support.live_door import LiveDoor, files, live_door
from tests.support.oidc import Provider
from tests.support.ports import free_port
from tests.support.tls import certificate_files, certificate_pair

pytestmark = pytest.mark.whole

CHECKS = {
    "network/1": doors.http2,
    "trust": doors.trust,
    "api": doors.api_call,
    "app": doors.page,
    "browser": doors.browser_call,
    "cors": doors.cors,
}
SECRETS = ("michelangelo-apiserver-tls", "michelangelo-ui-tls")


def settings(**more: object) -> Environment:
    return environment(
        platform={"release": "2026.04"},
        cors={"additionalOrigins": ["https://studio.example.com"]},
        controlPlane={"caBundleConfigMap": "company-ca"},
        **more,
    )


def knowing(made: FurnishedSite, directory: Path) -> FurnishedSite:
    """The environment with the Secrets that its door has; their authorities are the ones clients trust."""
    for name in SECRETS:
        data = {file: (directory / "secrets" / name / file).read_bytes() for file in ("tls.crt", "tls.key")}
        data["ca.crt"] = data["tls.crt"]
        encoded = {key: base64.b64encode(value).decode() for key, value in data.items()}
        made.hub.hold(named("Secret", name, "ma-system", data=encoded))
    return made


def looked_at(site: Site) -> Mapping[str, tuple[str, list[str]]]:
    """State and codes by check."""
    made = [Check(name, "x", lambda look=look: look(site)) for name, look in CHECKS.items()]  # type: ignore[misc]
    return {
        outcome.check: (outcome.state, [finding.code for finding in outcome.findings])
        for outcome in run("verify", "prod", made, seconds=120).outcomes
    }


def site_at(port: int, directory: Path, chosen: Environment) -> Site:
    made = knowing(deployed(chosen), directory)
    made.site.at = ("127.0.0.1", port)
    return made.site


def found(site: Site) -> dict[str, list[str]]:
    """Codes of the checks that found something."""
    return {name: codes for name, (_, codes) in looked_at(site).items() if codes}


@pytest.fixture(scope="module")
def upstream() -> Iterator[int]:
    """Port of the API server."""
    with api_server() as port:
        yield port


@pytest.fixture(scope="module")
def live(upstream: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveDoor]:
    """A door without faults."""
    directory = tmp_path_factory.mktemp("door")
    with live_door(settings(), directory, upstream) as made:
        yield made


def test_a_sound_front_door_passes_every_check(live: LiveDoor) -> None:
    """CP-10, NET-1, NET-3, NET-5, NET-6, NET-15: gRPC, a page, a browser's call and preflights."""
    seen = looked_at(site_at(live.port, live.directory, settings()))
    assert seen == dict.fromkeys(CHECKS, ("passed", []))


def test_with_a_gateway_and_tls_in_envoy_the_same_passes(upstream: int, tmp_path: Path) -> None:
    """CP-10, NET-4, NET-7."""
    door = {"kind": "gatewayApi", "className": "eg", "controllerNamespace": "envoy-gateway-system"}
    chosen = settings(frontDoor=door, tls={"mode": "provided", "envoy": {"enabled": True}})
    with live_door(chosen, tmp_path, upstream) as made:
        seen = looked_at(site_at(made.port, tmp_path, chosen))
    assert seen == dict.fromkeys(CHECKS, ("passed", []))


LOGIN = {
    "kind": "oidc",
    "provider": "keycloak",
    "issuer": "https://login.example.com/realms/ml",
    "clientId": "michelangelo",
    "editors": {"groups": ["ml-platform"]},
}


@pytest.mark.parametrize("trusted", [[], ["127.0.0.0/8"]], ids=["nobody", "trusted"])
def test_doors_with_their_locks_pass_from_within_and_from_elsewhere(
    trusted: list[str], upstream: int, tmp_path: Path
) -> None:
    """ACC-1, ACC-2: a page is sent to the provider, calls without a session or a token are refused."""
    chosen = settings(access={"browser": LOGIN, "api": {"kind": "guarded", "trustedCidrs": trusted}})
    with live_door(chosen, tmp_path, upstream, provider=Provider("only-for-this-test")) as made:
        seen = looked_at(site_at(made.port, tmp_path, chosen))
    assert seen == dict.fromkeys(CHECKS, ("passed", []))


def test_a_provider_that_envoy_does_not_reach_is_told_from_a_lock_that_is_not_there(
    upstream: int, tmp_path: Path
) -> None:
    """ACC-1, CP-10."""
    chosen = settings(access={"browser": LOGIN})
    with live_door(chosen, tmp_path, upstream) as made:
        assert found(site_at(made.port, tmp_path, chosen)) == {"app": ["MA255"]}


def test_locks_that_are_not_on_the_doors_are_found(live: LiveDoor) -> None:
    """ACC-1: the settings have one, and what answers is the platform."""
    chosen = settings(access={"browser": LOGIN})
    assert found(site_at(live.port, live.directory, chosen)) == {"app": ["MA249"], "browser": ["MA249"]}


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        ("apiserver", {"api": ["MA953"]}),
        ("ui", {"app": ["MA954"]}),
        ("envoy", {"browser": ["MA955"]}),
    ],
)
def test_a_service_that_is_down_is_told_by_the_call_that_fails(
    service: str, expected: dict[str, list[str]], upstream: int, tmp_path: Path
) -> None:
    """CP-10, OPS-8: each call by its own code."""
    with live_door(settings(), tmp_path, upstream, {service: free_port()}) as made:
        assert found(site_at(made.port, tmp_path, settings())) == expected


def test_a_page_that_is_another_applications_is_no_pass(upstream: int, tmp_path: Path) -> None:
    """CP-4."""
    with (
        files({"/": "<h1>welcome to nginx</h1>"}) as ui,
        live_door(settings(), tmp_path, upstream, {"ui": ui}) as made,
    ):
        assert found(site_at(made.port, tmp_path, settings())) == {"app": ["MA954"]}


def test_an_origin_that_is_declared_and_not_accepted_is_found(live: LiveDoor) -> None:
    """NET-3: the stack says one more than Envoy knows."""
    chosen = environment(
        platform={"release": "2026.04"},
        cors={"additionalOrigins": ["https://studio.example.com", "https://new.example.com"]},
    )
    assert found(site_at(live.port, live.directory, chosen)) == {"cors": ["MA956"]}


def test_a_certificate_for_another_host_is_found_and_no_call_is_made(upstream: int, tmp_path: Path) -> None:
    """NET-1, NET-11: what could not be asked is no pass."""
    with live_door(settings(), tmp_path, upstream) as made:
        certificate_files(tmp_path / "secrets" / SECRETS[0], "other.example.com")
        renewed = settings()
        with restarted(made) as port:
            seen = looked_at(site_at(port, tmp_path, renewed))
    assert seen["trust"] == ("failed", ["MA946"])
    assert seen["api"] == ("notChecked", [])
    assert seen["app"] == ("passed", [])


def test_a_certificate_nobody_here_trusts_is_found(live: LiveDoor) -> None:
    """NET-10, NET-11: without the authority beside it."""
    site = site_at(live.port, live.directory, settings())
    for name in SECRETS:
        del site.client().objects[f"/api/v1/namespaces/ma-system/secrets/{name}"]["data"]["ca.crt"]  # type: ignore[attr-defined]
    seen = looked_at(site)
    assert seen["trust"] == ("failed", ["MA948", "MA948"])
    assert {state for name, (state, _) in seen.items() if name not in ("trust", "network/1")} == {
        "notChecked"
    }


@contextlib.contextmanager
def restarted(made: LiveDoor) -> Iterator[int]:
    """The door once more, with what its Secrets hold now."""
    with front_door_envoy.serving(hosts(made.cluster), made.directory / "secrets", made.directory) as port:
        yield port


@contextlib.contextmanager
def bare_tls(directory: Path, host: str, days: float, protocols: list[str]) -> Iterator[int]:
    """A server that greets by TLS and says no more."""
    begins, ends = datetime.timedelta(days=days - 90), datetime.timedelta(days=days)
    pem, key = certificate_pair(host, begins, ends)
    for name in SECRETS:
        folder = directory / "secrets" / name
        folder.mkdir(parents=True)
        (folder / "tls.crt").write_bytes(pem)
        (folder / "tls.key").write_bytes(key)
    with greeting(folder / "tls.crt", folder / "tls.key", *protocols) as port:
        yield port


@pytest.mark.parametrize(
    ("days", "expected"),
    [(-1, ["MA947", "MA947"]), (5, ["MA947", "MA947"]), (60, [])],
    ids=["past", "soon", "good"],
)
def test_a_certificate_that_ends_is_found_before_and_after(
    days: float, expected: list[str], tmp_path: Path
) -> None:
    """NET-9, NET-11: and its end is no question of trust."""
    host = "door.example.com"
    chosen = settings(domains={"api": host, "app": host})
    with bare_tls(tmp_path, host, days, ["h2"]) as port:
        made = site_at(port, tmp_path, chosen)
        (outcome,) = run("verify", "prod", [Check("trust", "x", lambda: doors.trust(made))]).outcomes
    assert [finding.code for finding in outcome.findings] == expected[: len(outcome.findings)]
    assert bool(outcome.findings) == bool(expected)


@pytest.mark.parametrize("protocols", [["http/1.1"], []], ids=["http1", "none"])
def test_a_front_door_without_http2_is_found(protocols: list[str], tmp_path: Path) -> None:
    """NET-5, NET-15: row 1 of the checklist."""
    host = "api.ml.example.com"
    with bare_tls(tmp_path, host, 60, protocols) as port:
        made = site_at(port, tmp_path, settings())
        (outcome,) = run("verify", "prod", [Check("one", "x", lambda: doors.http2(made))]).outcomes
    assert [finding.code for finding in outcome.findings] == ["MA941"]


def test_a_front_door_that_does_not_answer_is_found_once(tmp_path: Path) -> None:
    """NET-1: calls that could not be made are no passes."""
    for name in SECRETS:
        certificate_files(tmp_path / "secrets" / name, "api.ml.example.com")
    seen = looked_at(site_at(free_port(), tmp_path, settings()))
    assert seen["network/1"] == ("failed", ["MA944"])
    assert {seen[name][0] for name in ("api", "app", "browser", "cors")} == {"notChecked"}


def test_a_domain_that_does_not_resolve_is_left_to_the_check_of_domains() -> None:
    """NET-1, UX-8."""
    made = deployed(settings(domains={"api": "api.nowhere.example", "app": "app.nowhere.example"}))
    assert {state for state, _ in looked_at(made.site).values()} == {"notChecked"}
