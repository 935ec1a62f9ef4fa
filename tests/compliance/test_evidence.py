"""Evidence: every control of the chosen frameworks, with what shows it and what does not."""

from __future__ import annotations

import csv
import datetime
import io
import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from madeploy.compliance import forms
from madeploy.compliance.evidence import Evidence, collect
from madeploy.compliance.live import Answer
from madeploy.policy import sources
from madeploy.policy.service_files import EVERY_RULE
from madeploy.rules.controls import CONTROLS, Question
from madeploy.rules.controls_shown import MANUAL
from madeploy.settings import Environment
from madeploy.settings.compliance import Framework
from policies.rules.evaluation import evaluate
from tests.support.environments import environment
from tests.support.frameworks import KEPT, stack
from tests.support.proves import proves

NOW = datetime.datetime(2027, 3, 1, 12, 0, tzinfo=datetime.timezone.utc)


def kept(question: Question, _: Environment) -> tuple[Answer, ...]:
    return (Answer(f"something {question}", "as it should be", True),)


def evidence(sections: dict[str, Any], ask: Any = None) -> Evidence:
    """Evidence of an environment with these sections."""
    chosen = environment(**sections)
    source = sources.of_stack("prod", Path("Pulumi.prod.yaml"), chosen)
    outcome = evaluate(EVERY_RULE, source.resources, "production", source.suppressions, NOW.date())
    return collect("prod", chosen, (source.resources, outcome), ask, NOW, "1.0")


@proves("OPS-4")
@pytest.mark.parametrize("framework", KEPT)
def test_a_stack_that_keeps_a_framework_passes_every_control(framework: Framework) -> None:
    """OPS-4: and what no software shows stays manual, whatever the rest says."""
    found = evidence(stack(framework), kept)
    by_result = {row.control: row.result for row in found.rows}
    manual = {item.name for item in MANUAL if framework in item.clauses}
    assert {name for name, result in by_result.items() if result == "manual"} == manual
    assert manual
    others = {name: result for name, result in by_result.items() if name not in manual}
    assert set(others.values()) == {"passed"}, found.rows
    assert set(others) == {item.name for item in CONTROLS if framework in item.clauses}


def test_what_was_not_asked_is_not_passed() -> None:
    """OPS-4: settings alone are a promise."""
    rows = {row.control: row for row in evidence(stack("hipaa")).rows}
    assert rows["encryption-at-rest"].result == "configured"
    assert rows["availability"].result == "passed"
    assert rows["encryption-at-rest"].live == ()


def test_one_answer_or_one_silence_decides() -> None:
    """OPS-4: a live system that contradicts the settings fails the control; one that is silent leaves it."""

    def contradicts(question: Question, _: Environment) -> tuple[Answer, ...]:
        said = {"buckets": False, "doors": None}
        return (Answer("s3://example-a", "AES256", said.get(question, True)),)

    rows = {row.control: row for row in evidence(stack("hipaa"), contradicts).rows}
    assert rows["encryption-at-rest"].result == "failed"
    assert "s3://example-a: AES256" in rows["encryption-at-rest"].reasons
    assert rows["encryption-in-transit"].result == "not shown"


def test_a_question_that_nothing_answers_leaves_the_control_open() -> None:
    """OPS-4: no EKS cluster in the settings is no proof that one logs."""

    def nobody(question: Question, _: Environment) -> tuple[Answer, ...]:
        return () if question == "eks-audit" else kept(question, _)

    rows = {row.control: row for row in evidence(stack("soc2"), nobody).rows}
    assert rows["access-logged"].result == "not shown"
    assert rows["audit-unaltered"].result == "passed"


def test_a_broken_setting_fails_its_control_and_no_other() -> None:
    """OPS-4."""
    rows = evidence(stack("soc2", network={"policies": False}), kept).rows
    failed = {row.control: row for row in rows if row.result == "failed"}
    assert set(failed) == {"network-boundary"}
    assert "network.policies is false" in failed["network-boundary"].reasons
    assert "network.policies: false" in failed["network-boundary"].settings


def test_accepted_violations_are_named() -> None:
    """OPS-4: an exception is shown to the auditor, with the policy it is from."""
    exception = {
        "rule": "MA575",
        "object": "Deployment/*",
        "reason": "One pod is enough for the trial.",
        "expires": "2027-12-31",
    }
    small = {"controlPlane": {"ui": {"replicas": 1}}, "policies": {"suppressions": [exception]}}
    rows = {row.control: row for row in evidence(stack("soc2", **small), kept).rows}
    assert (
        "MA575 several-replicas: no violations, 1 accepted by suppressions" in rows["availability"].policies
    )


def test_every_policy_a_control_names_exists() -> None:
    """OPS-4: a control that leans on a policy nobody runs would always pass."""
    known = {rule.code for rule in EVERY_RULE}
    named = {code for item in CONTROLS for code in item.policies}
    assert named
    assert named <= known


def test_what_a_setting_says_is_told_without_what_it_leaves_empty() -> None:
    """OPS-4."""
    rows = {row.control: row for row in evidence(stack("soc2")).rows}
    logs = "storage.accessLogs: (bucket example-c, create true, expireDays 365)"
    assert rows["access-logged"].settings == (logs,)


def test_json_and_csv_have_every_row() -> None:
    """OPS-4, UX-2."""
    found = evidence(stack("gdpr"), kept)
    data = json.loads(forms.to_json(found))
    assert data["date"] == "2027-03-01T12:00:00+00:00"
    assert [row["control"] for row in data["rows"]] == [row.control for row in found.rows]
    lines = list(csv.DictReader(io.StringIO(forms.to_csv(found))))
    assert [line["control"] for line in lines] == [row.control for row in found.rows]
    assert {line["result"] for line in lines} == {row.result for row in found.rows}
    assert all(line["stack"] == "prod" and line["date"] == "2027-03-01" for line in lines)


class Page(HTMLParser):
    """Texts of a page and its tags, to see that they are closed."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.open: list[str] = []
        self.scripts = 0

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.scripts += tag == "script"
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_the_page_has_every_control_and_nothing_of_a_value_is_markup() -> None:
    """OPS-4, UX-2: names come from stack files."""
    hostile = {"clusters": {}, "controlPlane": {"kubeconfigContext": "<script>alert(1)</script>"}}
    found = evidence(stack("hipaa", **hostile), kept)
    page = Page()
    page.feed(forms.to_html(found))
    assert page.open == []
    assert page.scripts == 0
    text = " ".join(page.texts)
    for row in found.rows:
        assert row.title in text
        assert row.clauses in text
    assert "2027-03-01 12:00:00 UTC" in text
