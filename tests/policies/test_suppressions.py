"""Exceptions: for one rule, some objects, with a reason, until a day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from pydantic import ValidationError

from madeploy.settings.policies import Suppression as Setting
from policies.rules.evaluation import Outcome
from policies.rules.model import Resource
from policies.rules.suppressions import ANNOTATION, Suppression
from tests.policies.cases.shape import DEPLOYMENT, MAIN, put
from tests.policies.world import TODAY, change, found, good

RULE = "read-only-root"
SUBJECT = "Deployment/ma-system/michelangelo-apiserver"
REASON = "It writes its cache beside its program."


def broken() -> list[Resource]:
    """A platform that breaks one rule in one object."""
    resources = good()
    mutate = put(*MAIN, "securityContext", "readOnlyRootFilesystem", to=False)
    change(resources, DEPLOYMENT, "apiserver", mutate)
    return resources


def suppression(**given: object) -> Suppression:
    one = Suppression(RULE, SUBJECT, REASON, TODAY, "here")
    return replace(one, **given)  # type: ignore[arg-type]


def run(*items: Suppression) -> Outcome:
    return found(broken(), suppressions=items)


@pytest.mark.parametrize(
    "given",
    [{}, {"rule": "MA518"}, {"object": "Deployment/*"}, {"object": "*"}, {"expires": TODAY + timedelta(365)}],
)
def test_a_suppression_hides_what_it_names_through_its_last_day(given: dict[str, object]) -> None:
    """CARD-1: by the rule's name or code, the object or a pattern."""
    outcome = run(suppression(**given))
    assert (outcome.found, outcome.expired, outcome.unused) == ([], [], [])
    assert [one.reason for _, one in outcome.suppressed] == [REASON]


def test_an_expired_suppression_hides_nothing_and_is_said() -> None:
    """CARD-1: the violation is back, and why."""
    item = suppression(expires=TODAY - timedelta(1))
    outcome = run(item)
    assert [one.rule.name for one in outcome.found] == [RULE]
    assert outcome.expired == [item]


@pytest.mark.parametrize(
    "given", [{"object": "Deployment/other"}, {"rule": "no-host-paths"}, {"rule": "none-such"}]
)
def test_a_suppression_that_hides_nothing_is_said(given: dict[str, object]) -> None:
    """CARD-1: it would hide the next violation, which nobody has looked at."""
    item = suppression(**given)
    outcome = run(item)
    assert [one.rule.name for one in outcome.found] == [RULE]
    assert outcome.unused == [item]


@pytest.mark.parametrize(
    ("value", "hidden", "malformed"),
    [
        (f"{TODAY} {REASON}", True, 0),
        (f"{TODAY - timedelta(1)} {REASON}", False, 0),
        (f"{TODAY} no", False, 1),
        (f"soon {REASON}", False, 1),
        ("2026-1-1 it is only for a while", False, 1),
        ("", False, 1),
    ],
)
def test_an_annotation_suppresses_for_its_own_object(value: str, hidden: bool, malformed: int) -> None:
    """CARD-1, UX-3: a last day and a reason, or it is named as unusable."""
    resources = broken()
    change(resources, DEPLOYMENT, "apiserver", put("metadata", "annotations", ANNOTATION + RULE, to=value))
    outcome = found(resources)
    assert bool(outcome.found) is not hidden
    assert len(outcome.malformed) == malformed


@pytest.mark.parametrize(
    "wrong",
    [
        {"reason": "short"},
        {"expires": "tomorrow"},
        {"expires": "2027-02-30"},
        {"expires": "20270301"},
        {"object": "everything"},
        {"rule": "No Such Form"},
        {"owner": "me"},
    ],
)
def test_a_setting_without_reason_or_day_is_refused(wrong: dict[str, str]) -> None:
    """CARD-5, UX-3."""
    right = {"rule": RULE, "object": SUBJECT, "reason": REASON, "expires": "2027-03-31"}
    assert Setting.model_validate(right).expires == str(date(2027, 3, 31))
    with pytest.raises(ValidationError):
        Setting.model_validate({**right, **wrong})


@pytest.mark.parametrize(
    ("tier", "severity"), [("development", "warning"), ("staging", "error"), ("production", "error")]
)
def test_a_rule_weighs_what_its_tier_says(tier: str, severity: str) -> None:
    """CARD-1: what production refuses, development reports."""
    assert [item.severity for item in found(broken(), tier).found] == [severity]  # type: ignore[arg-type]


def test_what_only_matters_in_production_is_not_said_in_development() -> None:
    """CARD-1: one replica is an outage for users, and nothing to a developer."""
    resources = good()
    change(resources, DEPLOYMENT, "apiserver", put("spec", "replicas", to=1))
    assert [item.severity for item in found(resources, "production").found] == ["error"]
    assert [item.severity for item in found(resources, "staging").found] == ["warning"]
    assert found(resources, "development").found == []
