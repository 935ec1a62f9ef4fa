"""Every text that is known leads to its cause: each row of the guides' tables by a line as it is printed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madeploy.findings import CODES
from madeploy.findings.codes.symptoms import SYMPTOMS as CODES_OF_SYMPTOMS
from madeploy.findings.symptoms import LONGEST_LINE, SYMPTOMS, Symptom, Where, diagnosed, told_by
from madeploy.reference.troubleshooting import troubleshooting_reference
from tests.support.proves import proves

WHERE = Where("hub", "gpu", "ma-system", "prod")


def rows(start: str) -> list[str]:
    """Numbers of the rows that begin so, without what tells variants of one row apart."""
    found = [
        re.sub(r" \(.*\)", "", symptom.row.removeprefix(start))
        for symptom in SYMPTOMS
        if symptom.row.startswith(start)
    ]
    return list(dict.fromkeys(found))


@proves("OPS-8")
@proves("MR-10")
@proves("REG-11")
@pytest.mark.parametrize("symptom", SYMPTOMS, ids=[f"{symptom.code}-{symptom.row}" for symptom in SYMPTOMS])
def test_a_line_as_it_is_printed_leads_to_its_cause(symptom: Symptom) -> None:
    """OPS-8, MR-10, REG-11: by its code, with words of the line, and commands that are whole."""
    told = told_by(symptom.example)
    assert told is not None
    assert told[0] is symptom, f"{told[0].row} is told in its place"
    (finding,) = diagnosed(["nothing here", f"2026-11-29T03:00:00Z ERROR {symptom.example}"], WHERE) or [None]
    assert finding is not None
    assert finding.code == symptom.code
    assert finding.subject == "line 2"
    assert not re.search(r"[{}]|\?", finding.evidence)
    assert "{{" not in finding.fix
    assert not re.search(r"\{(hub|compute|namespace|stack)\}", finding.fix)
    assert finding.fix


def test_every_row_of_the_guides_tables_is_there() -> None:
    """MR-10, REG-11: seven of the registry's, five of the registration's, none empty."""
    assert rows("model-registry guide, troubleshooting ") == [str(number) for number in range(1, 8)]
    assert rows("registration guide, troubleshooting ") == [str(number) for number in range(1, 6)]


def test_every_difference_that_is_cited_is_one_of_the_platforms() -> None:
    """OPS-8: rows of docs/platform.md, 2.3, that show at run time."""
    page = (Path(__file__).parents[2] / "docs" / "platform.md").read_text(encoding="utf-8")
    there = set(
        re.findall(r"^\| (\d+) \|", page.partition("### 2.3 ")[2].partition("### 2.4 ")[0], re.MULTILINE)
    )
    cited = set(rows("differences "))
    assert cited <= there
    assert len(cited) >= 17


def test_every_code_of_a_symptom_is_told_by_one_or_by_what_is_live() -> None:
    """UX-8."""
    told = {symptom.code for symptom in SYMPTOMS}
    assert told <= CODES.keys()
    assert CODES_OF_SYMPTOMS.keys() - {"MA999"} <= told


def test_commands_are_filled_with_the_stack_and_stand_for_themselves_without_one() -> None:
    """UX-3."""
    line = "the server has asked for the client to provide credentials"
    (with_stack,), (without,) = (list(diagnosed([line], where)) for where in (WHERE, Where()))
    assert with_stack.commands == ("bin/madeploy clusters rotate NAME --stack prod",)
    assert without.commands == ("bin/madeploy clusters rotate NAME --stack STACK",)


def test_a_cause_is_said_once_however_often_a_log_repeats_it() -> None:
    """UX-3: with the first line that tells it; another cause is another finding."""
    lines = ["ok", "connect: dial tcp 10.0.0.1:443: connect: connection refused"] * 50
    lines.append("dial tcp 10.0.0.2:443: connect: connection refused")
    found = list(diagnosed(lines, WHERE))
    assert [(finding.code, finding.subject) for finding in found] == [
        ("MA431", "line 2"),
        ("MA431", "line 101"),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "",
        "reconciled rayclusters default/a in 3ms",
        "GET /healthz 200",
        "pulling image ghcr.io/michelangelo-ai/worker:0.12.0",
        "field validation passed",
        "1/1 pods are ready",
    ],
)
def test_what_is_well_is_no_symptom(line: str) -> None:
    """OPS-8: a diagnosis that always finds something finds nothing."""
    assert told_by(line) is None


@given(st.text(max_size=300))
def test_any_text_is_taken(text: str) -> None:
    """UX-3: whatever is pasted."""
    for finding in diagnosed(text.splitlines(), WHERE):
        assert finding.evidence


def test_a_line_without_end_is_looked_at_in_bounded_time() -> None:
    """UX-2: only its beginning."""
    assert told_by("x" * (LONGEST_LINE + 10) + " OOMKilled") is None
    assert told_by("cluster " * 400 + "stuck") is None


def test_the_page_has_every_row_with_its_code() -> None:
    """OPS-8: the table maps each row to its code; none is empty."""
    page = troubleshooting_reference()
    for symptom in SYMPTOMS:
        (row,) = [line for line in page.splitlines() if line.startswith(f"| {symptom.row} |")]
        assert f"[{symptom.code}]" in row
        assert row.count("|") - row.count("\\|") == 5
        assert "{" not in row.rpartition(" | ")[2]
