"""Hostile requests against the real Envoy: each is refused with the right status, and none reaches the API
server, whose calls are counted."""

from __future__ import annotations

import base64
import contextlib
import hmac
import json
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest
from cryptography.hazmat.primitives import serialization

from tests.support.front import APP, FILES, ORIGIN, Front, cookie_header, front, store
from tests.support.grpc_web import UI_HEADERS
from tests.support.oidc import CLIENT, ISSUER, Key, encoded, unsigned
from tests.support.proves import proves

pytestmark = pytest.mark.whole

ANALYST: dict[str, Any] = {"groups": ["analysts"], "email": "ann@example.com", "name": "Ann", "sub": "ann"}
ENGINEER: dict[str, Any] = {
    "groups": ["ml-platform"],
    "email": "eve@example.com",
    "name": "Eve",
    "sub": "eve",
}
READ, WRITE = "ProjectService/GetProject", "ProjectService/DeleteProject"
API = "/michelangelo.api.v2."
HMAC, EXPIRES, ID, REFRESH = (f"__Host-michelangelo-{end}" for end in ("hmac", "expires", "id", "refresh"))


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


def _claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    own = {"iss": ISSUER, "aud": CLIENT, "iat": now, "exp": now + 3600, **ENGINEER}
    return {name: value for name, value in (own | changes).items() if value is not None}


def _by_public_key(key: Key) -> str:
    """HMAC with the public key as its secret, for verifiers that let the token choose the algorithm."""
    public = key.private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    text = unsigned({"alg": "HS256", "kid": key.kid}, _claims())
    return f"{text}.{encoded(hmac.digest(public, text.encode(), 'sha256'))}"


def _altered(key: Key) -> str:
    """Claims of an editor under the signature of a viewer's token."""
    head, _, signature = key.token(_claims(groups=["analysts"])).split(".")
    return f"{head}.{encoded(json.dumps(_claims()).encode())}.{signature}"


TOKENS: Mapping[str, Callable[[Key], str]] = {
    "of another audience": lambda key: key.token(_claims(aud="grafana")),
    "of other audiences": lambda key: key.token(_claims(aud=["grafana", f"{CLIENT}-dev"])),
    "without an audience": lambda key: key.token(_claims(aud=None)),
    "of another issuer": lambda key: key.token(_claims(iss="https://login.example.com/realms/other")),
    "of an issuer with a slash more": lambda key: key.token(_claims(iss=f"{ISSUER}/")),
    "without an issuer": lambda key: key.token(_claims(iss=None)),
    "expired": lambda key: key.token(_claims(exp=int(time.time()) - 60)),
    "without an end": lambda key: key.token(_claims(exp=None)),
    "not valid yet": lambda key: key.token(_claims(nbf=int(time.time()) + 600)),
    "unsigned": lambda key: unsigned({"alg": "none", "kid": key.kid}, _claims()) + ".",
    "unsigned in capitals": lambda key: unsigned({"alg": "NONE", "kid": key.kid}, _claims()) + ".",
    "unsigned without a word": lambda key: unsigned({"kid": key.kid}, _claims()) + ".",
    "signed by the public key": _by_public_key,
    "signed by a key of the same name": lambda key: Key(kid=key.kid).token(_claims()),
    "signed by a key nobody knows": lambda key: Key().token(_claims()),
    "with a key of its own": lambda key: Key(kid="mine").token(_claims(), jwk=Key(kid="mine").public()),
    "with an address for its key": lambda key: Key(kid="mine").token(_claims(), jku="https://evil.example/k"),
    "with a path for its key": lambda key: Key(kid="../../etc/passwd").token(_claims()),
    "with half a signature": lambda key: key.token(_claims())[:-200],
    "with somebody else's claims": _altered,
    "of two parts": lambda key: key.token(_claims()).rpartition(".")[0],
    "of four parts": lambda key: key.token(_claims()) + ".e30",
    "that is none": lambda key: "not-a-token",
}


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
        ID: s.door.provider.keys[-1].token(_claims()),
    },
    "with the token alone": lambda s: {ID: s.editor[ID]},
    "set by a neighbour": lambda s: {name.removeprefix("__Host-"): value for name, value in s.editor.items()},
    "under Envoy's own names": lambda s: {
        "IdToken": s.door.provider.keys[-1].token(_claims()),
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
    query, headers = give(sessions.door.provider.keys[-1].token(_claims()))
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

PATHS: Mapping[str, int] = {
    f"{API}{WRITE}": 403,
    f"/{API}{WRITE}": 403,
    f"{API}ProjectService//DeleteProject": 403,
    f"/.{API}{WRITE}": 403,
    f"/x/..{API}{WRITE}": 403,
    f"{API}ProjectService/GetProject/../DeleteProject": 403,
    f"{API}ProjectService/GetProject/%2e%2e/DeleteProject": 403,
    f"{API}ProjectService/GetProject/.%2e/DeleteProject": 403,
    f"{API}ProjectService/GetProject/%252e%252e/DeleteProject": 403,
    f"{API}ProjectService/%44eleteProject": 403,
    f"{API}ProjectService/Delete%50roject": 403,
    f"/%6dichelangelo.api.v2.{WRITE}": 403,
    f"{API}ProjectService%2fDeleteProject": 400,
    f"{API}ProjectService%2FDeleteProject": 400,
    f"{API}ProjectService%5cDeleteProject": 400,
    f"{API}ProjectService\\DeleteProject": 403,
    f"{API}{WRITE};/GetProject": 403,
    f"{API}{WRITE}?x=/{READ}": 403,
    f"{API}{WRITE}%3f{READ}": 403,
    f"{API}{READ}%00": 400,
    f"{API}{READ}%20": 403,
    f"{API}{READ}/": 403,
    f"{API}{READ}.": 403,
    f"{API}{READ}s": 403,
    f"{API}ProjectService/getproject": 403,
    f"{API}projectservice/GetProject": 403,
    f"{API.upper()}{WRITE}": 403,
    f"{API}ProjectService/deleteproject": 403,
    f"{API}ProjectService/DeleteProjectCollection": 403,
    f"{API}ProjectService/CreateProject": 403,
    f"{API}ProjectService/UpdateProject": 403,
    f"{API}EvaluationReportService/GetEvaluationReport": 403,
    f"{API}Unknown/GetProject": 403,
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo": 403,
    "/michelangelo.api.v1.ProjectService/GetProject": 403,
    f"{API}{WRITE}#/{READ}": 400,
}
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

HEADERS: Mapping[str, tuple[list[tuple[str, str]], int]] = {
    "underscores": ([("x_user_email", "boss@example.com")], 400),
    "another method": ([("x-http-method-override", "GET")], 403),
    "another path": ([("x-original-url", f"{API}{READ}"), ("x-rewrite-url", f"{API}{READ}")], 403),
    "another path, as Envoy says it": ([("x-envoy-original-path", f"{API}{READ}")], 403),
    "a trusted address": ([("x-forwarded-for", "127.0.0.1"), ("x-real-ip", "127.0.0.1")], 403),
    "an internal caller": ([("x-envoy-internal", "true")], 403),
    "claims": ([("x-jwt-payload", encoded(json.dumps({"groups": ["ml-platform"]}).encode()))], 403),
    "a name in capitals": ([("X-USER-EMAIL", "eve@example.com"), ("X-User-Email", "eve@example.com")], 403),
}


@pytest.mark.parametrize(("headers", "status"), HEADERS.values(), ids=HEADERS)
def test_no_header_gives_a_viewer_more(
    sessions: Sessions, headers: list[tuple[str, str]], status: int
) -> None:
    """ACC-3."""
    assert sessions.door.call(WRITE, sessions.viewer, headers).status == status


ORIGINS: Mapping[str, list[tuple[str, str]]] = {
    "none": [("origin", "")],
    "null": [("origin", "null")],
    "another": [("origin", "https://evil.example")],
    "a neighbour": [("origin", "https://docs.ml.example.com")],
    "with more at its end": [("origin", f"{ORIGIN}.evil.example")],
    "another port": [("origin", f"{ORIGIN}:8443")],
    "as plain text of a form": [("origin", "https://docs.ml.example.com"), ("content-type", "text/plain")],
}


@pytest.mark.parametrize("headers", ORIGINS.values(), ids=ORIGINS)
def test_a_page_of_another_origin_cannot_call_with_a_session(
    sessions: Sessions, headers: list[tuple[str, str]]
) -> None:
    """ACC-1: cross-site request forgery, by an editor's own browser."""
    own = {**UI_HEADERS, "cookie": cookie_header(sessions.editor)}
    pairs = [*own.items(), *((name, value) for name, value in headers if value)]
    answer = sessions.door.request("POST", f"{API}{WRITE}", pairs, b"\0\0\0\0\0")
    assert answer.status == 403, answer


SMUGGLED: Mapping[str, tuple[str, int]] = {
    "two lengths": ("content-length: 5\r\ncontent-length: 50\r\n", 400),
    "a length and chunks": ("content-length: 5\r\ntransfer-encoding: chunked\r\n", 400),
    "a negative length": ("content-length: -1\r\n", 400),
    "a length in words": ("content-length: five\r\n", 400),
    "chunks, twice": ("transfer-encoding: chunked, chunked\r\n", 501),
    "another encoding": ("transfer-encoding: xchunked\r\n", 501),
    "a blank before the colon": ("content-length : 5\r\n", 400),
    # One value of one header, which is the viewer's own request.
    "a folded header": ("x-a: b\r\n  x-user-email: boss@example.com\r\ncontent-length: 5\r\n", 403),
    "an end of text": ("x-a: b\0c\r\ncontent-length: 5\r\n", 400),
    "a second host": (f"host: {APP}\r\ncontent-length: 5\r\n", 401),
}


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
