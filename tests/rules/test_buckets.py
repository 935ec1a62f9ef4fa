"""Lifecycle transitions: lists of them, judged as S3 judges them."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from madeploy.rules.buckets import lifecycle_rules_are_ones_s3_takes
from madeploy.rules.model import Violation
from tests.rules.cases.sections import aws, lifecycle, moves
from tests.support.environments import environment

CHAINS = [
    ("STANDARD_IA", "INTELLIGENT_TIERING", "ONEZONE_IA"),
    ("STANDARD_IA", "INTELLIGENT_TIERING", "GLACIER_IR"),
    ("STANDARD_IA", "ONEZONE_IA"),
    ("STANDARD_IA", "GLACIER_IR"),
    ("INTELLIGENT_TIERING", "GLACIER_IR"),
    ("INTELLIGENT_TIERING", "ONEZONE_IA"),
    ("GLACIER_IR",),
    ("ONEZONE_IA",),
]
"""Every way that S3's waterfall leaves, the longest ones (Amazon S3 User Guide, supported transitions)."""

REFUSED_PAIRS = [
    ("INTELLIGENT_TIERING", "STANDARD_IA"),
    ("ONEZONE_IA", "STANDARD_IA"),
    ("ONEZONE_IA", "INTELLIGENT_TIERING"),
    ("ONEZONE_IA", "GLACIER_IR"),
    ("GLACIER_IR", "STANDARD_IA"),
    ("GLACIER_IR", "INTELLIGENT_TIERING"),
    ("GLACIER_IR", "ONEZONE_IA"),
]

Steps = list[tuple[int, str]]


def found(steps: Steps, **more: Any) -> list[Violation]:
    storage = aws() | lifecycle("models", transitions=moves(*steps), **more)
    return list(lifecycle_rules_are_ones_s3_takes(environment(storage=storage), {}))


@st.composite
def accepted(draw: st.DrawFn) -> Steps:
    """Transitions that S3 takes, built from what it says, in any order of the list."""
    chain = draw(st.sampled_from(CHAINS))
    day, steps, before = 0, [], ""
    for name in chain:
        day += draw(st.integers(0, 300))
        if before in ("STANDARD_IA", "ONEZONE_IA"):
            day += 30
        elif before:
            day += 1
        if name in ("STANDARD_IA", "ONEZONE_IA"):
            day = max(day, 30)
        steps.append((day, name))
        before = name
    random.Random(draw(st.integers())).shuffle(steps)
    return steps


@given(accepted())
def test_what_s3_takes_is_taken_in_any_order_of_the_list(steps: Steps) -> None:
    """MR-1: order is that of the days, not that of the lines."""
    assert not [item.evidence for item in found(steps) if item.code == "MA323"]


@given(st.sampled_from(REFUSED_PAIRS), st.integers(30, 400), st.integers(30, 400), st.booleans())
def test_no_object_goes_back_up(pair: tuple[str, str], first: int, later: int, turned: bool) -> None:
    """MR-1: whatever lies between the two, and in whichever line they stand."""
    steps: Steps = [(first, pair[0]), (first + later, pair[1])]
    (one,) = found(steps[::-1] if turned else steps)
    assert (one.code, one.path[-1]) == ("MA323", "storageClass")
    assert pair[0] in one.evidence
    assert pair[1] in one.evidence


@given(accepted(), st.data())
def test_a_class_is_entered_once(steps: Steps, data: st.DataObject) -> None:
    """MR-1: S3 refuses a second transition to a class, however much later."""
    _, name = data.draw(st.sampled_from(steps))
    again = (max(day for day, _ in steps) + data.draw(st.integers(1, 400)), name)
    assert [item.evidence for item in found([*steps, again]) if "a second time" in item.evidence]


@given(
    st.sampled_from(["INTELLIGENT_TIERING", "ONEZONE_IA", "GLACIER_IR"]),
    st.integers(0, 29),
    st.integers(30, 99),
)
def test_infrequent_access_is_left_after_thirty_days(name: str, short: int, day: int) -> None:
    """MR-1: the distance between two transitions, not the day of each."""
    assert [item.path[-1] for item in found([(day, "STANDARD_IA"), (day + short, name)])] == ["days"]
    assert not [item for item in found([(day, "STANDARD_IA"), (day + 30, name)]) if item.code == "MA323"]


@given(
    st.sampled_from([("STANDARD_IA", 30), ("ONEZONE_IA", 30), ("GLACIER_IR", 90)]),
    st.integers(30, 300),
    st.integers(1, 120),
    st.integers(1, 30),
)
def test_a_stay_shorter_than_what_is_paid_for_is_reported(
    paid: tuple[str, int], day: int, stay: int, kept: int
) -> None:
    """MR-1: expired objects stay on as versions, which counts."""
    name, minimum = paid
    said = found([(day, name)], expireDays=day + stay, noncurrentDays=kept)
    assert [item.code for item in said] == (["MA331"] if stay + kept < minimum else [])


def test_tiering_by_itself_has_no_minimum() -> None:
    """MR-1: what the finding advises is not reported in its turn."""
    assert found([(0, "INTELLIGENT_TIERING")], expireDays=1, noncurrentDays=1) == []
