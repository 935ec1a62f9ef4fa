"""CORS: the origins the real Envoy accepts are the declared ones (NET-3)."""

from __future__ import annotations

import contextlib
import http.client
import string
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from madeploy.settings import Environment
from madeploy.settings.cors import Cors
from madeploy.settings.domains import Domains
from manifests.cors import cors_policy, origin_matcher
from manifests.envoy_config import bootstrap
from tests.support.environments import environment
from tests.support.envoy import running
from tests.support.grpc_web import connect
from tests.support.proves import proves

BASE = environment()
SETS_AT_ONCE = 25
ROUNDS = 8


def _with_origins(app: str, origins: list[str]) -> Environment:
    cors = Cors.model_validate({"additionalOrigins": origins})
    return BASE.model_copy(update={"cors": cors, "domains": Domains(api="api.example.com", app=app)})


@contextlib.contextmanager
def _envoy_with(environments: list[Environment], directory: Path) -> Iterator[int]:
    """One Envoy with a virtual host `set-<n>` for each environment; gives its port."""
    data = bootstrap(BASE)
    chain = data["static_resources"]["listeners"][0]["filter_chains"][0]
    routes = chain["filters"][0]["typed_config"]["route_config"]
    (host,) = routes["virtual_hosts"]
    routes["virtual_hosts"] = [
        {
            **host,
            "name": f"set-{number}",
            "domains": [f"set-{number}"],
            "typed_per_filter_config": {"envoy.filters.http.cors": cors_policy(made)},
        }
        for number, made in enumerate(environments)
    ]
    with running(data, directory) as started:
        yield started.port


def _accepts(connection: http.client.HTTPConnection, number: int, origin: str) -> bool:
    """Whether a browser would let a page of `origin` call the environment with this number."""
    headers = {"Host": f"set-{number}", "Origin": origin, "Access-Control-Request-Method": "POST"}
    connection.request("OPTIONS", "/michelangelo.api.v2.ProjectService/ListProject", headers=headers)
    response = connection.getresponse()
    response.read()
    # Anything but Envoy's own answer would mean that the request went on to the API server.
    assert response.status == 200, (origin, response.status)
    allowed = response.getheader("access-control-allow-origin")
    return allowed is not None and allowed in ("*", origin)


def _is_label(text: str) -> bool:
    """RFC 1123, written without a pattern: the code under test has one."""
    inner = string.ascii_lowercase + string.digits
    return (
        1 <= len(text) <= 63
        and all(c in inner + "-" for c in text)
        and text[0] in inner
        and text[-1] in inner
    )


def _declared(app: str, declared: list[str], origin: str) -> bool:
    """Whether an origin is declared, decided by cutting strings."""
    for entry in (f"https://{app}", *declared):
        scheme, _, rest = entry.partition("://")
        default = {"https": ":443", "http": ":80"}[scheme]
        rest = rest.removesuffix(default)
        if not rest.startswith("*."):
            if origin == f"{scheme}://{rest}":
                return True
            continue
        start, end = f"{scheme}://", rest[1:]
        if origin.startswith(start) and origin.endswith(end) and _is_label(origin[len(start) : -len(end)]):
            return True
    return False


LABELS = st.one_of(
    st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=6),
    st.sampled_from(["a", "app", "x-y", "xn--bcher-kva", "0", "a" * 63, "api", "app-x"]),
)
HOSTS = st.lists(LABELS, min_size=1, max_size=3).map(lambda labels: ".".join([*labels, "example"]))
ORIGINS = st.one_of(
    st.builds(
        lambda scheme, star, host, port: f"{scheme}://{star}{host}{port}",
        st.sampled_from(["https", "https", "http"]),
        st.sampled_from(["", "", "*."]),
        HOSTS,
        st.sampled_from(["", "", ":443", ":80", ":8443", ":3000"]),
    ),
    st.sampled_from(["http://localhost:5173", "http://localhost", "https://localhost:8443"]),
)
SETS = st.tuples(HOSTS, st.lists(ORIGINS, max_size=3, unique=True))


def _neighbours(entry: str) -> list[str]:
    """Origins that differ from a declared one by what attackers and accidents make of it."""
    scheme, _, rest = entry.partition("://")
    star = rest.startswith("*.")
    rest = rest.removeprefix("*.")
    host, colon, port = rest.partition(":")
    port = colon + port
    other = "http" if scheme == "https" else "https"
    heads = ["", "x.", "a-b.", "0.", f"{'a' * 63}.", f"{'a' * 64}.", "x.y.", "-x.", "x-.", "x_y.", "X.", "*."]
    heads += [".", "..", "x..", "xx@", "x%2e", "xé."]
    found = [f"{scheme}://{head}{host}{port}" for head in heads]
    sub = "x." if star else ""
    found += [
        f"{other}://{sub}{host}{port}",
        f"{scheme}://{sub}{host}:443",
        f"{scheme}://{sub}{host}:80",
        f"{scheme}://{sub}{host}:8443",
        f"{scheme}://{sub}{host}{port}.",
        f"{scheme}://{sub}{host}.{port}",
        f"{scheme}://{sub}{host}{port}/",
        f"{scheme}://{sub}{host}{port}.evil.example",
        f"{scheme}://{sub}{host}evil{port}",
        f"{scheme}://evil{host}{port}",
        f"{scheme}://evil.example/{scheme}://{sub}{host}{port}",
        f"{scheme}://{sub}{host}{port},https://evil.example",
        f"{scheme}://{sub}{host}{port} https://evil.example",
        f"{scheme}://{sub}{host.upper()}{port}",
        f"{scheme.upper()}://{sub}{host}{port}",
        f"{scheme}://{sub}{host.replace('.', 'x')}{port}",
        f"{scheme}://{sub}{host.replace('.', '-', 1)}{port}",
        f"{scheme}://{sub}{host.replace('e', 'é', 1)}{port}",
        f"{scheme}:/{sub}{host}{port}",
        f"//{sub}{host}{port}",
        f"{sub}{host}{port}",
        f"{scheme}://user@{sub}{host}{port}",
        f"{scheme}://{sub}{host}{port}?",
        f"{scheme}://{sub}{host}{port}0",
        f"{scheme}://{sub}{host[1:]}{port}",
        f"{scheme}://*.{host}{port}" if star else f"{scheme}://*",
    ]
    return found


ALWAYS_REFUSED = ["null", "*", "https://", "file://", "https://.*", "chrome-extension://app", "https://[::1]"]


@pytest.mark.whole
@settings(
    max_examples=ROUNDS,
    deadline=None,
    # No shrinking: a failure already names the origin, and each attempt starts an Envoy.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.function_scoped_fixture,
    ],
)
@given(sets=st.lists(SETS, min_size=SETS_AT_ONCE, max_size=SETS_AT_ONCE))
@proves("NET-3")
def test_the_real_envoy_accepts_exactly_the_declared_origins(
    sets: list[tuple[str, list[str]]], tmp_path: Path
) -> None:
    """NET-3: 200 random sets, each with its entries and their neighbours."""
    made = [_with_origins(app, origins) for app, origins in sets]
    wrong = []
    with _envoy_with(made, tmp_path) as port, contextlib.closing(connect(port)) as connection:
        for number, (app, origins) in enumerate(sets):
            asked = {*ALWAYS_REFUSED}
            for entry in (f"https://{app}", *origins):
                asked |= {entry, *_neighbours(entry)}
            for origin in sorted(asked):
                expected = _declared(app, origins, origin)
                if _accepts(connection, number, origin) != expected:
                    wrong.append((app, origins, origin, "refused" if expected else "accepted"))
    assert wrong == []


EXAMPLES = {
    "https://app.ml.example.com": True,
    "https://studio.example.com": True,
    "https://studio.example.com:443": False,
    "https://studio.example.com:8443": False,
    "http://studio.example.com": False,
    "https://Studio.example.com": False,
    "https://studio.example.com.": False,
    "https://studioXexample.com": False,
    "https://studio.example.com.evil.example": False,
    "https://xn--bcher-kva.example": True,
    "https://b\u00fccher.example": False,
    "http://localhost:5173": True,
    "http://localhost:5174": False,
    "http://localhost": False,
    "https://pr-7.preview.example.com": True,
    "https://preview.example.com": False,
    "https://a.b.preview.example.com": False,
    "https://-.preview.example.com": False,
    "https://.preview.example.com": False,
    "null": False,
}


def test_the_forms_operators_ask_about_are_told_apart(tmp_path: Path) -> None:
    """NET-3: ports, scheme, case, trailing dots, IDN, sub-domains, `null`."""
    declared = [
        "https://studio.example.com:443",
        "https://xn--bcher-kva.example",
        "http://localhost:5173",
        "https://*.preview.example.com",
    ]
    made = _with_origins("app.ml.example.com", declared)
    with _envoy_with([made], tmp_path) as port, contextlib.closing(connect(port)) as connection:
        assert {origin: _accepts(connection, 0, origin) for origin in EXAMPLES} == EXAMPLES


@pytest.mark.parametrize(
    "text",
    [
        "*",
        "null",
        "https://*",
        "https://*.",
        "https://.*",
        "https://a.example.com/",
        "https://a.example.com/path",
        "https://a.*.example.com",
        "https://a*.example.com",
        "https://[a-z]+.example.com",
        "https://app\\.example\\.com",
        "https://user@example.com",
        "https://b\u00fccher.example",
        "https://a.example.com.",
        "https://a.example.com:0",
        "https://a.example.com:65536",
        "https://a.example.com\nx",
        "ftp://a.example.com",
        "a.example.com",
    ],
)
def test_what_is_no_origin_never_becomes_a_matcher(text: str) -> None:
    """NET-3: patterns above all (V11)."""
    with pytest.raises(ValueError, match=r".+"):
        origin_matcher(text)


def test_only_the_wildcard_form_becomes_a_pattern() -> None:
    """NET-3."""
    assert origin_matcher("https://a.example.com") == {"exact": "https://a.example.com"}
    assert origin_matcher("https://a.example.com:8443") == {"exact": "https://a.example.com:8443"}
    pattern = origin_matcher("https://*.example.com")["safe_regex"]["regex"]
    assert pattern.endswith(r"\.example\.com")


def test_credentials_are_allowed_only_when_settings_say_so() -> None:
    """NET-2."""
    assert cors_policy(BASE)["allow_credentials"] is False
    allowed = BASE.model_copy(update={"cors": Cors(allow_credentials=True)})
    assert cors_policy(allowed)["allow_credentials"] is True
