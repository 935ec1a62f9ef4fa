"""What tokens say of themselves is read; what is no token is named without being shown."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from madeploy.kubeconfigs import tokens


def token(**claims: Any) -> str:
    parts = [json.dumps(part).encode() for part in ({"alg": "none"}, claims)]
    return ".".join([*(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts), "c2ln"])


BOUND = {
    "aud": ["https://kubernetes.default.svc"],
    "exp": 4600,
    "iat": 1000,
    "nbf": 1000,
    "sub": "system:serviceaccount:default:ray-manager",
    "kubernetes.io": {"namespace": "default", "serviceaccount": {"name": "ray-manager", "uid": "u-1"}},
}
LONG_LIVED = {
    "iss": "kubernetes/serviceaccount",
    "kubernetes.io/serviceaccount/namespace": "default",
    "kubernetes.io/serviceaccount/secret.name": "ray-manager-token",
    "kubernetes.io/serviceaccount/service-account.name": "ray-manager",
    "kubernetes.io/serviceaccount/service-account.uid": "u-1",
    "sub": "system:serviceaccount:default:ray-manager",
}


def test_a_bound_token_says_how_old_it_is_and_how_long_it_is_good_for() -> None:
    """REG-8, REG-9."""
    found = tokens.claims(token(**BOUND))
    assert (found.age(1600), found.left(1600), found.left(5000)) == (600, 3000, -400)
    assert (found.account_uid, found.secret) == ("u-1", None)
    assert found.subject == "system:serviceaccount:default:ray-manager"
    assert found.audiences == ("https://kubernetes.default.svc",)


def test_a_long_lived_token_names_its_secret_and_says_nothing_of_time() -> None:
    """REG-8, REG-9."""
    found = tokens.claims(token(**LONG_LIVED))
    assert (found.age(1600), found.left(1600)) == (None, None)
    assert (found.account_uid, found.secret) == ("u-1", "ray-manager-token")


@pytest.mark.parametrize(
    ("text", "defect"),
    [
        ("", "is empty"),
        (token(**BOUND) + "\n", "white space"),
        ("\r\n" + token(**BOUND), "white space"),
        ("hunter2", "three parts"),
        (base64.b64encode(token(**BOUND).encode()).decode(), "three parts"),
        ("AAAA.AAAA.AAAA", "not JSON"),
        ("e30.W10.AAAA", "not JSON"),
    ],
    ids=["empty", "line-end", "line-start", "password", "base64-twice", "binary", "list"],
)
def test_what_is_no_token_is_named_without_being_shown(text: str, defect: str) -> None:
    """REG-5, REG-11, UX-3."""
    said = tokens.defect(text)
    assert defect in said
    assert not text.strip() or text.strip() not in said


def test_a_token_has_no_defect() -> None:
    """REG-5."""
    assert tokens.defect(token(**BOUND)) == tokens.defect(token(**LONG_LIVED)) == ""


@given(st.text(max_size=60))
def test_no_text_makes_the_reader_fail(text: str) -> None:
    """REG-11: it is refused by a phrase, or it has claims."""
    if not tokens.defect(text):
        assert tokens.claims(text).subject is not None


@settings(max_examples=40)
@given(
    st.dictionaries(
        st.sampled_from([*BOUND, *LONG_LIVED]),
        st.one_of(st.none(), st.text(), st.integers(), st.lists(st.text())),
    )
)
def test_no_claims_make_the_reader_fail(claims: dict[str, Any]) -> None:
    """REG-11: whatever type a claim has."""
    found = tokens.claims(token(**claims))
    assert found.left(0) is None or isinstance(found.left(0), float)
