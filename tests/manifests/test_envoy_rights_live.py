"""For random rule sets, what the real Envoy admits is what the settings declare: every caller, every method,
at both doors."""

from __future__ import annotations

import itertools
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import grpc
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from madeploy.names.methods import REFLECTION, reading, writing
from tests.support.environments import environment
from tests.support.front import API_AUDIENCE, front, lock_settings, login_settings
from tests.support.oidc import ISSUER
from tests.support.proves import proves

pytestmark = pytest.mark.whole

RELEASE = environment().release
READING, WRITING = reading(RELEASE), writing(RELEASE)
METHODS = (*READING[::9], *WRITING[::17], REFLECTION[1], "/michelangelo.api.v2.ProjectService/GetProjects")
GROUPS, TEAMS = ("a", "ab", "A", "ä 'b\"", "1e3", "null"), ("x", "y")
"""Texts among them that are none to some readers of YAML."""

ADDRESSES = {"203.0.113.5": True, "203.0.113.77": False, "198.51.100.7": False}
"""Addresses, and whether the network that a rule set may trust has them."""

CALLERS = st.builds(
    lambda groups, teams: {"groups": groups, "teams": teams},
    st.lists(st.sampled_from(GROUPS), max_size=2, unique=True),
    st.lists(st.sampled_from(TEAMS), max_size=1),
)
KNOWN = st.builds(
    lambda groups, teams: {"groups": groups, "claims": {"teams": teams} if teams else {}},
    st.lists(st.sampled_from(GROUPS), max_size=2, unique=True),
    st.lists(st.sampled_from(TEAMS), max_size=1),
)


def _fits(caller: Mapping[str, Any], known: Mapping[str, Any]) -> bool:
    return bool(set(caller["groups"]) & set(known["groups"])) or bool(
        set(caller["teams"]) & set(known["claims"].get("teams", ()))
    )


def _declared(caller: Mapping[str, Any], rules: Mapping[str, Any], readable: set[str]) -> set[str]:
    """Methods that a rule set gives a caller: said once more, in the plainest words."""
    if _fits(caller, rules["editors"]):
        return set(METHODS)
    return readable & set(METHODS) if _fits(caller, rules["viewers"]) else set()


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    rules=st.fixed_dictionaries({"viewers": KNOWN, "editors": KNOWN}),
    trusting=st.booleans(),
    callers=st.lists(CALLERS, min_size=3, max_size=3),
)
@proves("OPS-1", "ACC-1", "ACC-2", "ACC-3", played="the front door, the identity provider")
def test_what_is_admitted_is_what_is_declared(
    rules: dict[str, Any], trusting: bool, callers: list[dict[str, Any]]
) -> None:
    """ACC-1, ACC-2, ACC-3."""
    lock = lock_settings(trustedCidrs=["203.0.113.0/28"] if trusting else [])
    lock["tokens"] |= rules
    made = environment(access={"browser": login_settings(**rules), "api": lock})
    with tempfile.TemporaryDirectory() as folder, front(Path(folder), made) as door:
        calls = door.recorded.calls

        def reached(before: int) -> bool:
            return len(calls) > before

        for caller in callers:
            own = {"iss": ISSUER, "aud": API_AUDIENCE, "exp": int(time.time()) + 600, **caller}
            token = {"authorization": f"Bearer {door.provider.keys[-1].token(own)}"}
            cookies = door.sign_in(caller)
            admitted, by_token = set(), set()
            for method in METHODS:
                before = len(calls)
                answer = door.call(method, cookies)
                assert (answer.status == 200) == reached(before)
                if reached(before):
                    admitted.add(method)
                before = len(calls)
                status = door.api_call(method, token)
                assert (status is grpc.StatusCode.OK) == reached(before)
                if reached(before):
                    by_token.add(method)
            # The application's host knows the API's own services only.
            own_services = {path for path in METHODS if path.startswith("/michelangelo.api.v2.")}
            assert admitted == _declared(caller, rules, set(READING)) & own_services
            assert by_token == _declared(caller, rules, {*READING, *REFLECTION})
        for (address, inside), method in itertools.product(ADDRESSES.items(), METHODS):
            before = len(calls)
            door.api_call(method, address=address)
            assert reached(before) == (trusting and inside)
