"""A run of checks as text, JSON, JUnit, SARIF and one HTML page: the same content in each."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from madeploy.findings import find
from madeploy.findings.junit import to_junit
from madeploy.findings.outcomes import Outcome, Report, outcome_of
from madeploy.findings.overview import checks
from madeploy.findings.page import to_html
from madeploy.findings.sarif import to_sarif
from tests.support.proves import proves

HOSTILE = "<script>alert(1)</script> & \"quoted\" 'too' ]]> \x00\x1b[31m \ud800 ünïcode"
FIX = "Log in again, then:\nkubectl --context hub get nodes\npulumi up --stack prod"


def report(evidence: str = "nothing listens at its port") -> Report:
    refused = find("MA431", "hub", evidence, fix=FIX)
    store = find("MA457", "store", "does not answer")
    return Report(
        "doctor",
        "prod",
        (
            outcome_of("settings", "the stack file", "no findings", 0.25),
            outcome_of("reach", "API servers", [store, refused], 1.5),
            outcome_of("store", "the object store", [store]),
            Outcome("rights", "rights of the deployer", "notChecked", f"hub does not answer: {evidence}"),
            Outcome("aws", "the AWS account", "notNeeded", "nothing is made on AWS"),
        ),
        {"Kubernetes": "1.34.1", "note": evidence},
        datetime(2026, 11, 29, 3, 0, tzinfo=timezone.utc),
        2.0,
    )


def test_the_text_names_every_failure_before_it_explains_one() -> None:
    """UX-3, UX-8: one line a finding on the first screen, what could not be checked with its reason."""
    text = checks(report())
    first, *rest = text.partition("\n\n")[0].splitlines()
    assert first == "doctor prod: 1 failed, 1 warned, 1 could not be checked, 1 passed, 1 not needed"
    assert rest == [
        "  error MA431 reach: hub: nothing listens at its port",
        "  warning MA457 reach: store: does not answer",
        "  warning MA457 store: store: does not answer",
        "  could not be checked: rights: hub does not answer: nothing listens at its port",
        "  passed: settings",
        "  not needed: aws",
    ]
    assert text.index("why:") > text.index("not needed: aws")
    assert text.splitlines()[-1].startswith("doctor prod: 1 error, 1 warning; 1 failed")


def test_a_report_without_findings_is_short() -> None:
    """UX-3."""
    good = Report("doctor", "prod", (outcome_of("settings", "the stack file", "no findings"),))
    assert checks(good).splitlines() == ["doctor prod: 1 passed", "  passed: settings"]
    assert good.is_good


def test_nothing_counts_as_good_that_was_not_looked_at() -> None:
    """UX-8."""
    assert not Report("doctor", "prod", (Outcome("a", "a", "notChecked", "no login"),)).is_good
    assert Report("doctor", "prod", (Outcome("a", "a", "notNeeded", "none"),)).is_good


def test_a_check_without_words_is_refused() -> None:
    """UX-8: neither what it saw nor what it found."""
    with pytest.raises(ValueError, match="says neither"):
        outcome_of("mute", "x", [])


def test_commands_of_a_fix_are_told_from_its_words() -> None:
    """UX-3: what can be typed as it stands."""
    assert find("MA431", "x", "y", fix=FIX).commands == (
        "kubectl --context hub get nodes",
        "pulumi up --stack prod",
    )
    assert find("MA431", "x", "y", fix="Ask your administrator.").commands == ()


def test_json_has_every_check_with_state_time_and_findings() -> None:
    """UX-2, UX-8."""
    data = json.loads(json.dumps(report().to_data()))
    assert [item["state"] for item in data["checks"]] == [
        "passed",
        "failed",
        "warned",
        "notChecked",
        "notNeeded",
    ]
    assert data["checks"][1]["findings"][0]["code"] == "MA431"
    assert data["verdict"].startswith("1 failed")


@pytest.mark.parametrize("evidence", ["nothing listens at its port", HOSTILE], ids=["plain", "hostile"])
@proves("UX-8")
def test_junit_has_one_case_a_check_and_skips_what_was_not_looked_at(evidence: str) -> None:
    """UX-8: well-formed whatever a server says."""
    suites = ElementTree.fromstring(to_junit(report(evidence)).encode("utf-8"))
    (suite,) = suites
    assert suite.attrib["tests"] == "5"
    assert (suite.attrib["failures"], suite.attrib["skipped"]) == ("1", "2")
    cases = {case.attrib["name"].partition(":")[0]: [child.tag for child in case] for case in suite[1:]}
    assert cases == {
        "settings": ["system-out"],
        "reach": ["failure"],
        "store": ["system-out"],
        "rights": ["skipped"],
        "aws": ["skipped"],
    }
    failure = suite.find("testcase/failure")
    assert failure is not None
    assert failure.attrib["type"] == "MA431 MA457"
    assert "pulumi up --stack prod" in (failure.text or "")


def test_sarif_says_what_could_not_be_checked() -> None:
    """UX-8: SARIF 3.20.21, notifications of the run."""
    given = report()
    unseen = [f"{item.check}: {item.detail}" for item in given.outcomes if item.state == "notChecked"]
    (run,) = json.loads(to_sarif(given.findings, "1.0", unseen))["runs"]
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    (note,) = invocation["toolExecutionNotifications"]
    assert note["message"]["text"].startswith("rights: hub does not answer")
    assert len(run["results"]) == 2


class _Page(HTMLParser):
    """What a browser would make of a page: its elements, balanced, and its text."""

    void = ("meta", "br")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.void:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data if self.open[-1:] != ["style"] else ""


@pytest.mark.parametrize("evidence", ["nothing listens at its port", HOSTILE], ids=["plain", "hostile"])
@proves("UX-8")
def test_the_page_stands_by_itself_and_shows_everything(evidence: str) -> None:
    """UX-8: no script, nothing fetched, no markup of others; every finding, check and fact."""
    text = to_html(report(evidence))
    page = _Page()
    page.feed(text)
    assert page.open == []
    names = {tag for tag, _ in page.tags}
    assert not names & {"script", "link", "img", "iframe", "a"}
    assert not [attributes for _, attributes in page.tags if {"src", "href", "onclick"} & attributes.keys()]
    assert any("default-src 'none'" in str(attributes.get("content")) for _, attributes in page.tags)
    for said in (evidence, "MA431", "MA457", "could not be checked", "Kubernetes", *FIX.splitlines()):
        assert said in page.text


def test_the_page_follows_width_and_colour_scheme() -> None:
    """UX-8: narrow and wide, light and dark."""
    text = to_html(report())
    assert "prefers-color-scheme: dark" in text
    assert "max-width: 40rem" in text
    assert 'name="viewport"' in text


def test_a_line_of_the_first_screen_names_its_cluster_once() -> None:
    """UX-3: by its check, where that is of one cluster."""
    gone = outcome_of("objects/hub", "objects", [find("MA936", "hub: Service ns/a", "is not there")])
    (_, line, *_) = checks(Report("verify", "prod", (gone,))).splitlines()
    assert line == "  error MA936 objects/hub: Service ns/a: is not there"
