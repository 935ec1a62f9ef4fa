"""Hostile requests against the real Envoy: each is refused with the right status, and none reaches the API
server, whose calls are counted."""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest

from tests.manifests.hostile import (
    ANALYST,
    API,
    ENGINEER,
    EXPIRES,
    HEADERS,
    HMAC,
    ID,
    ORIGINS,
    PATHS,
    READ,
    REFRESH,
    SMUGGLED,
    TOKENS,
    WRITE,
    claims,
)
from tests.support.front import APP, FILES, ORIGIN, Front, cookie_header, front, store
from tests.support.grpc_web import UI_HEADERS
from tests.support.oidc import CLIENT, Key, encoded
from tests.support.proves import proves

pytestmark = pytest.mark.whole


@dataclass(frozen=True)
class Sessions:
    """The door, and two people who have signed in."""

    door: Front
    viewer: dict[str, str]
    editor: dict[str, str]


@pytest.fixture(scope="module")
def sessions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sessions]:
    """With sign-in and one session of each kind. There are no tokens for renewal: by them a session whose
    token is refused would get a right one."""
    with front(tmp_path_factory.mktemp("front")) as door:
        door.provider.refreshes = False
        yield Sessions(door, door.sign_in(ANALYST), door.sign_in(ENGINEER))


@pytest.fixture(autouse=True)
def nothing_reaches_the_api_server(sessions: Sessions) -> Iterator[None]:
    """What every test here asserts besides its status; before and after, a call that may pass is counted, so
    that the counter is known to count."""
    recorded = sessions.door.recorded.calls
    assert sessions.door.call(READ, sessions.viewer).status == 200
    before = len(recorded)
    yield
    assert len(recorded) == before
    assert sessions.door.call(READ, sessions.viewer).status == 200
    assert len(recorded) == before + 1


# Tokens -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("forge", TOKENS.values(), ids=TOKENS)
@proves("ACC-1", played="the identity provider")
def test_a_token_that_is_not_right_lets_nobody_in(sessions: Sessions, forge: Callable[[Key], str]) -> None:
    """ACC-1: whatever the provider's token endpoint would hand on."""
    door = sessions.door
    forged = door.provider.forged = forge(door.provider.keys[-1])
    try:
        cookies, _ = door.attempt(ENGINEER)
    finally:
        door.provider.forged = None
    said = json.loads(base64.urlsafe_b64decode(forged.split(".")[1] + "==")) if "." in forged else {}
    # Somebody is known, and may not come in here (Envoy, jwt_authn: an audience that is not allowed).
    of_another = forged.count(".") == 2 and said.get("aud") != CLIENT
    assert door.call(WRITE, cookies).status == (403 if of_another else 401)
    page = door.request("GET", "/", {"cookie": cookie_header(cookies)})
    assert page.status in (302, 401, 403)
    assert FILES not in page.body


GROUPS: Mapping[str, Any] = {
    "other": ["sales"],
    "in capitals": ["ML-PLATFORM"],
    "with a blank": ["ml-platform "],
    "as a part": ["not-ml-platform-at-all"],
    "in one text": "ml-platform,analysts",
    "below a list": [["ml-platform"]],
    "as a key": {"ml-platform": True},
    "as a pattern": [".*", "*"],
    "nothing": None,
    "none": [],
    "with an end of text": ["ml-platform\0"],
}


@pytest.mark.parametrize("groups", GROUPS.values(), ids=GROUPS)
def test_another_group_is_no_group(sessions: Sessions, groups: Any) -> None:
    """ACC-1, ACC-3: groups are compared whole."""
    cookies = sessions.door.sign_in({**ENGINEER, "groups": groups})
    assert sessions.door.call(WRITE, cookies).status == 403
    assert sessions.door.call(READ, cookies).status == 403


# Sessions ---------------------------------------------------------------------------------------------------

COOKIES: Mapping[str, Callable[[Sessions], dict[str, str]]] = {
    "none": lambda s: {},
    "with another signature": lambda s: {**s.editor, HMAC: base64.b64encode(bytes(32)).decode()},
    "without a signature": lambda s: _less(s.editor, HMAC),
    "made longer": lambda s: {**s.editor, EXPIRES: str(int(time.time()) + 10**6)},
    "without an end": lambda s: _less(s.editor, EXPIRES),
    "with somebody else's token": lambda s: {**s.viewer, ID: s.editor[ID]},
    "with a token that is not encrypted": lambda s: {
        **s.viewer,
        ID: s.door.provider.keys[-1].token(claims()),
    },
    "with the token alone": lambda s: {ID: s.editor[ID]},
    "set by a neighbour": lambda s: {name.removeprefix("__Host-"): value for name, value in s.editor.items()},
    "under Envoy's own names": lambda s: {
        "IdToken": s.door.provider.keys[-1].token(claims()),
        "OauthHMAC": s.editor[HMAC],
        "OauthExpires": s.editor[EXPIRES],
    },
    "with a made-up token for renewal": lambda s: {REFRESH: "x" * 64},
}


def _less(cookies: Mapping[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in cookies.items() if name not in names}


@pytest.mark.parametrize("make", COOKIES.values(), ids=COOKIES)
def test_cookies_that_are_not_a_whole_session_are_none(
    sessions: Sessions, make: Callable[[Sessions], dict[str, str]]
) -> None:
    """ACC-1."""
    assert sessions.door.call(WRITE, make(sessions)).status == 401


CREDENTIALS: Mapping[str, Callable[[str], tuple[str, dict[str, str]]]] = {
    "as a header": lambda token: ("", {"authorization": f"Bearer {token}"}),
    "as a parameter": lambda token: (f"?access_token={token}", {}),
    "as Envoy's old parameter": lambda token: (f"?token={token}", {}),
    "as a header of another proxy's": lambda token: ("", {"x-forwarded-access-token": token}),
}


@pytest.mark.parametrize("give", CREDENTIALS.values(), ids=CREDENTIALS)
def test_a_token_beside_a_session_is_no_session(
    sessions: Sessions, give: Callable[[str], tuple[str, dict[str, str]]]
) -> None:
    """ACC-1: a right one, in every place where it does not belong."""
    query, headers = give(sessions.door.provider.keys[-1].token(claims()))
    assert sessions.door.call(f"{WRITE}{query}", {}, headers).status == 401


# The way back from the provider -----------------------------------------------------------------------------


@dataclass
class Flow:
    """A sign-in that is about to come back."""

    cookies: dict[str, str]
    code: str
    state: str

    def path(self, **changes: str | None) -> str:
        """The way back, with parameters changed or left out."""
        query = {"code": self.code, "state": self.state} | changes
        return f"/oauth2/callback?{urlencode({k: v for k, v in query.items() if v is not None})}"


def _flow(door: Front, user: dict[str, Any]) -> Flow:
    door.provider.user = user
    first = door.request("GET", "/")
    cookies: dict[str, str] = {}
    store(cookies, first)
    back = parse_qs(urlsplit(door.at_provider(first.headers["location"])).query)
    return Flow(cookies, back["code"][0], back["state"][0])


def _state(state: str, **changes: str) -> str:
    """The state with fields changed."""
    found = json.loads(base64.urlsafe_b64decode(state + "=" * (-len(state) % 4)))
    return encoded(json.dumps(found | changes).encode())


BACK: Mapping[str, Callable[[Flow, Flow], tuple[str, dict[str, str]]]] = {
    "in another browser": lambda own, other: (own.path(), {}),
    "with another's state": lambda own, other: (own.path(state=other.state), own.cookies),
    "with another's cookies": lambda own, other: (own.path(), other.cookies),
    "with another's code": lambda own, other: (own.path(code=other.code), own.cookies),
    "with a code nobody gave": lambda own, other: (own.path(code="made-up"), own.cookies),
    "without a code": lambda own, other: (own.path(code=None), own.cookies),
    "without a state": lambda own, other: (own.path(state=None), own.cookies),
    "with a state that is none": lambda own, other: (own.path(state="%%%"), own.cookies),
    "with a token of the state changed": lambda own, other: (
        own.path(state=_state(own.state, csrf_token="0" * 16)),
        own.cookies,
    ),
    "with the provider's refusal": lambda own, other: (
        own.path(code=None, error="access_denied", error_description="<script>alert(1)</script>"),
        own.cookies,
    ),
}


@pytest.mark.parametrize("come", BACK.values(), ids=BACK)
def test_a_way_back_that_is_not_ones_own_makes_no_session(
    sessions: Sessions, come: Callable[[Flow, Flow], tuple[str, dict[str, str]]]
) -> None:
    """ACC-1: state, PKCE and cookie belong to one browser, once."""
    door = sessions.door
    path, cookies = come(_flow(door, ENGINEER), _flow(door, ENGINEER))
    answer = door.request("GET", path, {"cookie": cookie_header(cookies)})
    assert answer.status == 401, answer
    assert b"script" not in answer.body
    got = dict(cookies)
    store(got, answer)
    assert not {HMAC, ID} & got.keys()


def test_a_way_back_leads_once(sessions: Sessions) -> None:
    """ACC-1: neither the code nor the state is good for a second session."""
    door, flow = sessions.door, _flow(sessions.door, ENGINEER)
    first = door.request("GET", flow.path(), {"cookie": cookie_header(flow.cookies)})
    assert first.status == 302
    again = door.request("GET", flow.path(), {"cookie": cookie_header(flow.cookies)})
    assert again.status == 401


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/",
        "//evil.example/",
        f"https://{APP}.evil.example/",
        f"https://{APP}@evil.example/",
        f"https://evil.example\\@{APP}/",
        "javascript:alert(1)",
        f"{ORIGIN}/\r\nset-cookie: a=b",
    ],
)
def test_nobody_is_sent_on_to_another_host(sessions: Sessions, url: str) -> None:
    """ACC-1: not even by a state with all that it needs."""
    door, flow = sessions.door, _flow(sessions.door, ENGINEER)
    path = flow.path(state=_state(flow.state, url=url))
    answer = door.request("GET", path, {"cookie": cookie_header(flow.cookies)})
    assert answer.status in (400, 401), answer
    assert "evil" not in answer.headers.get("location", "")


# Paths ------------------------------------------------------------------------------------------------------

"""What a viewer posts to, and the answer."""


@pytest.mark.parametrize(("path", "status"), PATHS.items(), ids=list(PATHS))
@proves("ACC-3", played="the identity provider")
def test_no_spelling_of_a_path_gives_a_viewer_more(sessions: Sessions, path: str, status: int) -> None:
    """ACC-3: rights are looked up for the path that is called."""
    assert sessions.door.call(path, sessions.viewer).status == status


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_no_other_http_method_gives_a_viewer_more(sessions: Sessions, method: str) -> None:
    """ACC-3."""
    headers = {"cookie": cookie_header(sessions.viewer), "origin": ORIGIN}
    answer = sessions.door.request(method, f"{API}{WRITE}", headers)
    assert answer.status in (403, 405), answer


# Headers ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("headers", "status"), HEADERS.values(), ids=HEADERS)
def test_no_header_gives_a_viewer_more(
    sessions: Sessions, headers: list[tuple[str, str]], status: int
) -> None:
    """ACC-3."""
    assert sessions.door.call(WRITE, sessions.viewer, headers).status == status


@pytest.mark.parametrize("headers", ORIGINS.values(), ids=ORIGINS)
def test_a_page_of_another_origin_cannot_call_with_a_session(
    sessions: Sessions, headers: list[tuple[str, str]]
) -> None:
    """ACC-1: cross-site request forgery, by an editor's own browser."""
    own = {**UI_HEADERS, "cookie": cookie_header(sessions.editor)}
    pairs = [*own.items(), *((name, value) for name, value in headers if value)]
    answer = sessions.door.request("POST", f"{API}{WRITE}", pairs, b"\0\0\0\0\0")
    assert answer.status == 403, answer


@pytest.mark.parametrize(("lines", "status"), SMUGGLED.values(), ids=SMUGGLED)
def test_a_request_that_can_be_read_in_two_ways_is_not_read(
    sessions: Sessions, lines: str, status: int
) -> None:
    """ACC-3: one request inside another would come past the door's rules (RFC 9112, 11.2)."""
    inner = f"POST {API}{WRITE} HTTP/1.1\r\nhost: {APP}\r\ncontent-length: 0\r\n\r\n"
    cookies = cookie_header(sessions.viewer)
    head = (
        f"POST {API}{WRITE} HTTP/1.1\r\nhost: {APP}\r\norigin: {ORIGIN}\r\ncookie: {cookies}\r\n{lines}\r\n"
    )
    with socket.create_connection(("127.0.0.1", sessions.door.envoy.port), timeout=10) as connection:
        connection.sendall(f"{head}0\r\n\r\n{inner}".encode())
        connection.settimeout(1)
        answer = b""
        # Where the connection stays open, nothing more is said on it.
        with contextlib.suppress(TimeoutError):
            while chunk := connection.recv(65536):
                answer += chunk
    statuses = [int(line.split()[1]) for line in answer.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]
    assert statuses
    assert statuses[0] == status
    assert not {one for one in statuses if one < 400}


NAMES = {
    "a line break": "Ann\r\nx-user-email: boss@example.com",
    "an end of text": "Ann\0",
    "other letters": "Jürgen 王",
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_name_in_a_token_makes_no_header(sessions: Sessions, name: str) -> None:
    """ACC-3: whatever a provider lets people call themselves, the address stays the token's."""
    door = sessions.door
    cookies = door.sign_in({**ANALYST, "groups": ["sales"], "name": name})
    assert door.call(READ, cookies).status in (401, 403)
    path = f"/{quote('files')}"
    assert door.request("GET", path, {"cookie": cookie_header(cookies)}).status in (401, 403)
