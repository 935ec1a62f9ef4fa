"""Sign-in at the real Envoy, with an OpenID provider as a server: who comes in, what reaches the servers
behind, and how sessions go on and end."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from madeploy.settings import Environment
from manifests.envoy_config import bootstrap
from manifests.envoy_pages import PROVIDER_SILENT
from manifests.envoy_provider import SECONDS
from tests.support.descriptors import beside
from tests.support.environments import environment
from tests.support.envoy import get
from tests.support.front import (
    APP,
    FILES,
    ORIGIN,
    Front,
    Response,
    cookie_header,
    front,
    login_settings,
    store,
)
from tests.support.oidc import HOST
from tests.support.proves import proves

pytestmark = pytest.mark.whole

ANALYST = {"groups": ["analysts"], "email": "ann@example.com", "name": "Ann", "sub": "ann"}
ENGINEER = {"groups": ["staff", "ml-platform"], "email": "eve@example.com", "name": "Eve", "sub": "eve"}
STRANGER = {"groups": ["sales"], "email": "sam@example.com", "name": "Sam", "sub": "sam"}
READ, WRITE = "ProjectService/GetProject", "ProjectService/DeleteProject"


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """The application's host with sign-in."""
    with front(tmp_path_factory.mktemp("front")) as started:
        yield started


def test_a_page_sends_to_the_provider_and_comes_back_to_where_it_was(door: Front) -> None:
    """ACC-1: with a code, PKCE and a state of its own."""
    first = door.request("GET", "/models?name=a")
    assert first.status == 302
    assert first.headers["location"].startswith(f"https://{HOST}/realms/ml/protocol/openid-connect/auth?")
    for part in ("code_challenge=", "code_challenge_method=S256", "state=", "response_type=code"):
        assert part in first.headers["location"]
    _, last = door.attempt(ANALYST, "/models?name=a")
    assert (last.status, last.headers["location"]) == (302, f"{ORIGIN}/models?name=a")


@proves("ACC-1", "ACC-3", played="the identity provider")
def test_the_application_and_its_calls_pass_with_a_session(door: Front) -> None:
    """ACC-1, ACC-3: viewers read, editors do everything."""
    for user, writes in ((ANALYST, 403), (ENGINEER, 200)):
        cookies = door.sign_in(user)
        assert door.request("GET", "/", {"cookie": cookie_header(cookies)}).body == FILES
        before = len(door.recorded.calls)
        assert door.call(READ, cookies).status == 200
        assert door.call(WRITE, cookies).status == writes
        assert len(door.recorded.calls) - before == (2 if writes == 200 else 1)


@proves("ACC-3", played="the identity provider")
def test_who_called_comes_from_the_token_and_no_credential_goes_on(door: Front) -> None:
    """ACC-3: what the platform shows of callers; cookies and tokens end at Envoy."""
    cookies = door.sign_in(ANALYST)
    claimed = {"x-user-email": "boss@example.com", "x-user-name": "Boss", "authorization": "Bearer x"}
    assert door.call(READ, cookies, claimed).status == 200
    assert door.request("GET", "/a", {**claimed, "cookie": cookie_header(cookies)}).status == 200
    for headers in (door.recorded.calls[-1][1], door.recorded.files[-1][1]):
        assert headers["x-user-email"] == "ann@example.com"
        assert headers["x-user-name"] == "Ann"
        assert not {"cookie", "authorization"} & headers.keys()


def test_somebody_without_a_group_is_told_so_and_gets_nothing(door: Front) -> None:
    """ACC-1, UX-3: a page for people, a status for calls."""
    cookies = door.sign_in(STRANGER)
    before = len(door.recorded.calls), len(door.recorded.files)
    page = door.request("GET", "/", {"cookie": cookie_header(cookies)})
    assert page.status == 403
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert b"You may not come in" in page.body
    assert b"/oauth2/sign_out" in page.body
    assert door.call(READ, cookies).status == 403
    assert (len(door.recorded.calls), len(door.recorded.files)) == before


def test_cookies_are_for_this_host_alone_and_out_of_reach_of_scripts(door: Front) -> None:
    """ACC-1: `__Host-`, Secure, HttpOnly, SameSite, and nothing of a token readable in them."""
    door.provider.user = ANALYST
    first = door.request("GET", "/")
    cookies: dict[str, str] = {}
    store(cookies, first)
    last = door.request(
        "GET", door.at_provider(first.headers["location"]), {"cookie": cookie_header(cookies)}
    )
    made = [text for text in (*first.set_cookies, *last.set_cookies) if "deleted" not in text]
    assert len(made) >= 8
    for text in made:
        name, _, attributes = text.partition(";")
        assert name.startswith("__Host-")
        assert {part.strip().lower() for part in attributes.split(";")} >= {
            "secure",
            "httponly",
            "path=/",
            "samesite=lax",
        }
        assert "domain" not in attributes.lower()
        # Three parts of base64 that begin with `{"` are a token.
        assert "eyJ" not in name


def test_a_call_without_a_session_is_401_and_not_a_page_of_the_providers(door: Front) -> None:
    """ACC-1: a page's own calls can tell."""
    before = len(door.recorded.calls)
    answer = door.call(READ, {})
    assert (answer.status, "location" in answer.headers) == (401, False)
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert len(door.recorded.calls) == before


def test_a_preflight_needs_no_session(door: Front) -> None:
    """NET-3: browsers send none with it."""
    asked = {"origin": ORIGIN, "access-control-request-method": "POST"}
    assert door.request("OPTIONS", f"/michelangelo.api.v2.{READ}", asked).status == 200


@proves("ACC-1", played="the identity provider")
def test_signing_out_ends_the_session_here_and_at_the_provider(door: Front) -> None:
    """ACC-1."""
    cookies = door.sign_in(ANALYST)
    answer = door.request("GET", "/oauth2/sign_out", {"cookie": cookie_header(cookies)})
    assert answer.status == 302
    assert answer.headers["location"].startswith(f"https://{HOST}/realms/ml/protocol/openid-connect/logout?")
    at_end = door.provider_get(answer.headers["location"])
    assert at_end.headers["location"] == f"{ORIGIN}/"
    store(cookies, answer)
    assert cookies == {}
    assert door.call(READ, cookies).status == 401


def test_a_session_goes_on_by_its_refresh_token_and_ends_without_one(tmp_path: Path) -> None:
    """ACC-1: ID tokens of two seconds; clocks may differ by 30, so that expiry is the cookie's own."""
    with front(tmp_path) as door:
        door.provider.lifetime = 2
        cookies = door.sign_in(ANALYST)
        time.sleep(2.5)
        renewed = door.call(READ, cookies)
        assert renewed.status == 200
        assert door.provider.asked.count("/realms/ml/protocol/openid-connect/token") == 2
        store(cookies, renewed)
        door.provider.refreshes = False
        door.provider.refresh_tokens.clear()
        time.sleep(2.5)
        assert door.call(READ, cookies).status == 401
        assert door.request("GET", "/", {"cookie": cookie_header(cookies)}).status == 302


@proves("ACC-1", played="the identity provider")
def test_keys_are_rotated_without_refusing_a_session(tmp_path: Path) -> None:
    """ACC-1: the old key is still published, and the new one known half a minute later at the latest; the
    test's Envoy looks every half second."""
    made = environment(access={"browser": login_settings()})
    with front(tmp_path, made, configuration=_hurried(made)) as door:
        old = door.sign_in(ANALYST)
        refused = 0
        for _ in range(3):
            door.provider.rotate()
            end = time.monotonic() + 1.5
            while time.monotonic() < end:
                refused += door.call(READ, old).status != 200
                time.sleep(0.05)
            new = door.sign_in(ENGINEER)
            assert door.call(WRITE, new).status == 200
        assert refused == 0
        # A key that is withdrawn ends what it signed.
        door.provider.rotate(keep=False)
        time.sleep(1.5)
        assert door.call(READ, old).status == 401


@proves("ACC-1", played="the identity provider")
def test_with_the_provider_down_sessions_go_on_and_new_ones_get_a_page_that_says_why(tmp_path: Path) -> None:
    """ACC-1, UX-3: keys that were read stay."""
    made = environment(access={"browser": login_settings()})
    with front(tmp_path, made, configuration=_hurried(made)) as door:
        old = door.sign_in(ANALYST)
        first = door.request("GET", "/")
        cookies: dict[str, str] = {}
        store(cookies, first)
        back = door.at_provider(first.headers["location"])
        door.provider.down = True
        time.sleep(1.5)
        for _ in range(20):
            assert door.call(READ, old).status == 200
        page = door.request("GET", back, {"cookie": cookie_header(cookies)})
        assert page.status >= 401
        assert b"The identity provider did not answer" in page.body
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        _without_a_session(door, old)
        door.provider.down = False
        time.sleep(1.5)
        assert door.call(READ, door.sign_in(ANALYST)).status == 200


def _without_a_session(door: Front, old: dict[str, str]) -> None:
    """What people without a session see while the provider is down, and what others do."""
    page = door.request("GET", "/models")
    assert (page.status, "location" in page.headers) == (503, False)
    assert PROVIDER_SILENT.encode() in page.body
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["cache-control"] == "no-store"
    marked = door.request("GET", "/", {"x-request-id": "<script>alert(1)</script>"})
    assert b"<script>" not in marked.body
    # The session's own cookie decides, not some other.
    assert door.request("GET", "/", {"cookie": "a=b; hmac=c"}).status == 503
    assert door.request("GET", "/", {"cookie": cookie_header(old)}).body == FILES
    assert door.call(READ, {}).status == 401
    assert door.request("GET", "/oauth2/sign_out", {"cookie": cookie_header(old)}).status == 302


@proves("ACC-1", played="the identity provider")
def test_a_provider_that_takes_connections_and_says_nothing_is_asked_once_in_a_while(tmp_path: Path) -> None:
    """ACC-1, UX-3: one visitor waits for the time-out; the others are told at once, and the provider is not
    asked by each of them."""
    made = environment(access={"browser": login_settings()})
    with front(tmp_path, made) as door:
        assert door.request("GET", "/").status == 302
        door.provider.silent.clear()
        time.sleep(SECONDS + 1.1)
        before = len(door.provider.asked)
        statuses = [door.request("GET", f"/{number}").status for number in range(50)]
        assert set(statuses) == {503}
        assert len(door.provider.asked) - before <= 2
        door.provider.silent.set()


def test_the_application_of_0_12_calls_in_json_and_is_refused_in_json_terms(tmp_path: Path) -> None:
    """ACC-3, REL-1: rights are looked up before Envoy translates, by the path of the method itself."""
    made = environment(
        access={"browser": login_settings()}, controlPlane={"envoy": {"descriptors": beside()}}
    )
    json_headers = {"content-type": "application/json", "rpc-caller": "ma-studio"}
    with front(tmp_path, made) as door:
        cookies = door.sign_in(ANALYST)
        body = json.dumps({"name": "demo", "namespace": "team-a"}).encode()
        # The server answers with the request's own bytes, whose fields are the answer's.
        answer = _post_json(door, READ, cookies, json_headers, body)
        assert (answer.status, json.loads(answer.body)["name"]) == (200, "demo")
        assert door.recorded.calls[-1][1]["x-user-email"] == "ann@example.com"
        before = len(door.recorded.calls)
        assert (
            _post_json(door, "ProjectService/GetProject/../DeleteProject", cookies, json_headers, body).status
            == 403
        )
        assert _post_json(door, WRITE, cookies, json_headers, body).status == 403
        assert _post_json(door, READ, {}, json_headers, body).status == 401
        assert len(door.recorded.calls) == before


def _post_json(
    door: Front, method: str, cookies: dict[str, str], headers: dict[str, str], body: bytes
) -> Response:
    sent = {**headers, "origin": ORIGIN, "cookie": cookie_header(cookies)}
    return door.request("POST", f"/michelangelo.api.v2.{method}", sent, body)


def test_secrets_stand_in_no_file_but_the_secrets(door: Front) -> None:
    """OPS-1: neither in configuration nor in what Envoy shows or logs."""
    secret = door.provider.client_secret
    door.sign_in(ANALYST)
    assert secret not in get(door.envoy.admin_port, "/config_dump")[1]
    assert secret not in door.envoy.log.read_text() + door.envoy.access_log.read_text()


def test_the_host_is_ours_whatever_a_request_says(door: Front) -> None:
    """ACC-1: another name has no session, and is never sent back to."""
    door.provider.user = ANALYST
    for host in (APP, f"{APP}:443", "evil.example.com", f"{APP}.evil.example.com", f"{APP}@evil.example.com"):
        answer = door.request("GET", "/a", host=host)
        assert answer.status == 302
        query = parse_qs(urlsplit(answer.headers["location"]).query)
        state = query["state"][0]
        assert json.loads(base64.urlsafe_b64decode(state + "=="))["url"] == f"{ORIGIN}/a"
        assert query["redirect_uri"] == [f"{ORIGIN}/oauth2/callback"]
    cookies = door.sign_in(ANALYST)
    before = len(door.recorded.calls)
    assert door.call(READ, cookies, host="evil.example.com").status == 404
    assert len(door.recorded.calls) == before


def _hurried(made: Environment) -> dict[str, Any]:
    """Envoy's configuration with keys read every half second, and the provider asked every second."""
    found = bootstrap(made)

    def hurry(data: Any) -> None:
        if isinstance(data, dict):
            if "cache_duration" in data:
                assert data["cache_duration"] == "30s"
                data["cache_duration"] = "0.5s"
                data["async_fetch"] = {"failed_refetch_duration": "0.5s"}
            if "default_source_code" in data:
                source = data["default_source_code"]
                assert f"asked >= {SECONDS} " in source["inline_string"]
                source["inline_string"] = source["inline_string"].replace(f">= {SECONDS} ", ">= 1 ")
            for value in data.values():
                hurry(value)
        elif isinstance(data, list):
            for value in data:
                hurry(value)

    hurry(found)
    return found
