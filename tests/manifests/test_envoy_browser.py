"""A real browser signs in: a front door that ends TLS, Envoy as rendered, and the provider's own page."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from manifests.envoy_pages import PROVIDER_SILENT
from manifests.envoy_provider import SECONDS
from tests.support import browser as chromium
from tests.support.browser import Browser, browsing
from tests.support.front import APP, ORIGIN, Front, front
from tests.support.front_door import Backend, Host, Route
from tests.support.front_door_envoy import serving
from tests.support.oidc import HOST
from tests.support.proves import proves
from tests.support.tls import certificate_files

pytestmark = [
    pytest.mark.whole,
    pytest.mark.skipif(chromium.program() is None, reason="needs Chromium (apt-get install chromium)"),
]

PEOPLE = {
    "ann": {"groups": ["analysts"], "email": "ann@example.com", "name": "Ann", "sub": "ann"},
    "sam": {"groups": ["sales"], "email": "sam@example.com", "name": "Sam", "sub": "sam"},
}


@dataclass(frozen=True)
class Scene:
    """Everything that runs, and the browser in front of it."""

    door: Front
    browser: Browser
    pictures: Path


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """A browser that has never been here."""
    path = chromium.program()
    assert path is not None
    pem = certificate_files(tmp_path / "secrets" / "app", APP)
    with front(tmp_path / "front") as door:
        door.provider.people = PEOPLE
        route = Route("prefix", "/", Backend(door.envoy.port, 1), answer=None, silence=None)
        (tmp_path / "door").mkdir()
        with serving([Host(APP, "app", (route,))], tmp_path / "secrets", tmp_path / "door") as port:
            login = (tmp_path / "front" / "login" / "tls.crt").read_bytes()
            hosts = {APP: port, HOST: door.provider_port}
            profile = tmp_path / "profile"
            profile.mkdir()
            with browsing(path, profile, hosts, [pem, login]) as started:
                yield Scene(door, started, tmp_path)


def _sign_in(scene: Scene, name: str, path: str = "/") -> None:
    scene.browser.go(f"{ORIGIN}{path}")
    scene.browser.until(f"location.host == '{HOST}' && document.getElementById('{name}') != null")
    scene.browser.evaluate(f"document.getElementById('{name}').click()")
    scene.browser.until(f"location.host == '{APP}' && document.readyState == 'complete'")


@proves("ACC-1", "ACC-3", played="the identity provider")
def test_somebody_signs_in_uses_the_application_and_signs_out(scene: Scene) -> None:
    """ACC-1, ACC-3: to the page that was asked for; a call of the page passes with who called; no script and
    no other host sees a cookie; after signing out the provider asks again."""
    browser, recorded = scene.browser, scene.door.recorded
    _sign_in(scene, "ann", "/models?name=a")
    assert browser.evaluate("location.href") == f"{ORIGIN}/models?name=a"
    browser.until("document.title == 'called 200'")
    assert recorded.calls[-1][1]["x-user-email"] == "ann@example.com"
    assert browser.evaluate("document.cookie") == ""
    cookies = browser.cookies()
    assert len(cookies) >= 4
    for cookie in cookies:
        assert cookie["domain"] == APP
        assert cookie["name"].startswith("__Host-")
        assert (cookie["secure"], cookie["httpOnly"], cookie["sameSite"]) == (True, True, "Lax")
    browser.picture(scene.pictures / "signed-in.png")
    browser.go(f"{ORIGIN}/oauth2/sign_out")
    browser.until(f"location.host == '{HOST}' && document.getElementById('ann') != null")
    assert not [
        cookie for cookie in browser.cookies() if cookie["name"].endswith(("-hmac", "-id", "-refresh"))
    ]
    browser.picture(scene.pictures / "signed-out.png")


@proves("ACC-1", played="the identity provider")
def test_somebody_without_rights_reads_why_and_can_sign_in_as_somebody_else(scene: Scene) -> None:
    """ACC-1, UX-3: a page, not an error of the browser's."""
    browser = scene.browser
    _sign_in(scene, "sam")
    assert browser.evaluate("document.querySelector('h1').textContent") == "You may not come in"
    browser.picture(scene.pictures / "no-rights.png")
    browser.evaluate("document.querySelector('a').click()")
    browser.until(f"location.host == '{HOST}' && document.getElementById('ann') != null")
    assert scene.door.recorded.files == []


def test_a_session_that_ends_is_begun_again_by_a_page_and_told_to_a_call(scene: Scene) -> None:
    """ACC-1: without a token for renewal, where the provider still knows who is there."""
    scene.door.provider.refreshes = False
    _sign_in(scene, "ann")
    browser = scene.browser
    browser.until("document.title == 'called 200'")
    browser.call("Storage.clearCookies")
    browser.evaluate("call()")
    browser.until("document.title == 'called 401'")
    scene.door.provider.user = PEOPLE["ann"]
    browser.go(f"{ORIGIN}/again")
    browser.until("document.title == 'called 200'")
    assert browser.evaluate("location.pathname") == "/again"


@proves("ACC-1", played="the identity provider")
def test_while_the_provider_is_down_a_session_goes_on_and_somebody_else_reads_why(scene: Scene) -> None:
    """ACC-1, UX-3: a page of ours, from which trying again leads in once the provider answers."""
    browser, provider = scene.browser, scene.door.provider
    _sign_in(scene, "ann")
    provider.down = True
    browser.go(f"{ORIGIN}/models")
    browser.until("document.title == 'called 200'")
    browser.call("Storage.clearCookies")
    # What the provider said last counts for a few seconds.
    time.sleep(SECONDS + 1.1)
    browser.go(f"{ORIGIN}/models")
    browser.until("document.querySelector('h1') != null")
    assert browser.evaluate("document.title") == PROVIDER_SILENT
    browser.picture(scene.pictures / "provider-down.png")
    provider.down = False
    provider.user = PEOPLE["ann"]
    time.sleep(SECONDS + 1.1)
    browser.evaluate("document.querySelector('a').click()")
    browser.until("document.title == 'called 200'")
