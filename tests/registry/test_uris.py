"""What an artifact URI covers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madeploy.registry.retention.uris import Location, Needed, UriError, parse

KEYS = st.lists(st.sampled_from(["a", "b", "a-b", "", "ab"]), min_size=1, max_size=4).map("/".join)
KEYS = KEYS.filter(lambda key: key.strip("/"))


def covers(location: Location, key: str) -> bool:
    """By the definition."""
    return key == location.key or key.startswith(location.key + "/")


@pytest.mark.parametrize(
    ("uri", "location"),
    [
        ("s3://b-1/models/churn", Location("b-1", "models/churn")),
        ("s3://b-1/models/churn/", Location("b-1", "models/churn")),
        ("s3a://b-1/weights.bin", Location("b-1", "weights.bin")),
        ("s3://b-1/with space/ü", Location("b-1", "with space/ü")),
        ("s3://b-1//leading", Location("b-1", "/leading")),
        ("s3://b-1/twice//", Location("b-1", "twice/")),
        ("s3://b-1/a/../b", Location("b-1", "a/../b")),
    ],
)
def test_a_uri_with_a_key_is_a_location(uri: str, location: Location) -> None:
    """MR-8: keys are taken as they are, a slash at the end says nothing."""
    assert parse(uri) == location


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("s3://bucket", "whole bucket"),
        ("s3://bucket/", "whole bucket"),
        ("s3://bucket//", "whole bucket"),
        ("s3://bucket///", "whole bucket"),
        ("s3:///key", "names no bucket"),
        ("s3://-/key", "names no bucket"),
        ("gs://bucket/key", "no s3:// URI"),
        ("https://bucket.s3.amazonaws.com/key", "no s3:// URI"),
        ("/var/models/churn", "no s3:// URI"),
        ("", "no s3:// URI"),
        ("S3://bucket/key", "no s3:// URI"),
        ("s3://bucket/a\nb", "cannot be seen"),
        ("s3://bucket/\u202egnp", "cannot be seen"),
        ("s3://bucket/" + "k" * 1025, "longer than a key"),
    ],
)
def test_anything_else_is_refused_and_said_why(uri: str, reason: str) -> None:
    """MR-8: above all a whole bucket."""
    with pytest.raises(UriError, match=reason) as error:
        parse(uri)
    assert str(error.value).isprintable()


@given(st.text(max_size=40))
def test_no_text_is_taken_for_a_whole_bucket(text: str) -> None:
    """MR-8: whatever is parsed has a key that narrows what is covered."""
    for uri in (text, f"s3://bucket/{text}", f"s3://{text}"):
        try:
            location = parse(uri)
        except UriError:
            continue
        assert location.key.strip("/")


@given(st.lists(KEYS, max_size=6), KEYS)
def test_an_object_is_needed_exactly_when_a_location_covers_it(keys: list[str], key: str) -> None:
    """MR-8: `path` covers `path/x`, and never `path-x`."""
    needed = Needed()
    for each in keys:
        needed.add(Location("b", each), each)
    covering = {each for each in keys if covers(Location("b", each), key)}
    owner = needed.owner_of("b", key)
    assert (owner in covering) if covering else owner is None
    assert needed.owner_of("other", key) is None


@given(st.lists(KEYS, max_size=6), st.lists(KEYS, max_size=3), KEYS)
def test_a_location_around_a_needed_one_is_known_for_it(first: list[str], later: list[str], key: str) -> None:
    """MR-8: also of locations that are added after the first question."""
    needed = Needed()
    for each in first:
        needed.add(Location("b", each), each)
    needed.below(Location("b", key))
    for each in later:
        needed.add(Location("b", each), each)
    inside = {each for each in (*first, *later) if each.startswith(key + "/")}
    found = needed.below(Location("b", key))
    assert (
        (found is not None and found[0].key in inside and found[1] == found[0].key) if inside else not found
    )
